"""The command line: one function per verb, each a thin caller. Nothing heavy is imported before a verb runs."""

import atexit
import gc
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from cyclopts import CycloptsError, MissingArgumentError, UnusedCliTokensError

from ..errors import IrvisError, is_out_of_memory, said
from . import (  # noqa: F401  each enters its verbs
    about,
    align,
    bench,
    check,
    choose,
    evaluate,
    export,
    fuse,
    live,
    serving,
    study,
    train,
)
from .common import app, errors

AGAIN = {
    "fuse": "--if-exists skip",
    "align": "--if-exists skip",
    "train": "--resume",
    "evaluate": "the same command: judged pairs are kept",
}
"""How a verb that was stopped goes on."""

_NEGATIVE, _OPTION = re.compile(r"-\.?\d"), re.compile(r"--[a-z][a-z-]*")


def main(words: Sequence[str] | None = None) -> None:
    """Run the command line; an error is one line on stderr and exit status 1, or 2 for words that no verb knows."""
    with _stopped_by_signals():
        _run(words)


class _Terminated(KeyboardInterrupt):
    """Asked to end (SIGTERM), or the terminal is gone (SIGHUP): as Ctrl-C, so that files are closed."""


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end a verb as Ctrl-C does; processes that were forked meanwhile end at once."""
    kinds = [kind for name in ("SIGTERM", "SIGHUP") if (kind := getattr(signal, name, None)) is not None]
    mine, main_thread = os.getpid(), threading.current_thread() is threading.main_thread()
    taken = [kind for kind in kinds if main_thread and signal.getsignal(kind) == signal.SIG_DFL]

    def stop(kind: int, _: object) -> None:
        if os.getpid() != mine:
            signal.signal(kind, signal.SIG_DFL)
            os.kill(os.getpid(), kind)
        raise _Terminated(kind)

    for kind in taken:
        signal.signal(kind, stop)
    try:
        yield
    finally:
        for kind in taken:
            signal.signal(kind, signal.SIG_DFL)


def _run(words: Sequence[str] | None) -> None:
    atexit.register(gc.freeze)  # a last search of torch's modules for garbage would take 0.3 s
    given = list(sys.argv[1:] if words is None else words)
    try:
        app(_bound(given), exit_on_error=False, print_error=False)
    except CycloptsError as problem:
        errors.print(f"error: {_misused(problem)}")
        sys.exit(2)
    except (IrvisError, OSError, MemoryError, RuntimeError) as problem:
        if not (isinstance(problem, (IrvisError, OSError)) or is_out_of_memory(problem)):
            raise
        errors.print(f"error: {said(problem)}")
        sys.exit(1)
    except KeyboardInterrupt as stop:
        verb = given[0] if given else ""
        errors.print(f"stopped; go on with irvis {verb} … {AGAIN[verb]}" if verb in AGAIN else "stopped")
        sys.exit(128 + stop.args[0] if isinstance(stop, _Terminated) else 130)


def _bound(words: Sequence[str]) -> list[str]:
    """Negative values joined to their options, so that they are not taken for options: --infrared-range=-13C,1C."""
    bound: list[str] = []
    for word in words:
        if _NEGATIVE.match(word) and bound and _OPTION.fullmatch(bound[-1]):
            bound[-1] += f"={word}"
        else:
            bound.append(word)
    return bound


def _misused(problem: CycloptsError) -> str:
    """What is wrong with the words, and where the right ones are shown."""
    told, argument = str(problem).strip(), problem.argument
    if isinstance(problem, UnusedCliTokensError):
        told = f"too many words: {' '.join(problem.unused_tokens or ())}."
    elif isinstance(problem, MissingArgumentError) and argument is not None and not getattr(problem, "keyword", None):
        name = argument.name if argument.index is None else argument.name.removeprefix("--").upper()
        told = f"{name} is missing: {argument.parameter.help or ''}".rstrip(": ")
    return f"{told} Examples: {' '.join(['irvis', *(problem.command_chain or ()), '--help'])}"
