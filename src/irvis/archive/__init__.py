"""Archives: pairs on any file system that fsspec knows, fused on the workers of a Ray cluster, resumable.

A pair's output appears whole under its one name, whoever writes it and however often it is tried, and the manifest
tells what is done: a worker or a whole run may die at any time and the next one does what is missing. The listing
streams, so that nothing grows with the number of pairs but what is on disk.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path
from typing import Any

from .. import __version__, creation, record
from ..errors import IrvisError
from ..jobs import ADVICE
from . import cluster, listing, manifest, storage
from .listing import Folder, Source, source
from .storage import Place
from .work import Chunk, Job, Plan, Tally

__all__ = ["SHOWN", "Plan", "Report", "Source", "fuse_archive", "source"]

SHOWN = 100
"""Failures, warnings and lone files that a report names; the manifest holds them all, the report their number."""


@dataclass
class Report:
    """What became of an archive so far. `skipped`: done by an earlier run, or there and whole."""

    pairs: int = 0
    fused: int = 0
    skipped: int = 0
    failed: int = 0
    lost: int = 0
    """Workers that died."""
    problems: list[tuple[str, str]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    alone: dict[str, int] = field(default_factory=lambda: {"visible": 0, "infrared": 0})
    lone_names: dict[str, list[str]] = field(default_factory=lambda: {"visible": [], "infrared": []})

    def add(self, tally: Tally) -> None:
        self.fused, self.skipped = self.fused + tally.fused, self.skipped + tally.kept
        self.failed += len(tally.problems)
        _keep_first(self.problems, tally.problems)
        _keep_first(self.notes, tally.notes)

    def listed(self, folder: Folder) -> None:
        """Count what is alone in a folder, and the folder that cannot be matched."""
        found = folder.matches
        self.pairs += len(found.pairs)
        for side, files in (("visible", found.only_visible), ("infrared", found.only_infrared)):
            self.alone[side] += len(files)
            _keep_first(self.lone_names[side], [path.name for path in files[:SHOWN]])
        if folder.problem:
            self.add(Tally(problems=((folder.name or "the folder itself", folder.problem),)))


def fuse_archive(
    of: Source,
    plan: Plan,
    *,
    address: str | None = None,
    workers: int = 0,
    show: Callable[[Report], None] | None = None,
) -> Report:
    """Fuse every pair of `of` on a Ray cluster.

    Parameters
    ----------
    address: of the cluster ("auto", "ray://head:10001"); None: RAY_ADDRESS, one that runs here, or a new one here.
    workers: how many, each with one model; 0: one per CPU of the cluster, or per GPU where the device is cuda.
    show: called after each chunk of pairs.

    Raises
    ------
    IrvisError: nothing to fuse, OUT is in use or cannot be written, no cluster, an unusable method. A pair that fails
        is no error: the report counts and names it.
    """
    plan = replace(plan, out=storage.place(plan.out).url)
    _refuse(of, plan)
    report, opening = Report(), opened(plan)
    with cluster.connected(address) as ray:
        crew, cpus = cluster.size(ray, plan, workers)
        chunks = chunked(missing(of, plan, report, opening), plan, crew, opening)
        for tally, report.lost in cluster.run(ray, plan, chunks, crew, cpus):
            report.add(tally)
            if show:
                show(report)
    if not report.pairs and not report.failed:
        raise IrvisError(f"No visible file below {of.visible.url} matches an infrared one below {of.infrared.url}.")
    return report


def _refuse(of: Source, plan: Plan) -> None:
    """Before anything is read: outputs can be written, and are not among the inputs."""
    if storage.protocol(plan.out) in storage.WEB:
        raise IrvisError(f"{plan.out}: nothing can be written to a web server; give a folder or an object store.")
    for side in (of.visible, of.infrared):
        if f"{plan.out}/".startswith(f"{side.url}/"):
            raise IrvisError(f"{plan.out} lies in {side.url}, which is read; choose another --out.")


def missing(of: Source, plan: Plan, report: Report, opening: "Opening") -> Iterator[Job]:
    """What is to be done, as the listing tells; in a resumed run without what is done and whole."""
    out, done = Place(plan.out), dict[str, int]()
    for folder in listing.folders(of):
        report.listed(folder)
        sizes: dict[str, int] = {}
        if opening.used:
            storage.clear_unfinished(out, folder.name)
        if opening.resumed:
            done.update(manifest.finished(out, folder.name))
            sizes = (storage.entries(out, folder.name) or storage.Entries({})).files
        for pair in folder.matches.pairs:
            size = sizes.get(f"{Path(pair.name).name}.{plan.writing.format}")
            known = done.pop(pair.name, None)
            if size is not None and size == known:
                report.skipped += 1
                continue
            if ".." in Path(pair.name).parts:
                report.add(Tally(problems=((pair.name, f"the pair would be written outside {plan.out}"),)))
                continue
            addresses = of.visible.of(pair.visible), of.infrared.of(pair.infrared)
            yield Job(pair.name, *addresses, there=opening.trusted and size is not None and known is None)


@dataclass(frozen=True)
class Opening:
    """What OUT holds as a run begins.

    resumed: there may be outputs; trusted: they may be kept though no manifest names them.
    new: with what the archive is made, where no manifest says so yet.
    used: an earlier run may have left unfinished files.
    """

    resumed: bool
    trusted: bool
    new: dict[str, Any] | None
    used: bool = True


def opened(plan: Plan) -> Opening:
    out, mode = Place(plan.out), plan.writing.if_exists
    how: dict[str, Any] = {
        "irvis": __version__, "method": plan.method, "weights": creation.weights_of(plan.method),
        "reading": record.plain(plan.reading), "format": plan.writing.format,
        "color": plan.writing.color, "quality": plan.writing.quality, "tile": plan.tile,
        "runtime": plan.runtime, "precision": plan.precision, "error": plan.error,
    }  # fmt: skip
    old, there = manifest.settings(out), storage.entries(out)
    if mode == "error" and (old is not None or (there and (there.files or there.folders))):
        raise IrvisError(f"{plan.out} is not empty; use --if-exists skip (to resume) or overwrite.")
    if mode != "skip" or old is None:
        new = how | {"overwritten": mode == "overwrite"}
        return Opening(mode == "skip", mode == "skip", new, used=mode != "error")
    begun = {key: value for key, value in old.items() if key != "overwritten"}
    if other := record.different(begun, how):
        raise IrvisError(f"{plan.out} {other}: {ADVICE}")
    return Opening(True, not old["overwritten"], None)


def chunked(jobs: Iterator[Job], plan: Plan, workers: int, opening: Opening) -> Iterator[Chunk]:
    """One pair for each worker, then two, then three … up to `plan.chunk`: few pairs are shared out evenly too."""
    run = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    for number in count():
        taken = tuple(islice(jobs, min(plan.chunk, 1 + number // workers)))
        if not taken:
            return
        if number == 0 and opening.new is not None:
            manifest.begin(Place(plan.out), opening.new)
        yield Chunk(f"{run}-{number:08d}", taken)


def _keep_first(kept: list[Any], new: Any) -> None:
    kept.extend(new[: max(SHOWN - len(kept), 0)])
