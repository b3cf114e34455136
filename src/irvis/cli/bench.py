"""The verb that measures speed: bench."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from ..errors import IrvisError
from ..options.compute import Device
from .common import JUDGE, Json, app, console, progress


@app.command(group=JUDGE, sort_key=4)
def bench(
    *,
    method: Annotated[
        str, Parameter(name=["--method", "-m"], help="NAME[:WEIGHTS][:option=value…]; several by commas.")
    ] = "encdec,encdec:tiny,laplacian",
    size: Annotated[str, Parameter(help="WIDTHxHEIGHT; several by commas.")] = "640x480",
    batch: Annotated[str, Parameter(help="Batch size; several by commas.")] = "1",
    runtime: Annotated[
        str, Parameter(help="torch, collapsed, compiled, onnxruntime, openvino, auto; several by commas.")
    ] = "torch",
    precision: Annotated[str, Parameter(help="fp32, bf16, fp16, int8; several by commas.")] = "fp32",
    error: Annotated[
        str, Parameter(help="Largest error allowed for rewritten networks, in [0, 1]; several by commas.")
    ] = "0",
    against: Annotated[
        list[Path] | None,
        Parameter(
            help="Python files that define fuse(visible, infrared), timed in the same run.",
            negative="",
            consume_multiple=True,
        ),
    ] = None,
    runs: Annotated[int, Parameter(help="Timed calls per row.")] = 20,
    rounds: Annotated[int, Parameter(help="Rounds over which the calls are spread, each in a new process.")] = 4,
    threads: Annotated[int | None, Parameter(help="CPU threads.")] = None,
    tile: Annotated[int | None, Parameter(help="Side of tiles in pixels.")] = None,
    device: Device = "cpu",
    plot: Annotated[Path | None, Parameter(help="Write a plot of quality against speed.")] = None,
    folder: Annotated[Path | None, Parameter(help="Time `irvis fuse` on this folder of pairs instead.")] = None,
    startup: Annotated[bool, Parameter(negative="", help="Time the start of the command line instead.")] = False,
    as_json: Json = False,
) -> None:
    """Measure the speed of methods on this machine.

    irvis bench -m encdec,laplacian --size 640x480,1280x1024
    irvis bench -m encdec --batch 1,8 --against theirs.py --plot speed.png
    irvis bench --folder pairs/ -m encdec,laplacian
    irvis bench --startup

    A row that cannot run says why, and the rest goes on.
    """
    from ..bench import machine, rows, tables
    from ..bench import rounds as taking

    for name, number in (("runs", runs), ("rounds", rounds), ("threads", threads), ("tile", tile)):
        if number is not None and number < 1:
            raise IrvisError(f"--{name} is 1 or more, not {number}")
    if folder is not None and not folder.is_dir():
        raise IrvisError(f"{folder}: no such folder")
    if startup or folder is not None:
        _commands(method, folder, device, as_json)
        return
    if plot is not None:
        tables.require_matplotlib()
    planned = rows.grid(
        method, size, batch, runtime, precision, against=[str(file.resolve()) for file in against or []],
        error=error, device=device, threads=threads, tile=tile,
    )  # fmt: skip
    facts, rounds = machine.facts(device), min(rounds, runs)
    done = progress(taking.turns(planned, runs, rounds), rounds * len(planned), "measuring")
    results = taking.gather(planned, done)
    nothing = all(result.problem for result in results)
    if plot is not None and not nothing:
        tables.plot(results, plot)
    if as_json:
        records = [tables.record(result, results) for result in results]
        print(json.dumps({"machine": facts, "rows": records, "notes": tables.notes(results)}, indent=2))
    else:
        _print_wide(tables.table(results))
        for line in [*tables.notes(results), _told(facts)]:
            console.print(line)
    if nothing:
        raise IrvisError("nothing could be measured; each row says why")


def _commands(methods: str, folder: Path | None, device: str, as_json: bool) -> None:
    """Seconds of whole commands, as a table or JSON."""
    from ..bench import commands, machine

    names = [name.strip() for name in methods.split(",")]
    rows = commands.startup() if folder is None else commands.folder(names, folder, device)
    facts = machine.facts(device)
    if as_json:
        print(json.dumps({"machine": facts, "rows": rows}, indent=2))
        return
    _print_wide(_timed(rows))
    console.print("medians; a new process each time, its start included, files already in the system's memory")
    console.print(_told(facts))


def _timed(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = Table("command")
    for name in ("seconds", "on the processor", *(["pairs", "pairs/s"] if "pairs" in rows[0] else [])):
        table.add_column(name, justify="right")
    for row in rows:
        both = [str(row["pairs"]), f"{row['pairs_per_second']:.2f}"] if "pairs" in row else []
        table.add_row(row["command"], f"{row['seconds']:.2f}", f"{row['processor_seconds']:.2f}", *both)
    return table


def _print_wide(table: Table) -> None:
    """A table as wide as it is, also where the output is a file."""
    wanted = Measurement.get(console, console.options.update(max_width=10_000), table).maximum
    Console(width=max(wanted, console.width), highlight=False, soft_wrap=True).print(table)


def _told(facts: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {text}" for name, text in facts.items())
