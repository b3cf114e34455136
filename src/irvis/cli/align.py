"""The verb for two lenses: align."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from ..errors import IrvisError
from ..options import InfraredOptions
from ..options.align import Model
from .common import (
    FUSE,
    Json,
    Patterns,
    app,
    busy,
    console,
    errors,
    list_unmatched,
    progress,
)

if TYPE_CHECKING:
    from ..align import Alignment, Rig
    from ..data.matching import Match
    from ..jobs import aligning as job
    from ..types import RGB, Scaled


@dataclass(frozen=True, kw_only=True)
class _InfraredOptions(InfraredOptions):
    """The same; what is for one field of view is not offered, and refused by its name."""

    resize_infrared: Annotated[bool, Parameter(negative="", show=False)] = False


@app.command(group=FUSE, sort_key=3)
def align(
    visible: Annotated[str, Parameter(help="A file, a folder, or a quoted glob; or a near rig file.")],
    infrared: Annotated[str | None, Parameter(help="The infrared counterpart; or a far rig file.")] = None,
    *,
    out: Annotated[
        Path | None,
        Parameter(
            name=["--out", "-o"],
            help="Folder for the aligned files. Without it the registration is only estimated and printed.",
        ),
    ] = None,
    save: Annotated[Path | None, Parameter(help="Rig file: one transform for all pairs, for irvis fuse --rig.")] = None,
    rig: Annotated[Path | None, Parameter(help="Apply this rig file instead of estimating.")] = None,
    points: Annotated[
        Path | None, Parameter(help="File of corresponding points: visible x, y and infrared x, y in each row.")
    ] = None,
    matcher: Annotated[
        str | None, Parameter(help="FILE.py:FUNCTION that returns matching points of (visible, infrared).")
    ] = None,
    board: Annotated[
        str | None, Parameter(help='Pairs show a board: "9x6:25" inner corners and mm, or "circles:4x11:20".')
    ] = None,
    model: Model = "auto",
    match: Patterns = None,
    reading: Annotated[_InfraredOptions, Parameter(name="*")] = _InfraredOptions(),
    crop_to_overlap: Annotated[bool, Parameter(negative="", help="Crop to the area that both cameras saw.")] = False,
    sheets: Annotated[
        bool, Parameter(negative="", help="Write chessboards of both images, for checking by eye.")
    ] = False,
    if_exists: Annotated[
        Literal["error", "skip", "overwrite"], Parameter(help="skip resumes an interrupted run.")
    ] = "error",
    as_json: Json = False,
) -> None:
    """Bring infrared onto visible, or say that it cannot be done.

    irvis align visible.jpg thermal.png
    irvis align visible/ thermal/ -o aligned/ --sheets
    irvis align visible/ thermal/ --save rig.json --distance 12
    irvis align visible.jpg thermal.png --points points.csv --save rig.json
    irvis align boards/visible boards/thermal --board 9x6:25 --save rig.json
    irvis align near.json far.json --save rig.json

    Infrared keeps its counts. --distance is that of what the rig is made from. Exit status 1: a pair was refused.
    """
    from .. import io
    from ..data import matching
    from ..jobs import aligning as job

    if save is not None and save.suffix != ".json":
        raise IrvisError(f"--save {save}: the name of a rig file ends with .json")
    if save is not None and save.exists() and if_exists != "overwrite":
        raise IrvisError(f"{save} exists; use --if-exists overwrite")
    if infrared is not None and visible.endswith(".json") and infrared.endswith(".json"):
        return _far_and_near(Path(visible), Path(infrared), save, as_json)
    ways = {"--rig": rig, "--points": points, "--matcher": matcher, "--board": board}
    given = [name for name, value in ways.items() if value is not None]
    if len(given) > 1:
        raise IrvisError(f"{' and '.join(given)} exclude each other")
    if rig is not None and save is not None:
        raise IrvisError("--rig is a rig already: --save makes one from pairs")
    if rig is not None and out is None:
        raise IrvisError("--rig writes aligned files: add --out")
    if out is None and (crop_to_overlap or sheets):
        raise IrvisError("--crop-to-overlap and --sheets are about written files: add --out")
    found = matching.match(visible, infrared, patterns=match, both=io.holds_record)
    if reading.resize_infrared:
        raise IrvisError("--resize-infrared is for the same field of view: leave it out")
    how = reading.sensing()
    files = job.Files(
        range=reading.range, color=reading.infrared_color,
        sensing=how.without("distance") if rig or save else how, out=out, crop=crop_to_overlap, sheets=sheets,
        if_exists=if_exists,
    )  # fmt: skip
    job.refuse(found.pairs, files)
    list_unmatched(found)
    with busy("aligning"):
        made = _rig(found.pairs, files, model, reading.distance, rig, points, matcher, board, save)
    if made is not None and save is not None and not (as_json and out is not None):
        _tell_rig(made, save, as_json)
    if made is None or out is not None:
        _align(found.pairs, _way(made, reading.distance, model, points, matcher), files, as_json)
    return None


def _far_and_near(near: Path, far: Path, save: Path | None, as_json: bool) -> None:
    from ..align import rig_file
    from ..align.rig import from_two

    if save is None:
        raise IrvisError("two rig files make one for all distances: say where it goes, --save rig.json")
    made = from_two(rig_file.load(near), rig_file.load(far))
    rig_file.save(made, save)
    _tell_rig(made, save, as_json)


def _rig(
    pairs: "Sequence[Match]", files: "job.Files", model: Any, distance: float | None,
    rig: Path | None, points: Path | None, matcher: str | None, board: str | None, save: Path | None,
) -> "Rig | None":  # fmt: skip
    """The one transform for all pairs, where there is one."""
    from ..align import rig_file

    if rig is not None:
        return rig_file.load(rig)
    if board is not None and save is None:
        raise IrvisError("a board makes a rig: say where it goes, --save rig.json")
    if save is None:
        return None
    made = _made(pairs, files, model, distance, points, matcher, board)
    rig_file.save(made, save)
    return made


def _made(
    pairs: "Sequence[Match]", files: "job.Files", model: Any, distance: float | None,
    points: Path | None, matcher: str | None, board: str | None,
) -> "Rig":  # fmt: skip
    from ..align import rig as rigs
    from ..io.notes import focal_of
    from ..jobs import aligning as job

    by_name = {pair.name: pair for pair in pairs}
    names = tuple(by_name)
    if board is not None:
        from ..align import board as boards

        return boards.calibrated(board, names, lambda name: job.grays(by_name[name], files), focal=_focal(pairs[0]))
    if points is not None or matcher is not None:
        if matcher is not None and len(pairs) > 1:
            raise IrvisError("--matcher makes a rig of one pair: give one, or leave out --save")
        visible, meta, infrared = job.seen(pairs[0], files)
        found = _estimating(model, points, matcher)(visible, infrared)
        used = pairs[0].name if points is None else points.name
        return rigs.from_alignment(found, used=(used,), distance=distance, focal=focal_of(meta.exif))
    from ..align.joint import together

    joint = together(names, lambda name: job.grays(by_name[name], files), model)
    for name, why in joint.refused.items():
        errors.print(f"left out: {name}: {why}")
    return rigs.from_alignment(
        joint.alignment, used=joint.used, refused=tuple(joint.refused), distance=distance,
        focal=_focal(by_name[joint.used[0]]),
    )  # fmt: skip


def _focal(pair: "Match") -> float | None:
    from .. import io
    from ..io.notes import focal_of

    return focal_of(io.read_visible(pair.visible)[1].exif)


def _way(
    rig: "Rig | None", distance: float | None, model: Any, points: Path | None, matcher: str | None
) -> "job.Align":
    """What is done to each pair."""
    from ..align import Aligner

    if rig is not None:
        return Aligner(rig=rig, distance=distance)
    found = _estimating(model, points, matcher)
    return lambda visible, infrared, focal: found(visible, infrared)


def _estimating(model: Any, points: Path | None, matcher: str | None) -> "Callable[[RGB, Scaled], Alignment]":
    """How a pair is estimated."""
    from ..align import estimate
    from ..color import luma
    from ..jobs import aligning as job

    if points is not None or matcher is not None:
        from ..align import points as listed

        if points is not None:
            rows = listed.read(points)
            return lambda visible, infrared: listed.from_points(
                *rows, None, job.size(visible), job.size(infrared), model
            )
        function = listed.load_matcher(str(matcher))
        return lambda visible, infrared: estimate(visible, infrared, model, matcher=function)
    return lambda visible, infrared: estimate(luma(visible), infrared, model)


def _align(pairs: "Sequence[Match]", way: "job.Align", files: "job.Files", as_json: bool) -> None:
    from ..jobs import aligning as job

    done = progress(job.align_all(pairs, way, files), len(pairs), "aligning")
    if as_json:
        print(json.dumps([record(one) for one in done], indent=2))
    else:
        for one in done:
            console.print(line(one))
    failed = [one for one in done if one.problem]
    if failed:
        raise IrvisError(f"{len(failed)} of {len(done)} pairs were not aligned")


def line(one: "job.Aligned") -> str:
    """What became of a pair."""
    if one.problem or one.alignment is None:
        return f"{one.name}: {one.problem or ('was there already' if one.skipped else 'aligned by the rig')}"
    return f"{one.name}: {one.alignment.told}"


def record(one: "job.Aligned") -> dict[str, Any]:
    """The same as JSON."""
    files = [str(path) for path in one.files]
    facts: dict[str, Any] = {"name": one.name, "problem": one.problem, "skipped": one.skipped, "files": files}
    found = one.alignment
    if found is None:
        return facts
    right, down = found.shift
    return facts | {
        "matrix": found.matrix.tolist(), "right": right, "down": down, "scale": found.scale, "turn": found.turn,
        "confidence": finite(found.confidence), "agreeing": found.agreeing, "looked_at": found.looked_at,
        "residual": finite(found.residual), "error": found.error,
    }  # fmt: skip


def finite(number: float) -> float | None:
    """JSON has no infinity."""
    return number if math.isfinite(number) else None


def _tell_rig(rig: "Rig", path: Path, as_json: bool) -> None:
    facts = {
        "rig": str(path), "residual": rig.residual, "used": list(rig.used),
        "refused": list(rig.refused), "distance": rig.distance, "matrix": rig.matrix.tolist(),
    }  # fmt: skip
    if as_json:
        print(json.dumps(facts, indent=2))
    else:
        residual = "unknown" if rig.residual is None else f"about {rig.residual:.1f} px"
        pairs = f"{len(rig.used)} pair{'s' * (len(rig.used) != 1)}"
        console.print(f"rig {path}: from {pairs}, {len(rig.refused)} left out; error {residual}")
