"""Sequences of image files, and the frames of FLIR SEQ and CSQ files, as sources."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np

from .. import cameras, io
from ..cameras import Radiometric
from ..data.matching import natural
from ..errors import IrvisError
from ..io.decode import frames_in, read_raster
from ..io.infrared import measure
from ..io.normalise import OWN, plane
from ..thermal import Sensing
from .frame import Facts, Frame, Source

PATTERN = re.compile(r"%0?\d*d")
RATE = Fraction(25)
"""Frames a second of image files where nothing is said."""
_NUMBER = re.compile(r"(\d+)(?!.*\d)")

_Page = tuple[Path, int | None]
"""A file, and which of its pictures where it holds several."""
_Read = Callable[[_Page], Frame]


def files_of(text: str) -> list[Path]:
    """The images of a folder, of a glob, or of a pattern like frames/%04d.png, in natural order."""
    path = Path(text).expanduser()
    if path.is_file():
        files = [path]
    elif found := PATTERN.search(path.name):
        before, after = path.name[: found.start()], path.name[found.end() :]
        counted = re.compile(rf"{re.escape(before)}\d+{re.escape(after)}")
        files = [file for file in path.parent.glob("*") if counted.fullmatch(file.name)]
    elif path.is_dir():
        files = [file for file in path.iterdir() if file.suffix.lower() in io.READABLE and file.name[0] != "."]
    else:
        root = Path(path.anchor)
        files = [file for file in root.glob(str(path.relative_to(root))) if file.suffix.lower() in io.READABLE]
    files = sorted((file for file in files if file.is_file()), key=lambda file: natural(file.name))
    if not files:
        raise IrvisError(f"{text}: no images are there.")
    return files


def places_of(files: Sequence[Path]) -> list[int]:
    """The place of each file in time: its last number where the files are counted, else its order.

    Counted: the text around the number is the same for all, and most numbers are one step apart, whatever the step.
    """
    in_order = list(range(len(files)))
    found = [one for file in files if (one := _NUMBER.search(file.stem))]
    around = {(one.string[: one.start()], one.string[one.end() :]) for one in found}
    if len(around) != 1 or len(found) != len(files) or len(files) < 2:
        return in_order
    numbers = [int(one.group()) - int(found[0].group()) for one in found]
    step, often = Counter(after - before for before, after in pairwise(numbers)).most_common(1)[0]
    if step <= 0 or 2 * often < len(files) - 1 or any(number % step for number in numbers):
        return in_order
    return [number // step for number in numbers]


def sequence_source(
    text: str,
    *,
    rate: Fraction | None = None,
    gray: bool = False,
    color: str = "refuse",
    sensing: Sensing = Sensing(),  # noqa: B008
) -> Source:
    """Image files as a stream of `rate` frames a second. A number that is missing leaves its time empty, and is told.

    One file that holds several pictures (TIFF pages, an animation) is a stream of these.

    gray: as infrared, by the rules for infrared files (`sensing`, `color`): a thermal camera's own files give counts.
    """
    files, trouble = files_of(text), list[str]()
    read = partial(_infrared, color=color, sensing=sensing) if gray else _visible
    pages, places = _pages(files)
    first, speed = _first(pages, read), rate or RATE
    missing = places[-1] + 1 - len(pages)
    if missing:
        trouble.append(f"{missing} of {places[-1] + 1} numbered files are missing: their time stays empty")
    facts = Facts(
        name=text, width=first.size[1], height=first.size[0], rate=speed, duration=(places[-1] + 1) / speed,
        counts=gray and first.samples.dtype != np.uint8,
        pixels=f"{'gray' if first.samples.ndim == 2 else 'rgb'}, {first.samples.dtype}",
    )  # fmt: skip
    times = [place / speed for place in places]
    return Source(facts=facts, read=partial(_frames, pages, times, read, first.size, trouble), trouble=trouble)


def _pages(files: Sequence[Path]) -> tuple[list[_Page], list[int]]:
    """What is read, and the place of each in time."""
    count = frames_in(files[0]) if len(files) == 1 else 1
    if count > 1:
        return [(files[0], number) for number in range(count)], list(range(count))
    return [(file, None) for file in files], places_of(files)


def _frames(
    pages: Sequence[_Page], times: Sequence[Fraction], read: _Read, size: tuple[int, int], trouble: list[str],
    start: Fraction,
) -> Iterator[Frame]:  # fmt: skip
    for page, time in zip(pages, times, strict=True):
        if time < start:
            continue
        try:
            one = read(page)
        except IrvisError as error:
            trouble.append(f"{error} It is left out.")
            continue
        if one.size == size:
            yield Frame(time=time, samples=one.samples, bits=one.bits, radiometric=one.radiometric)
        else:
            trouble.append(f"{page[0]} is {one.size[1]}x{one.size[0]}, not {size[1]}x{size[0]}: it is left out.")


def _first(pages: Sequence[_Page], read: _Read) -> Frame:
    """The first that can be read."""
    problem = IrvisError("no images are there.")
    for number, page in enumerate(pages):
        try:
            return read(page)
        except IrvisError as error:
            problem = problem if number else error
    raise problem


def _visible(page: _Page) -> Frame:
    path, number = page
    samples = np.require(read_raster(path, frame=number).samples, requirements=["C", "W"])
    if samples.shape[2] == 1 and samples.dtype == np.uint16:
        return Frame(time=Fraction(0), samples=samples[..., 0], bits=16)
    if samples.dtype != np.uint8:
        full = 1.0 if samples.dtype.kind == "f" else 65535.0
        samples = np.asarray(np.clip(np.round(samples / full * 255), 0, 255), np.uint8)
    return Frame(time=Fraction(0), samples=samples[..., 0] if samples.shape[2] == 1 else samples)


def _infrared(page: _Page, color: str, sensing: Sensing) -> Frame:
    path, number = page
    found = measure(path, sensing if number is None else replace(sensing, frame=number))
    samples = np.require(found.raster.samples, requirements=["C", "W"])
    if samples.shape[2] == 3 and color == "refuse":
        try:
            io.infrared_of(samples, None if samples.dtype == np.uint8 else OWN, "refuse")
        except IrvisError as error:
            raise IrvisError(f"{path}: {error}") from error
    gray = plane(samples)
    if samples.dtype == np.uint8 and gray.dtype != np.uint8:
        gray = np.asarray(np.round(gray), np.uint8)
    bits = 8 if gray.dtype == np.uint8 else 16
    return Frame(time=Fraction(0), samples=gray, bits=bits, radiometric=found.radiometric)


# ------------------------------------------------------------------------------------ FLIR recordings


def recording_source(path: Path, *, rate: Fraction | None = None) -> Source:
    """A SEQ or CSQ file: counts, at the times that the camera wrote down, or `rate` frames a second where it is given.

    A frame without a time of its own, or with that of the one before, follows by the usual step.
    """
    try:
        times = _times([one.taken for one in _whole(path, [])], rate)
        first = next(cameras.frames(path))
    except StopIteration as error:
        raise IrvisError(f"{path} holds no frame.") from error
    trouble: list[str] = []
    height, width = first.counts.shape
    step = times[-1] / (len(times) - 1) if len(times) > 1 else 1 / RATE
    facts = Facts(
        name=str(path), width=width, height=height, rate=rate or 1 / step, duration=times[-1] + step, counts=True,
        pixels="counts",
    )  # fmt: skip

    def read(start: Fraction) -> Iterator[Frame]:
        for one, time in zip(_whole(path, trouble), times, strict=False):  # frames first: their end tells the damage
            if time >= start:
                yield Frame(time=time, samples=one.counts, bits=16, radiometric=one)

    return Source(facts=facts, read=read, trouble=trouble)


def _whole(path: Path, trouble: list[str]) -> Iterator[Radiometric]:
    """Frames up to the first damaged one; an error only if there is none before it."""
    began = False
    try:
        for one in cameras.frames(path):
            began = True
            yield one
    except IrvisError as error:
        if not began:
            raise
        trouble.append(f"it ends at a damaged frame: {error}")


def _times(taken: Sequence[object], rate: Fraction | None) -> list[Fraction]:
    """Seconds since the first."""
    from datetime import datetime

    if rate is not None:
        return [number / rate for number in range(len(taken))]
    begun = next((one for one in taken if isinstance(one, datetime)), None)
    known = [
        Fraction(round((one - begun).total_seconds() * 1000), 1000) if isinstance(one, datetime) and begun else None
        for one in taken
    ]
    steps = sorted(b - a for a, b in pairwise(known) if a is not None and b is not None and b > a)
    usual = steps[len(steps) // 2] if steps else 1 / RATE
    times: list[Fraction] = []
    for time in known:
        after = times[-1] + usual if times else Fraction(0)
        times.append(time if time is not None and (not times or time > times[-1]) else after)
    return times
