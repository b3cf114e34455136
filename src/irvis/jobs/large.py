"""Pairs larger than the memory they may take: fused window by window from file to file, one after another."""

from collections.abc import Iterator, Mapping, Sequence

from .. import io, streaming
from ..data.matching import Match
from ..errors import IrvisError, refuse_full, said
from ..fuser import Fuser
from ..record import Record, text
from ..thermal import Drawing, Sensing
from .plan import Done, Reading, Writing, is_kept, of_pair, record_of, targets


def divided(
    pairs: Sequence[Match], fusers: Mapping[str, Fuser], memory: int, device: str
) -> tuple[list[Match], list[Match]]:
    """The pairs that fit into `memory` bytes, and those that are to be streamed."""
    large = [pair for pair in pairs if _exceeds(pair, fusers, memory, device)]
    return [pair for pair in pairs if pair not in large], large


def stream_all(
    pairs: Sequence[Match],
    fusers: Mapping[str, Fuser],
    reading: Reading,
    writing: Writing,
    *,
    memory: int,
    device: str = "cpu",
    show: streaming.Show | None = None,
) -> Iterator[Done]:
    """Stream pair after pair, yielding what became of each; `show` sees windows done and in all."""
    records = {method: _record(fuser, reading, writing, memory) for method, fuser in fusers.items()}
    for pair in pairs:
        paths = targets(pair, list(fusers), writing)
        todo, problem = paths, ""
        try:
            with io.noting() as notes:
                todo = {m: path for m, path in paths.items() if not is_kept(path, pair, records[m], writing)}
                _refuse(reading, writing)
                for method, path in todo.items():
                    streaming.fuse_files(
                        pair.visible, pair.infrared, path, fusers[method], memory=memory, range=reading.range,
                        infrared_color=reading.color, color=writing.color, device=device, show=show,
                        made=text(of_pair(records[method], pair)),
                    )  # fmt: skip
        except Exception as error:  # whatever it is, the other pairs are still to be done
            refuse_full(error)
            problem = said(error)
        files, told = tuple(paths.values()), tuple(dict.fromkeys(notes))
        yield Done(name=pair.name, files=files, skipped=not todo, problem=problem, notes=told)


def _record(fuser: Fuser, reading: Reading, writing: Writing, memory: int) -> Record:
    """The windows of a method that looks at everything follow from the memory, and its picture from the windows."""
    windows = {} if fuser.spec.reach is not None else {"memory": memory}
    return {**record_of(fuser, reading, writing), **windows}


def _exceeds(pair: Match, fusers: Mapping[str, Fuser], memory: int, device: str) -> bool:
    try:
        return any(
            streaming.exceeds(pair.visible, pair.infrared, fuser, memory=memory, device=device)
            for fuser in fusers.values()
        )
    except IrvisError:  # told when it is read
        return False


def _refuse(reading: Reading, writing: Writing) -> None:
    """What needs the whole picture at once."""
    if reading.resize or reading.laying or reading.sensing != Sensing() or writing.drawing != Drawing():
        raise IrvisError(
            "it is larger than --memory allows; pictures that large are only fused, with --infrared-range: "
            "raise --memory, or leave out --resize-infrared, --align, --rig and the thermal options"
        )
