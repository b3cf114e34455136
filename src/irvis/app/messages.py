"""What the page says of a result, as HTML. Every text that a visitor or a file had a part in is escaped here."""

from pathlib import Path

from . import choices
from .fusing import Fused
from .names import address, in_page_words, shown
from .videos import Filmed


def method(text: str) -> str:
    """What a method is; of weights, behind a word."""
    summary, trained = choices.about(text)
    more = f"<details><summary>its weights</summary>{shown(trained)}</details>" if trained else ""
    return f"{shown(summary.replace('`', ''))} {more}"


def told(fused: Fused | Filmed, what: str) -> str:
    """What was fused, seconds, temperatures; then what looks wrong."""
    times = " · ".join(f"<b>{shown(method)}</b> {seconds:.2f} s" for method, seconds in fused.seconds.items())
    lines = [f'<p class="told">{shown(what)} · {times}</p>']
    lines += [f'<p class="told">{shown(text)}</p>' for text in fused.told]
    if fused.shift is not None:
        across, down = (round(number) for number in fused.shift)
        lines.append(warning(f"Infrared looks shifted: it should move {_way(across, down)}."))
    lines += [warning(in_page_words(note, fused.folder)) for note in fused.notes]
    return "".join(lines)


def _way(across: int, down: int) -> str:
    sides = [
        f"{abs(number)} px {one if number > 0 else other}"
        for number, one, other in ((across, "right", "left"), (down, "down", "up"))
        if number
    ]
    return " and ".join(sides) or "a little"


def warning(text: str) -> str:
    """A line that stands out a little."""
    return f'<p class="warned">{shown(text)}</p>'


def note(text: str) -> str:
    """A line that does not."""
    return f'<p class="told">{shown(text)}</p>'


def refused(text: str) -> str:
    """Why nothing came out."""
    return f'<p class="refused" role="alert">{shown(text[:1].upper() + text[1:])}</p>'


def downloads(fused: Fused | Filmed) -> str:
    """A link for each file, with its size."""
    return f'<div class="downloads">{"".join(_link(path) for path in fused.downloads)}</div>'


def explained(fused: Fused) -> str:
    """The pictures that say where each result comes from; empty where they were not asked for."""
    pictures = [path for path in fused.downloads if path.name.endswith(".explain.png")]
    return "".join(
        f'<figure><img src="{shown(address(path))}" alt="{shown(path.name)}: what came from which camera"></figure>'
        for path in pictures
    )


def _link(path: Path) -> str:
    name, size = shown(path.name), path.stat().st_size
    amount = f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(1, size // 1000)} kB"
    return f'<a href="{shown(address(path))}" download="{name}">↓ {name} <small>{amount}</small></a>'


def commands(fused: Fused | Filmed) -> str:
    """What to type for the same files."""
    return f"<pre>{shown(chr(10).join(fused.commands))}</pre>"
