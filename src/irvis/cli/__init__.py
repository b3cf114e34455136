"""The command line: one function per verb, each a thin caller. Nothing heavy is imported before a verb runs."""

import atexit
import gc
import sys
from collections.abc import Sequence

from ..errors import IrvisError
from . import (  # noqa: F401  each enters its verbs
    about,
    aligning,
    benching,
    checking,
    exporting,
    fusing,
    judging,
    learning,
    living,
    serving,
    studying,
)
from .common import app, errors


def main(words: Sequence[str] | None = None) -> None:
    """Run the command line; an error is one line on stderr and exit status 1."""
    atexit.register(gc.freeze)  # a last search of torch's modules for garbage would take 0.3 s
    try:
        app(sys.argv[1:] if words is None else words)
    except IrvisError as problem:
        errors.print(f"error: {problem}")
        sys.exit(1)
    except OSError as problem:
        errors.print(f"error: {problem.filename or ''}: {problem.strerror or problem}")
        sys.exit(1)
    except KeyboardInterrupt:
        errors.print("stopped; go on with --if-exists skip (fuse), --resume (train), the same command (evaluate)")
        sys.exit(130)
