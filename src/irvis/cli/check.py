"""The verb that looks before anything is fused: check."""

import json
from contextlib import closing
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from ..errors import IrvisError
from ..options import InfraredOptions
from .common import FUSE, Json, Patterns, app, console, progress


@app.command(group=FUSE, sort_key=4)
def check(
    visible: Annotated[
        str, Parameter(help="A folder of pairs or of radiometric files, a public data set, or the visible side.")
    ],
    infrared: Annotated[str | None, Parameter(help="The infrared folder, if VISIBLE does not hold both.")] = None,
    *,
    match: Patterns = None,
    reading: Annotated[InfraredOptions, Parameter(name="*")] = InfraredOptions(),  # noqa: B008
    strict: Annotated[bool, Parameter(negative="", help="Exit with status 1 on warnings too.")] = False,
    verbose: Annotated[bool, Parameter(name=["--verbose", "-v"], negative="", help="Print every pair.")] = False,
    workers: Annotated[int | None, Parameter(help="Threads. Default: one per core.")] = None,
    as_json: Json = False,
) -> None:
    """Look for what is wrong with pairs before they are fused.

    irvis check pairs/
    irvis check visible/ infrared/ --verbose
    irvis check pairs/ --match "{id}_W" "{id}_T" --infrared-range 1%,99% --json
    irvis check visible/ raw/ --infrared-raw 640x512 --infrared-range 7000,9000

    Takes the same options as irvis fuse. Exit status 1: at least one pair cannot be fused with these options.
    """
    from .. import check as checking
    from .. import io
    from ..check import tables
    from ..data import catalog, matching

    if workers is not None and workers < 1:
        raise IrvisError(f"--workers is 1 or more, not {workers}")
    asked = checking.Asked(**reading.reading())
    folder = infrared is None and match is None and Path(visible).expanduser().is_dir()
    if folder and (known := catalog.record_of(visible)) is not None:
        found = catalog.find(visible, known.name, thin=1)
    else:
        found = matching.match(visible, infrared, patterns=match, both=io.holds_record)
    with closing(checking.look_at(found.pairs, asked, workers)) as looks:
        report = checking.judge(found, progress(looks, len(found.pairs), "looking"), asked)
    if as_json:
        print(json.dumps(tables.record(report), indent=2))
    else:
        for line in tables.lines(report) if verbose else ():
            console.print(line)
        if report.findings:
            console.print(tables.table(report))
        console.print(tables.summary(report))
    if report.refused:
        raise IrvisError(f"{len(report.refused)} of {len(found.pairs)} pairs cannot be fused with these options")
    if strict and report.findings:
        raise IrvisError(f"{len(report.findings)} findings, and --strict allows none")
