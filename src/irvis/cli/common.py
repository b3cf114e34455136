"""What every verb shares: the application, both consoles, options that mean the same everywhere."""

import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from cyclopts import App, Group, Parameter
from rich.console import Console
from rich.text import Text

from .. import __version__
from ..steps import listening

if TYPE_CHECKING:
    from ..data.matching import Matches

T = TypeVar("T")

FUSE, JUDGE = Group("Fuse", sort_key=1), Group("Judge", sort_key=2)
TRAIN, ABOUT = Group("Train, and take along", sort_key=3), Group("About", sort_key=4)

app = App(
    name="irvis",
    help="Two cameras, one picture: fuse what a visible and an infrared camera saw.\n\n"
    "irvis demo                                          see it work\n"
    "irvis fuse visible.jpg infrared.png -o fused.png    your own pair\n"
    "irvis check visible/ infrared/                      what is wrong with a folder\n"
    "irvis fuse visible/ infrared/ -o fused/             a folder\n"
    "irvis fuse visible.mp4 thermal.mp4 -o fused.mp4     a video\n"
    "irvis VERB --help                                   every option, examples first",
    version=__version__,
    help_format="plaintext",
    help_on_error=False,
    suppress_keyboard_interrupt=False,
)
for option in ("--help", "--version"):
    app[option].group = (ABOUT,)


class _Plain(Console):
    """A console on which text is nothing but text: no markup, and no control characters, as file names may hold."""

    def render_str(self, text: str, **options: Any) -> Text:
        """The text with control characters and what is no Unicode written as \\x1b."""
        return super().render_str(printable(text), **options)


def printable(text: str) -> str:
    """Control characters other than line ends and tabs, and lone surrogates, escaped as Python writes them."""
    shown = (one in "\n\t" or one.isprintable() or unicodedata.category(one) == "Zs" for one in text)
    return "".join(one if plain else repr(one)[1:-1] for one, plain in zip(text, shown, strict=True))


console = _Plain(markup=False, highlight=False, soft_wrap=True)
errors = _Plain(markup=False, highlight=False, soft_wrap=True, stderr=True)

Patterns = Annotated[
    tuple[str, str] | None, Parameter(help='How stems differ: --match "{id}_W" "{id}_T".', negative="")
]
LoginText = Annotated[
    str | None,
    Parameter(help="USER:PASSWORD for visitors. Process lists show it; --auth-file and IRVIS_AUTH keep it hidden."),
]
LoginFile = Annotated[
    Path | None, Parameter(help="File whose first line is USER:PASSWORD; the variable IRVIS_AUTH works too.")
]
WITH_PASSWORD = "add --auth-file FILE with a line USER:PASSWORD"
Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON instead of a table.")]


def progress(done: Iterator[T], total: int, what: str) -> list[T]:
    """Run a batch with a progress bar on a terminal (of one alone: its steps), quietly elsewhere."""
    from rich.progress import track

    if total != 1:
        hidden = not errors.is_terminal
        return list(track(done, total=total, description=what, console=errors, disable=hidden, transient=True))
    with busy(what):
        return list(done)


@contextmanager
def busy(what: str) -> Iterator[None]:
    """A line on a terminal: the step that is being taken, how far it is where that is known, and the time so far."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=errors, disable=not errors.is_terminal, transient=True) as bar:
        task = bar.add_task(what, total=None)

        def show(now: str, done: int, total: int | None) -> None:
            bar.tasks[0].total = total  # update() would keep the one of the step before for None
            bar.update(task, description=now, completed=done)

        with listening(show):
            yield


@contextmanager
def counting(what: str, *, shown: bool = True) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal: what is given is told how much is done, and of how much."""
    from rich.progress import Progress

    with Progress(console=errors, transient=True, disable=not (shown and errors.is_terminal)) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def list_unmatched(found: "Matches") -> None:
    """Files that stay alone, and sides that look swapped by their folders' names."""
    from ..data.matching import told_by_folder

    first = found.pairs[0] if found.pairs else None
    if first and (told_by_folder(first.visible), told_by_folder(first.infrared)) == ("infrared", "visible"):
        errors.print(f"warning: {first.visible.parent} is given as visible: are the two sides swapped?")
    for side, alone in (("visible", found.only_visible), ("infrared", found.only_infrared)):
        if alone:
            names = ", ".join(path.name for path in alone[:10]) + (" …" if len(alone) > 10 else "")
            errors.print(f"no partner for {len(alone)} {side}: {names}")
