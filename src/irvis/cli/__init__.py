"""The command line: one function per verb, each a thin caller. Nothing heavy is imported before a verb runs."""

import atexit
import gc
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from cyclopts import CycloptsError, MissingArgumentError, UnusedCliTokensError

from ..errors import IrvisError, said
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

AGAIN = {
    "fuse": "--if-exists skip",
    "align": "--if-exists skip",
    "train": "--resume",
    "evaluate": "the same words: what is judged is kept",
}
"""How a verb that was stopped goes on."""


def main(words: Sequence[str] | None = None) -> None:
    """Run the command line; an error is one line on stderr and exit status 1, or 2 for words that no verb knows."""
    atexit.register(gc.freeze)  # a last search of torch's modules for garbage would take 0.3 s
    given = list(sys.argv[1:] if words is None else words)
    try:
        with _terminated_like_interrupted():
            app(given, exit_on_error=False, print_error=False)
    except CycloptsError as problem:
        errors.print(f"error: {_misused(problem)}")
        sys.exit(2)
    except (IrvisError, OSError) as problem:
        errors.print(f"error: {said(problem)}")
        sys.exit(1)
    except KeyboardInterrupt:
        verb = given[0] if given else ""
        errors.print(f"stopped; go on with irvis {verb} … {AGAIN[verb]}" if verb in AGAIN else "stopped")
        sys.exit(130)


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """SIGTERM and a closed terminal end a verb as Ctrl-C does: files are finished, what was temporary is removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    own, names = os.getpid(), [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]

    def stop(number: int, frame: FrameType | None) -> None:
        if os.getpid() != own:  # a process that was forked
            os._exit(128 + number)
        raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in (getattr(signal, name) for name in names)}
    for number, handler in before.items():
        if handler == signal.SIG_DFL:  # nohup says otherwise
            signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _misused(problem: CycloptsError) -> str:
    """What is wrong with the words, and where the right ones are shown."""
    told, argument = str(problem).strip(), problem.argument
    if isinstance(problem, UnusedCliTokensError):
        told = f"too many words: {' '.join(problem.unused_tokens or ())}."
    elif isinstance(problem, MissingArgumentError) and argument is not None and not getattr(problem, "keyword", None):
        name = argument.name if argument.index is None else argument.name.removeprefix("--").upper()
        told = f"{name} is missing: {argument.parameter.help or ''}".rstrip(": ")
    return f"{told} Examples: {' '.join(['irvis', *(problem.command_chain or ()), '--help'])}"
