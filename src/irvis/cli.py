"""The command line: one function per verb, each a thin caller. Nothing heavy is imported before a verb runs."""

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from cyclopts import App, Group, Parameter
from rich.console import Console
from rich.table import Table

from . import __version__
from .errors import IrvisError

if TYPE_CHECKING:
    from .data.matching import Matches
    from .jobs import Done

T = TypeVar("T")

USE, LEARN = Group("Use", sort_key=1), Group("Train and judge", sort_key=2)
ABOUT = Group("About", sort_key=3)

app = App(
    name="irvis",
    help="Fuse infrared and visible images into one picture that keeps what each camera saw.\n\n"
    "irvis demo                                          an embedded pair, fused\n"
    "irvis fuse visible.jpg infrared.png -o fused.png    your own pair\n"
    "irvis fuse visible/ infrared/ -o fused/             two folders",
    version=__version__,
    help_format="plaintext",
    help_on_error=False,
    suppress_keyboard_interrupt=False,
)
console = Console(markup=False, highlight=False, soft_wrap=True)
errors = Console(markup=False, highlight=False, soft_wrap=True, stderr=True)

Device = Annotated[str, Parameter(help="cpu, cuda, cuda:1, mps.")]
Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON instead of a table.")]


@app.command(group=USE)
def demo(
    *,
    out: Annotated[Path, Parameter(name=["--out", "-o"], help="Folder for the pictures.")] = Path("irvis-demo"),
    method: Annotated[
        str | None,
        Parameter(
            name=["--method", "-m"],
            help="What is shown, by commas; the first is written. Default: encdec, simple ones beside.",
        ),
    ] = None,
    device: Device = "cpu",
) -> None:
    """Fuse an embedded pair, a synthetic night street, and draw a sheet of it.

    irvis demo
    irvis demo -m encdec:tiny,average -o pictures
    """
    from . import demo as show

    begun = time.perf_counter()
    methods = tuple(method.split(",")) if method is not None else show.BESIDE
    done = show.run(out, methods, device)
    height, width = show.SIZE
    console.print(f"fused   {done.fused}\nsheet   {done.sheet}")
    console.print(
        f"{methods[0]} took {done.seconds:.3f} s for {width}×{height} on {device}; "
        f"everything took {time.perf_counter() - begun:.1f} s"
    )


@app.command(group=USE)
def fuse(
    visible: Annotated[str, Parameter(help='A file, a folder, or a quoted glob ("night/*_vis.png").')],
    infrared: Annotated[
        str | None, Parameter(help="The same for infrared. Left out: VISIBLE is a folder that holds both.")
    ] = None,
    *,
    out: Annotated[Path, Parameter(name=["--out", "-o"], help="The fused file, or a folder.")],
    method: Annotated[
        str, Parameter(name=["--method", "-m"], help="NAME[:WEIGHTS][:option=value…]; several by commas.")
    ] = "encdec",
    match: Annotated[tuple[str, str] | None, Parameter(help='How stems differ: --match "{id}_W" "{id}_T".')] = None,
    if_exists: Annotated[
        Literal["error", "skip", "overwrite"], Parameter(help="skip resumes: files that are whole are kept.")
    ] = "error",
    format: Annotated[
        Literal["png", "jpg", "tiff", "webp"] | None,
        Parameter(help="Of the files in a folder (png if not given). One file goes by OUT's suffix."),
    ] = None,
    quality: Annotated[int, Parameter(help="Of jpg and webp, 1 to 100.")] = 95,
    color: Annotated[Literal["keep", "gray"], Parameter(help="Keep the visible image's colours, or none.")] = "keep",
    infrared_range: Annotated[
        str | None,
        Parameter(help='Black and white of 16-bit infrared: counts "7000,9000" or percentiles "1%,99%".'),
    ] = None,
    infrared_color: Annotated[
        Literal["refuse", "gray"], Parameter(help="What to do with pseudo-coloured infrared.")
    ] = "refuse",
    resize_infrared: Annotated[
        bool,
        Parameter(negative="", help="Scale infrared to the visible size (only for the same field of view)."),
    ] = False,
    tile: Annotated[int | None, Parameter(help="Side of tiles in pixels: bounds the memory for big images.")] = None,
    device: Device = "cpu",
) -> None:
    """Fuse a pair, two folders, or one folder that holds both.

    irvis fuse visible.jpg infrared.png -o fused.png
    irvis fuse visible/ infrared/ -o fused/ -m encdec:tiny
    irvis fuse pairs/ -o fused/ --match "{id}_W" "{id}_T" --if-exists skip

    The result has the size of the visible image and keeps its EXIF, GPS position and colour profile.
    """
    from . import api, jobs
    from .data import matching
    from .thermal import Range

    if not 1 <= quality <= 100:
        raise IrvisError(f"--quality is 1 to 100, not {quality}")
    if tile is not None and tile < 1:
        raise IrvisError(f"--tile is the side of a tile in pixels, 1 or more, not {tile}")
    found, methods = matching.match(visible, infrared, patterns=match), method.split(",")
    span = Range.parse(infrared_range) if infrared_range is not None else None
    reading = jobs.Reading(range=span, color=infrared_color, resize=resize_infrared)
    one_file = Path(visible).is_file() and bool(out.suffix) and not out.is_dir()
    if one_file and format is not None:
        raise IrvisError(f"--format is for folders; {out} says by its suffix what it is")
    writing = jobs.Writing(
        out=out, one_file=one_file, format=format or "png", color=color, if_exists=if_exists, quality=quality
    )
    jobs.refuse(found.pairs, methods, writing)
    fusers = {name: api.fuser(name, device) for name in methods}
    for fuser in fusers.values():
        fuser.tile = tile
    _list_unmatched(found)
    begun = time.perf_counter()
    done = _progress(jobs.fuse_all(found.pairs, fusers, reading, writing, device), len(found.pairs), "fusing")
    _report(done, time.perf_counter() - begun)


@app.command(group=LEARN)
def train(
    recipe: Annotated[str, Parameter(help="A TOML file, or the name of a shipped recipe (encdec-tiny, …).")],
    *,
    out: Annotated[Path, Parameter(name=["--out", "-o"], help="Folder of the run: weights, log, checkpoints.")],
    data: Annotated[
        list[Path] | None, Parameter(help="A folder of pairs; may be given several times.", negative="")
    ] = None,
    images: Annotated[
        list[Path] | None, Parameter(help="A folder of single images, for stages that pretrain.", negative="")
    ] = None,
    start: Annotated[
        Path | None,
        Parameter(help="Weights of the same network to start from, such as another run's stage2.safetensors."),
    ] = None,
    encoder: Annotated[
        Path | None, Parameter(help="A masked autoencoder's checkpoint for the encoder (maefuse).")
    ] = None,
    device: Device = "auto",
    devices: Annotated[int, Parameter(help="Processes (GPUs) on each node.")] = 1,
    nodes: Annotated[int, Parameter(help="Machines.")] = 1,
    precision: Annotated[
        Literal["fp32", "bf16", "fp16"], Parameter(help="bf16 is fastest where it is native.")
    ] = "fp32",
    workers: Annotated[int, Parameter(help="Processes that prepare batches.")] = 0,
    infrared_range: Annotated[str | None, Parameter(help='For 16-bit infrared: "7000,9000" or "1%,99%".')] = None,
    resume: Annotated[bool, Parameter(negative="", help="Go on from the last checkpoint in OUT.")] = False,
) -> None:
    """Train a network from a recipe.

    irvis train encdec-tiny --data my-pairs/ --out runs/tiny
    irvis train encdec-synthetic --out runs/synthetic        # needs no data
    irvis train my-recipe.toml --data a/ --data b/ --out runs/mine --precision bf16 --resume

    A folder of pairs is anything that irvis fuse FOLDER would take. Use the weights with
    irvis fuse … -m encdec:runs/tiny/best.safetensors
    """
    from .thermal import Range
    from .training import loop, sources, starting
    from .training import recipe as recipes
    from .training.log import TrainingBar

    plan = recipes.load(recipe)
    span = Range.parse(infrared_range) if infrared_range is not None else None
    gathered = sources.gather(plan.data, data or [], images=images or [], seed=plan.seed, range=span)
    if (out / loop.CHECKPOINT).exists() and not resume:
        raise IrvisError(f"{out} holds a training already; go on with --resume or choose another --out")
    lead = os.environ.get("LOCAL_RANK", "0") == "0"
    for line in gathered.names if lead else ():
        errors.print(line)
    with TrainingBar(errors) as bar:
        best = loop.train(
            plan, gathered, out, device=device, devices=devices, nodes=nodes, precision=precision,
            workers=workers, resume=resume, start=starting.filler(plan.method, start, encoder), show=bar,
        )  # fmt: skip
    if lead:
        console.print(f"best weights: {best}")


@app.command(group=LEARN)
def convert(
    checkpoint: Annotated[Path, Parameter(help="The authors' file (.pth, .pt).")],
    *,
    out: Annotated[Path | None, Parameter(name=["--out", "-o"], help="Default: beside it, .safetensors.")] = None,
    method: Annotated[
        str, Parameter(name=["--method", "-m"], help="METHOD:option=value…: what the file cannot tell, such as heads.")
    ] = "",
) -> None:
    """Turn a published checkpoint into weights that irvis uses.

    irvis convert model_best.pth -o encdec.safetensors
    irvis fuse visible.png infrared.png -o fused.png -m encdec:encdec.safetensors
    irvis convert maefuse.pth -m maefuse:heads=16:decoder_heads=16:fusion_heads=16
    """
    from . import convert as converting

    out = out or checkpoint.with_suffix(".safetensors")
    if out.exists():
        raise IrvisError(f"{out} exists; choose another --out")
    name = converting.convert(checkpoint, out, method)
    console.print(f"{out}: weights of {name}. Use them with -m {name}:{out}")


@app.command(group=LEARN)
def evaluate(
    dataset: Annotated[str, Parameter(help="A folder of pairs, a public data set, or the visible folder.")],
    infrared: Annotated[str | None, Parameter(help="The infrared folder, where DATASET is the visible one.")] = None,
    *,
    out: Annotated[Path, Parameter(name=["--out", "-o"], help="Folder for the numbers and the report.")],
    method: Annotated[
        str | None, Parameter(name=["--method", "-m"], help="NAME[:WEIGHTS][:option=value…]; several by commas.")
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
    profile: Annotated[str, Parameter(help="Whose conventions: see irvis metrics.")] = "default",
    paq2piq: Annotated[Path | None, Parameter(help="Published weights of PaQ-2-PiQ; adds its score.")] = None,
    layout: Annotated[str | None, Parameter(help="The public data set, where its folders do not say.")] = None,
    split: Annotated[str | None, Parameter(help="Its split, such as test.")] = None,
    scene: Annotated[
        str | None,
        Parameter(help="Regular expression: the part of a pair's name that says its scene. Default: its folder."),
    ] = None,
    sequence: Annotated[
        bool, Parameter(negative="", help="The pairs are frames of one video (of one per scene): measure flicker.")
    ] = False,
    match: Annotated[tuple[str, str] | None, Parameter(help='How stems differ: --match "{id}_W" "{id}_T".')] = None,
    infrared_range: Annotated[str | None, Parameter(help='For 16-bit infrared: "7000,9000" or "1%,99%".')] = None,
    infrared_color: Annotated[
        Literal["refuse", "gray"], Parameter(help="What to do with pseudo-coloured infrared.")
    ] = "refuse",
    resize_infrared: Annotated[bool, Parameter(negative="", help="Scale infrared to the visible size.")] = False,
    workers: Annotated[int, Parameter(help="Processes; 0 is one per core, at most 8.")] = 0,
    device: Device = "cpu",
) -> None:
    """Fuse a data set with several methods, judge the results, and write a report.

    irvis evaluate pairs/ -m encdec,encdec:tiny,laplacian:levels=5 -o report
    irvis evaluate datasets/MSRS --split test --fused theirs/ --fused mine=runs/fused -o report
    irvis evaluate pairs/ -m encdec --metrics Qw,Qabf,VIF --profile default -o report

    Control rows always stand in the table. A second run with the same OUT computes only what is new.
    """
    from . import jobs
    from .data import catalog, matching
    from .evaluate import entries, evaluation, judging
    from .thermal import Range

    if (infrared is not None or match is not None) and (layout or split):
        raise IrvisError("--layout and --split are for one folder that holds a public data set")
    if workers < 0:
        raise IrvisError(f"--workers is 1 or more, or 0 for one per core, not {workers}")
    methods = method if method is not None else "" if fused else "encdec"
    span = Range.parse(infrared_range) if infrared_range is not None else None
    if infrared is not None or match is not None:
        found, public = matching.match(dataset, infrared, patterns=match), None
    else:
        found = catalog.find(dataset, layout, split, thin=1 if sequence else None)
        public = catalog.record_of(dataset, layout)
    plan = judging.Plan(
        entries=entries.gather([text.strip() for text in methods.split(",") if text.strip()], fused or []),
        metrics=judging.choose(metrics, profile),
        profile=profile,
        out=out,
        reading=jobs.Reading(range=span, color=infrared_color, resize=resize_infrared),
        device=device,
        paq2piq=paq2piq,
        stems=entries.stems(found.pairs),
    )
    _list_unmatched(found)
    done = evaluation.evaluate(
        found.pairs, plan, scene=scene if scene is not None else public.scene if public else catalog.FOLDER,
        told=scene is not None, sequence=sequence, workers=workers, title=f"Evaluation on {Path(dataset).name}",
        data=f"{dataset} {infrared or ''} {split or ''}".strip(), say=errors.print,
        show=lambda judged: _progress(judged, len(found.pairs), "judging"),
    )  # fmt: skip
    console.print(_ranking(done.table.entries, done.summary.mean_rank.tolist()))
    console.print(f"report  {done.page}")
    if done.problems:
        raise IrvisError(f"{len(done.problems)} results are missing; the lines above say which")


@app.command(group=LEARN)
def metrics(*, as_json: Json = False) -> None:
    """List the fusion metrics, and the profiles that give other codes' numbers.

    irvis metrics
    irvis metrics --json

    In Python: irvis.metrics.measure(fused, visible, infrared, profile="vifb")
    """
    from . import listing

    if as_json:
        print(json.dumps(listing.metrics(), indent=2))
        return
    for table in listing.metric_tables():
        console.print(table)


@app.command(group=ABOUT)
def methods(*, as_json: Json = False) -> None:
    """List the fusion methods and their weights.

    irvis methods
    irvis methods --json
    """
    from . import listing

    if as_json:
        print(json.dumps(listing.methods(), indent=2))
        return
    for table in listing.tables():
        console.print(table)


@app.command(group=ABOUT)
def doctor(*, as_json: Json = False) -> None:
    """Print versions, devices, extras and weights, and run a small self-test.

    irvis doctor
    """
    from . import listing

    findings = listing.findings()
    if as_json:
        print(json.dumps(findings, indent=2))
    else:
        table = Table(show_header=False, box=None)
        for name, text in findings.items():
            table.add_row(name, text)
        console.print(table)
    if any(text.startswith("FAILED") for text in findings.values()):
        raise IrvisError("the self-test failed; see the lines above")


def _progress(done: Iterator[T], total: int, what: str) -> list[T]:
    """Run a batch with a progress bar on a terminal, quietly elsewhere."""
    from rich.progress import track

    shown = total > 1 and errors.is_terminal
    return list(track(done, total=total, description=what, console=errors, disable=not shown, transient=True))


def _ranking(names: Sequence[str], mean_rank: Sequence[float]) -> Table:
    """Entries by mean rank."""
    table = Table("mean rank", "", box=None, header_style="")
    for rank, name in sorted(zip(mean_rank, names, strict=True), key=lambda row: (row[0] != row[0], row)):
        table.add_row("–" if rank != rank else f"{rank:.2f}", name)
    return table


def _list_unmatched(found: "Matches") -> None:
    """Files that stay alone."""
    for side, alone in (("visible", found.only_visible), ("infrared", found.only_infrared)):
        if alone:
            names = ", ".join(path.name for path in alone[:10]) + (" …" if len(alone) > 10 else "")
            errors.print(f"no partner for {len(alone)} {side}: {names}")


def _report(done: Sequence["Done"], seconds: float) -> None:
    """What was done, and every failure; a failure ends with an error."""
    for one in done:
        for note in one.notes:
            errors.print(f"warning: {one.name}: {note}")
    failed = [one for one in done if one.problem]
    skipped = sum(one.skipped for one in done)
    fused = len(done) - len(failed) - skipped
    where = str(done[0].files[0]) if len(done) == 1 and fused else f"{fused} of {len(done)} pairs"
    kept = f", {skipped} were there already" if skipped else ""
    console.print(f"fused {where} in {seconds:.2f} s{kept}")
    if failed:
        for one in failed:
            errors.print(f"failed: {one.name}: {one.problem}")
        raise IrvisError(f"{len(failed)} of {len(done)} pairs failed")


def main(words: Sequence[str] | None = None) -> None:
    """Run the command line; an error is one line on stderr and exit status 1."""
    try:
        app(sys.argv[1:] if words is None else words)
    except IrvisError as problem:
        errors.print(f"error: {problem}")
        sys.exit(1)
    except OSError as problem:
        errors.print(f"error: {problem.filename or ''}: {problem.strerror or problem}")
        sys.exit(1)
    except KeyboardInterrupt:
        errors.print("stopped; go on with --if-exists skip (fuse), --resume (train), the same command (evaluate)")
        sys.exit(130)


if __name__ == "__main__":
    main()
