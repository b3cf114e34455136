"""Verbs about irvis itself: methods, doctor."""

import json
from typing import Annotated

from cyclopts import Parameter
from rich.table import Table

from ..errors import IrvisError
from .common import ABOUT, Json, app, console


@app.command(group=ABOUT, sort_key=1)
def methods(
    name: Annotated[str | None, Parameter(help="Of one method, all facts.")] = None, /, *, as_json: Json = False
) -> None:
    """List the fusion methods, what each is best for, and their weights.

    irvis methods
    irvis methods encdec
    irvis methods --json
    """
    from .. import creation, listing

    if name is not None:
        method = creation.find(creation.parse(name)[0])
        if as_json:
            print(json.dumps(listing.facts(method), indent=2))
        else:
            console.print(listing.facts_table(method))
        return
    if as_json:
        print(json.dumps(listing.methods(), indent=2))
        return
    for table in listing.tables():
        console.print(table)


@app.command(group=ABOUT, sort_key=2)
def doctor(*, as_json: Json = False) -> None:
    """Print versions, devices, extras and weights, and run a small self-test.

    irvis doctor
    """
    from .. import listing

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
