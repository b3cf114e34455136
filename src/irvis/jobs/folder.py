"""Pairs of files through fusers: what reading, fusing and writing one of them is."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from PIL import Image as Pillow

from .. import io, sheet
from ..align import accepting, misalignment
from ..color import gray, luma
from ..data.matching import Match
from ..errors import refuse_full, said
from ..fuser import Fuser
from ..record import Record, text
from ..steps import step
from ..streaming import refuse_beyond
from ..types import RGB, Gray, Meta, Pair, Scaled
from .pipeline import Ended, Pace, Stages, flow
from .plan import Done, Reading, Writing, explanations, is_kept, of_pair, record_of, sheets, targets
from .temperatures import drawn, meta_of, refuse_without_degrees, write_sidecars

CUDA_BATCH = 8


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A pair that was read, and the files it is to become."""

    pair: Pair
    paths: Mapping[str, Path]
    made: Mapping[str, str]
    """What each file says of what made it."""
    notes: tuple[str, ...]
    told: tuple[str, ...] = ()
    """How it was aligned."""
    page: Path | None = None
    """The file that is to show both images and all results side by side."""

    @property
    def kind(self) -> tuple[object, ...]:
        """One size, the same methods to do, and both with or without a part that infrared did not see."""
        return (*self.pair.visible.shape, *self.paths, self.pair.valid is None)

    @property
    def pixels(self) -> int:
        """Height × width."""
        return self.pair.visible[0, 0].numel()


@dataclass(frozen=True, kw_only=True)
class Fused:
    """The pictures of a pair, and what will be said of it once they are written."""

    pictures: Mapping[str, RGB]
    sheets: Mapping[str, Pillow.Image]
    """Where each picture comes from, if that was asked for."""
    paths: Mapping[str, Path]
    made: Mapping[str, str]
    meta: Meta
    done: Done
    pair: Pair | None = None
    """Kept where its temperatures are drawn or written, and for a sheet."""
    page: Path | None = None


def pace_for(
    device: str = "cpu", *, workers: int | None = None, batch: int | None = None, together: bool = True
) -> Pace:
    """How a folder is fused on a device.

    Parameters
    ----------
    workers: threads that read, and threads that write; on the CPU also pairs fused at the same time. Default: as
        many as torch has threads.
    batch: pairs of one size that are fused as one. Default: 1 on the CPU, 8 elsewhere.
    together: whether pairs may be fused at the same time by several threads (on the CPU only). False for cores that
        have threads of their own or cannot be called twice at the same time.
    """
    cores, cpu = torch.get_num_threads(), device == "cpu"
    count = workers or cores
    return Pace(
        cores=cores,
        readers=count,
        fusers=min(count, cores) if cpu and together else 1,
        writers=count,
        batch=batch or (1 if cpu else CUDA_BATCH),
    )


def fuse_all(
    pairs: Sequence[Match],
    fusers: Mapping[str, Fuser],
    reading: Reading,
    writing: Writing,
    device: str = "cpu",
    *,
    pace: Pace | None = None,
) -> Generator[Done, None, None]:
    """Fuse all pairs, several at a time, yielding what became of each in their order. `pace`: `pace_for(device)`.

    Files appear whole or not at all, also when the iteration is ended early or by Ctrl-C. A full disk ends it with
    NoSpace.
    """
    records = {method: record_of(fuser, reading, writing) for method, fuser in fusers.items()}
    stages = Stages[Match, Loaded, Fused, Done](
        read=partial(_read, records=records, reading=reading, writing=writing),
        fuse=partial(_fuse, fusers=fusers, device=device, explain=writing.explain),
        write=partial(_write, writing=writing),
    )
    return flow(pairs, stages, pace or pace_for(device))


@torch.inference_mode()
def _read(
    match: Match, records: Mapping[str, Record], reading: Reading, writing: Writing
) -> Loaded | Ended[Done]:  # fmt: skip
    paths = targets(match, list(records), writing)
    try:
        todo = {m: path for m, path in paths.items() if not is_kept(path, match, records[m], writing)}
    except Exception as error:
        return Ended(Done(name=match.name, files=tuple(paths.values()), problem=said(error)))
    beside = sheets(match, writing)
    if beside and (todo or not all(map(io.is_complete, beside))):
        todo = paths  # a sheet shows them all
    if not todo:
        return Ended(Done(name=match.name, files=tuple(paths.values()), skipped=True))
    step("reading")
    with io.noting() as notes, accepting() as aligned:
        try:
            refuse_beyond(match.visible, match.infrared)
            pair = io.read_pair(
                match.visible,
                match.infrared,
                name=match.name,
                range=reading.range,
                color=reading.color,
                resize=reading.resize,
                sensing=reading.sensing,
                laying=reading.laying,
            )
            if pair.name in reading.watched:
                notes += _looks_shifted(pair)
            refuse_without_degrees(pair, writing.drawing, match.infrared)
        except Exception as error:  # whatever it is, the other pairs are still to be done
            files = tuple(todo.values())
            return Ended(Done(name=match.name, files=files, problem=said(error), notes=tuple(notes)))
    made = {m: text(of_pair(records[m], match)) for m in todo}
    told = tuple(one.told for one in aligned)
    page = beside[0] if beside else None
    return Loaded(pair=pair, paths=todo, made=made, notes=tuple(notes), told=told, page=page)


def _looks_shifted(pair: Pair) -> list[str]:
    """A warning where the pair does not fit, though it should."""
    shift = misalignment(luma(pair.visible), pair.infrared)
    if shift is None:
        return []
    return [f"infrared looks shifted: it should move by about ({shift[0]:+.0f}, {shift[1]:+.0f}) px: type --align"]


@torch.inference_mode()
def _fuse(batch: Sequence[Loaded], fusers: Mapping[str, Fuser], device: str, explain: bool) -> list[Fused]:
    """What one method of one pair fails at stops this pair only; its pictures before that are kept."""
    visible = torch.cat([loaded.pair.visible for loaded in batch]) if len(batch) > 1 else batch[0].pair.visible
    infrared = torch.cat([loaded.pair.infrared for loaded in batch]) if len(batch) > 1 else batch[0].pair.infrared
    made: list[dict[str, RGB]] = [{} for _ in batch]
    sheets: list[dict[str, Pillow.Image]] = [{} for _ in batch]
    problem = ""
    try:
        visible, infrared = visible.to(device), infrared.to(device)
        valid = [loaded.pair.valid for loaded in batch if loaded.pair.valid is not None]
        seen = torch.cat(valid).to(device) if valid else None
        for method in batch[0].paths:
            step(f"fusing: {method}")
            titles = [f"{loaded.pair.name}, {method}" for loaded in batch] if explain else []
            fused, pages = _pictures(fusers[method], visible, infrared, seen, titles)
            for number, picture in enumerate(fused.cpu().split(1)):
                made[number][method] = picture
            for number, page in enumerate(pages):
                sheets[number][method] = page
    except Exception as error:
        if len(batch) > 1:
            return [fused for loaded in batch for fused in _fuse([loaded], fusers, device, explain)]
        problem = said(error)
    return [
        Fused(
            pictures=pictures,
            sheets=pages,
            paths=loaded.paths,
            made=loaded.made,
            meta=loaded.pair.meta,
            done=_outcome(loaded, problem),
            pair=loaded.pair if loaded.pair.thermal is not None or loaded.page is not None else None,
            page=loaded.page,
        )
        for pictures, pages, loaded in zip(made, sheets, batch, strict=True)
    ]


def _pictures(
    fuser: Fuser, visible: RGB, infrared: Gray, valid: torch.Tensor | None, titles: Sequence[str]
) -> tuple[Scaled, list[Pillow.Image]]:
    """The fused batch, and for each title the sheet that explains its picture."""
    if not titles:
        return fuser(visible, infrared, valid), []
    from ..explanation import explained
    from ..explanation_sheet import LONGEST

    explanation = explained(fuser, visible, infrared, valid, longest=LONGEST)
    return explanation.fused, [explanation.picture(title, number) for number, title in enumerate(titles)]


def _outcome(loaded: Loaded, problem: str) -> Done:
    files = tuple(loaded.paths.values())
    return Done(name=loaded.pair.name, files=files, problem=problem, notes=loaded.notes, told=loaded.told)


@torch.inference_mode()
def _write(fused: Fused, writing: Writing) -> Done:
    step("writing")
    try:
        written = {method: _write_one(fused, method, picture, writing) for method, picture in fused.pictures.items()}
        if fused.page is not None and not fused.done.problem:
            assert fused.pair is not None
            sheet.save(sheet.compared(fused.pair, {method: one for method, (one, _) in written.items()}), fused.page)
    except Exception as error:
        refuse_full(error)
        return replace(fused.done, problem=said(error))
    told = [told for _, told in written.values()]
    files = (*fused.done.files, *([fused.page] if fused.page is not None else []))
    return replace(fused.done, files=files, told=(*fused.done.told, *told[0])) if told else fused.done


def _write_one(fused: Fused, method: str, picture: RGB, writing: Writing) -> tuple[Scaled, tuple[str, ...]]:
    """The files of one method: the picture as written, and the temperatures to tell."""
    path, pair, drawing = fused.paths[method], fused.pair, writing.drawing
    told: tuple[str, ...] = ()
    meta = fused.meta
    if pair is not None and drawing.any:
        if drawing.sidecar:
            write_sidecars(path, picture, pair)
        picture, told = drawn(picture, pair, drawing)
        meta = meta_of(pair, drawing)
    for beside in explanations(path, writing):
        sheet.save(fused.sheets[method], beside)
    return write(path, picture, replace(meta, made=fused.made[method]), writing), told


def write(path: Path, fused: RGB, meta: Meta, writing: Writing) -> Scaled:
    """Write a fused picture, and return it; one channel where gray was asked for or the visible file had one."""
    image = gray(fused) if writing.color == "gray" or meta.gray else fused
    io.write(path, image, meta, quality=writing.quality)
    return image
