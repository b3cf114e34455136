"""Verbs that make weights: train, convert."""

import os
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from ..errors import IrvisError
from ..options.compute import Device
from .common import TRAIN, app, console, counting, errors


@app.command(group=TRAIN, sort_key=1)
def train(
    recipe: Annotated[str, Parameter(help="A TOML file, or the name of a shipped recipe (encdec-tiny, …).")],
    *,
    out: Annotated[Path, Parameter(name=["--out", "-o"], help="Output folder for weights, log and checkpoints.")],
    data: Annotated[list[Path] | None, Parameter(help="A folder of pairs; can be repeated.", negative="")] = None,
    images: Annotated[
        list[Path] | None, Parameter(help="A folder of single images, for stages that pretrain.", negative="")
    ] = None,
    start: Annotated[
        Path | None,
        Parameter(help="Initial weights of the same network, such as tiny, or best.safetensors of another run."),
    ] = None,
    encoder: Annotated[
        Path | None, Parameter(help="A masked autoencoder's checkpoint for the encoder (maefuse).")
    ] = None,
    device: Device = "auto",
    devices: Annotated[int, Parameter(help="Processes (GPUs) on each node.")] = 1,
    nodes: Annotated[int, Parameter(help="Number of machines.")] = 1,
    precision: Annotated[
        Literal["fp32", "bf16", "fp16", "auto"], Parameter(help="auto: the fastest, by a short measurement.")
    ] = "fp32",
    workers: Annotated[int, Parameter(help="Processes that load the data.")] = 0,
    infrared_range: Annotated[str | None, Parameter(help='For 16-bit infrared: "7000,9000" or "1%,99%".')] = None,
    resume: Annotated[bool, Parameter(negative="", help="Continue from the last checkpoint in OUT.")] = False,
) -> None:
    """Train a network from a recipe.

    irvis train encdec-tiny --data my-pairs/ --out runs/tiny
    irvis train encdec-synthetic --out runs/synthetic        # needs no data
    irvis train mine.toml --data a/ --data b/ --out runs/mine --start tiny
    irvis train mine.toml --data a/ --data b/ --out runs/mine --resume

    A folder of pairs is anything that irvis fuse FOLDER would take. Use the weights with
    irvis fuse … -m encdec:runs/tiny/best.safetensors
    """
    from ..thermal import Range
    from ..training import loop, sources, starting
    from ..training import recipe as recipes
    from ..training.log import TrainingBar
    from ..training.validation import Validated

    plan = recipes.load(recipe)
    span = Range.parse(infrared_range) if infrared_range is not None else None
    if (out / loop.CHECKPOINT).exists() and not resume:
        raise IrvisError(f"{out} holds a training already; go on with --resume or choose another --out")
    lead = os.environ.get("LOCAL_RANK", "0") == "0"
    with counting("looking at the files", shown=lead) as show:
        gathered = sources.gather(plan.data, data or [], images=images or [], seed=plan.seed, range=span, show=show)
    left_out = [f"left out: {one.name}: {one.problem}" for one in gathered.lost]
    for line in (*gathered.names, *left_out) if lead else ():
        errors.print(line)
    epochs = list[Validated]()

    def tell(epoch: Validated) -> None:
        epochs.append(epoch)
        errors.print(epoch.line)

    with TrainingBar(errors) as bar:
        best = loop.train(
            plan, gathered, out, device=device, devices=devices, nodes=nodes, precision=precision,
            workers=workers, resume=resume, start=starting.filler(plan.method, start, encoder),
            facts=starting.terms(plan.method, start, encoder), show=bar, tell=tell,
        )  # fmt: skip
    if lead:
        console.print(f"best weights: {best}")
        if epochs and epochs[-1].verdict:
            console.print(epochs[-1].verdict)
        if left_out:
            errors.print(f"trained without {len(left_out)} that could not be read:")
        for line in left_out:
            errors.print(line)


@app.command(group=TRAIN, sort_key=2)
def convert(
    checkpoint: Annotated[Path, Parameter(help="The authors' file (.pth, .pt).")],
    *,
    out: Annotated[
        Path | None, Parameter(name=["--out", "-o"], help="Default: the same name with .safetensors.")
    ] = None,
    method: Annotated[
        str,
        Parameter(
            name=["--method", "-m"],
            help="METHOD:option=value… for options that the file does not contain, such as heads.",
        ),
    ] = "",
) -> None:
    """Turn a published checkpoint into weights that irvis uses.

    irvis convert model_best.pth -o encdec.safetensors
    irvis fuse visible.png infrared.png -o fused.png -m encdec:encdec.safetensors
    irvis convert maefuse.pth -m maefuse:heads=16:decoder_heads=16:fusion_heads=16
    """
    from .. import convert as converting

    out = out or checkpoint.with_suffix(".safetensors")
    if out.exists():
        raise IrvisError(f"{out} exists; choose another --out")
    name = converting.convert(checkpoint, out, method)
    console.print(f"{out}: weights of {name}. Use them with -m {name}:{out}")
