"""Verbs that judge: evaluate, metrics."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.table import Table

from ..errors import IrvisError
from ..options import InfraredOptions
from ..options.compute import Device
from ..options.tasks import TaskOptions
from .common import (
    JUDGE,
    Json,
    Patterns,
    app,
    console,
    errors,
    list_unmatched,
)


@app.command(group=JUDGE, sort_key=1)
def evaluate(
    dataset: Annotated[str, Parameter(help="A folder of pairs, a public data set, or the visible folder.")],
    infrared: Annotated[str | None, Parameter(help="The infrared folder, if DATASET is the visible one.")] = None,
    *,
    out: Annotated[Path, Parameter(name=["--out", "-o"], help="Folder for the results and the report.")],
    method: Annotated[
        str | None,
        Parameter(
            name=["--method", "-m"],
            help="NAME[:WEIGHTS][:option=value…] of irvis methods; by commas. Default: encdec, none with --fused.",
        ),
    ] = None,
    fused: Annotated[
        list[str] | None,
        Parameter(
            help="Folders of images fused by others, DIR or NAME=DIR, one or several.",
            negative="",
            consume_multiple=True,
        ),
    ] = None,
    metrics: Annotated[str, Parameter(help='Names by commas, "usual", or "all".')] = "usual",
    profile: Annotated[
        str, Parameter(help="Which published code to follow, with its quirks: see irvis metrics.")
    ] = "default",
    paq2piq: Annotated[Path | None, Parameter(help="File of the published PaQ-2-PiQ weights; adds its score.")] = None,
    layout: Annotated[str | None, Parameter(help="Name of the public data set, if its folders do not show it.")] = None,
    split: Annotated[str | None, Parameter(help="Its split, such as test.")] = None,
    scene: Annotated[
        str | None,
        Parameter(
            help="Regular expression for the part of a pair's name that identifies the scene. Default: its folder."
        ),
    ] = None,
    sequence: Annotated[
        bool, Parameter(negative="", help="The pairs are frames of one video (of one per scene): measure flicker.")
    ] = False,
    tasks: Annotated[TaskOptions, Parameter(name="*")] = TaskOptions(),  # noqa: B008
    latex: Annotated[bool, Parameter(negative="", help="Write OUT/table.tex as well, for a paper (booktabs).")] = False,
    match: Patterns = None,
    reading: Annotated[InfraredOptions, Parameter(name="*")] = InfraredOptions(),  # noqa: B008
    workers: Annotated[int, Parameter(help="Processes for the metrics; 0 is one per core, at most 8.")] = 0,
    device: Device = "cpu",
) -> None:
    """Fuse a data set with several methods, judge the results, and write a report.

    irvis evaluate pairs/ -m encdec,encdec:tiny,laplacian:levels=5 -o report
    irvis evaluate pairs/ -m encdec --metrics Qw,Qabf,VIF -o report
    irvis evaluate pairs/ --fused theirs/ --fused mine=fused/ -o report
    irvis evaluate pairs/ -m encdec --detect yolox.onnx --labels boxes/ -o report
    irvis evaluate datasets/MSRS --split test -m encdec -o report

    Control rows always stand in the table. A second run with the same OUT computes only what is new.
    """
    from .. import jobs
    from ..data import catalog, matching
    from ..evaluate import compute, entries, evaluation

    if (infrared is not None or match is not None) and (layout or split):
        raise IrvisError("--layout and --split are for one folder that holds a public data set")
    if workers < 0:
        raise IrvisError(f"--workers is 1 or more, or 0 for one per core, not {workers}")
    asked = tasks.asked()
    methods = method if method is not None else "" if fused else "encdec"
    if infrared is not None or match is not None:
        found, public = matching.match(dataset, infrared, patterns=match), None
    else:
        found = catalog.find(dataset, layout, split, thin=1 if sequence else None)
        public = catalog.record_of(dataset, layout)
    plan = compute.Plan(
        entries=entries.gather([text.strip() for text in methods.split(",") if text.strip()], fused or []),
        metrics=compute.choose(metrics, profile),
        profile=profile,
        out=out,
        reading=jobs.Reading(**reading.reading()),
        device=device,
        paq2piq=paq2piq,
        stems=entries.stems(found.pairs),
    )
    list_unmatched(found)
    done = evaluation.evaluate(
        found.pairs, plan, scene=scene if scene is not None else public.scene if public else catalog.FOLDER,
        told=scene is not None, sequence=sequence, tasks=asked, latex=latex, workers=workers,
        title=f"Evaluation on {Path(dataset).name}",
        data=f"{dataset} {infrared or ''} {split or ''}".strip(), say=errors.print,
        show=lambda total: steps(total, "judging"),
    )  # fmt: skip
    console.print(_ranking(done.table.entries, done.summary.mean_rank.tolist()))
    console.print(f"report  {done.page}")
    if done.problems:
        raise IrvisError(f"{len(done.problems)} results are missing; the lines above say which")


@app.command(group=JUDGE, sort_key=2)
def metrics(*, as_json: Json = False) -> None:
    """List the fusion metrics, and the profiles that give other codes' numbers.

    irvis metrics
    irvis metrics --json

    In Python: irvis.metrics.measure(fused, visible, infrared, profile="vifb")
    """
    from .. import listing

    if as_json:
        print(json.dumps(listing.metrics(), indent=2))
        return
    for table in listing.metric_tables():
        console.print(table)


@contextmanager
def steps(total: int, what: str) -> Iterator[Callable[[], object]]:
    """A bar on a terminal, and what moves it on by one, from any thread."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = SpinnerColumn(), TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)


def _ranking(names: Sequence[str], mean_rank: Sequence[float]) -> Table:
    """Entries by mean rank."""
    table = Table("mean rank", "", box=None, header_style="")
    for rank, name in sorted(zip(mean_rank, names, strict=True), key=lambda row: (row[0] != row[0], row)):
        table.add_row("–" if rank != rank else f"{rank:.2f}", name)
    return table
