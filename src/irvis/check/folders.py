"""What is found only by looking at all pairs together."""

import hashlib
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..data.matching import Matches
from ..thermal import polarity
from ..thermal.asked import Polarity
from . import defects
from .findings import Finding, Look

SCENE = 0.9
"""Neighbours whose visible files correlate more than this, as 16×16 means, show one scene."""
TURNED = -0.8
"""Infrared files of one scene that correlate less than this were written in different polarities."""
FEW = 3
"""Below so many pairs nothing is said of a folder against one of its pairs."""
SHOWN = 10


def findings(matches: Matches, looks: Sequence[Look], swapped: int, asked: Polarity) -> Iterator[Finding]:
    """Everything there is to say beyond single pairs; `swapped` pairs were found to be so."""
    yield from _unmatched(matches)
    if swapped >= FEW and swapped >= len(looks) / 2:
        yield Finding("swapped", "", f"{swapped} of {len(looks)} pairs: the two folders seem to be swapped")
    yield from _duplicates(looks)
    yield from _polarity(looks, asked)
    yield from _switches(looks)
    for word in ("visible", "infrared"):
        kinds = Counter(side.pixels.samples for look in looks if (side := getattr(look, word)).pixels)
        if len(kinds) > 1:
            yield Finding("mixed", "", f"{word}: " + ", ".join(f"{n} {kind}" for kind, n in kinds.most_common()))
    for size, places in defects.dead_pixels(looks).items():
        shown = ", ".join(f"({x}, {y})" for x, y in places[:SHOWN]) + (" …" if len(places) > SHOWN else "")
        yield Finding("dead-pixels", "", f"infrared of {size}: {len(places)} at (column, row) {shown}")


def folder_evidence(looks: Sequence[Look]) -> float:
    """For white-hot, of all infrared files that were read and are gray."""
    return polarity.together(_hot(looks))


def _hot(looks: Sequence[Look]) -> list[float]:
    return [p.hot for look in looks if (p := look.infrared.pixels) is not None and p.hot is not None]


def _unmatched(matches: Matches) -> Iterator[Finding]:
    for word, alone in (("visible", matches.only_visible), ("infrared", matches.only_infrared)):
        yield from (Finding("unmatched", path.name, f"{word} {path} has no partner") for path in alone)


def _duplicates(looks: Sequence[Look]) -> Iterator[Finding]:
    """Files of the same bytes in different pairs."""
    names = {path: look.match.name for look in looks for path in (look.match.visible, look.match.infrared)}
    for group in _same_bytes(list(names)):
        first, *others = group
        yield from (
            Finding("duplicate", names[path], f"{path} holds the same bytes as {first}")
            for path in others
            if names[path] != names[first]
        )


def _same_bytes(paths: Sequence[Path]) -> Iterator[list[Path]]:
    """Groups of two and more; only files of the same length are opened."""
    by_length: dict[int, list[Path]] = defaultdict(list)
    for path in paths:
        try:
            by_length[path.stat().st_size].append(path)
        except OSError:  # gone meanwhile: a problem of its pair
            continue
    for alike in by_length.values():
        by_bytes: dict[bytes, list[Path]] = defaultdict(list)
        for path in alike if len(alike) > 1 else ():
            by_bytes[_digest(path)].append(path)
        yield from (group for group in by_bytes.values() if len(group) > 1)


def _digest(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "blake2b").digest()
    except OSError:
        return str(path).encode()


def _polarity(looks: Sequence[Look], asked: Polarity = "white-hot") -> Iterator[Finding]:
    """Of files that `auto` turns by themselves there is nothing to say."""
    if asked == "auto":
        return
    hot = _hot(looks)
    whole = polarity.together(hot)
    if polarity.verdict(whole) not in (asked, "unknown"):
        looks_like = "bright" if whole > 0 else "dark"
        yield Finding("polarity", "", f"hot looks {looks_like} (odds {_odds(whole)}, by {len(hot)} infrared files)")
    for look in looks if len(hot) > FEW else ():
        if (pixels := look.infrared.pixels) is None or pixels.hot is None:
            continue
        own, rest = polarity.verdict(pixels.hot), _without(hot, pixels.hot)
        others = polarity.verdict(polarity.together(rest))
        if "unknown" not in (own, others) and own != others:
            text = f"infrared looks {own} (odds {_odds(pixels.hot)}), the rest of the folder {others}"
            yield Finding("polarity-differs", look.match.name, text)


def _without(hot: Sequence[float], one: float) -> list[float]:
    rest = list(hot)
    rest.remove(one)
    return rest


def _odds(evidence: float) -> str:
    """As people say it: 20:1."""
    return f"{min(2.718281828 ** abs(evidence), 9999):.0f}:1"


def _switches(looks: Sequence[Look]) -> Iterator[Finding]:
    """From one frame of a scene to the next, all that was dark is bright."""
    for before, after in itertools.pairwise(looks):
        if before.both is None or after.both is None:
            continue
        (visible, infrared), (visible_next, infrared_next) = before.both, after.both
        if (
            visible.coarse @ visible_next.coarse > SCENE
            and (likeness := infrared.coarse @ infrared_next.coarse) < TURNED
        ):
            text = f"infrared is the reverse of {before.match.name} (correlation {likeness:.2f}), the visible is not"
            yield Finding("polarity-switches", after.match.name, text)
