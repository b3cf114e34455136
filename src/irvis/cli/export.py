"""The verb that writes fusions for other programs: export."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter
from rich.table import Table

from ..errors import IrvisError
from .common import TRAIN, Json, app, busy, console

if TYPE_CHECKING:
    from ..runtime.parity import Report


@app.command(group=TRAIN, sort_key=3)
def export(
    method: Annotated[str, Parameter(help="NAME[:WEIGHTS][:option=value…].")],
    *,
    to: Annotated[Literal["onnx", "openvino"], Parameter(help="Runtime of the file.")],
    out: Annotated[Path, Parameter(name=["--out", "-o"], help="FILE.onnx; FILE.xml for OpenVINO (.bin beside it).")],
    precision: Annotated[
        Literal["fp32", "fp16"], Parameter(help="Precision of the weights in the file; fp16 is for OpenVINO.")
    ] = "fp32",
    as_trained: Annotated[
        bool, Parameter(negative="", help="Export the original layers, without the rewriting for inference.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write a fusion as one file for programs without Python: RGB and infrared in, RGB out.

    irvis export encdec --to onnx -o fusion.onnx
    irvis export encdec:tiny --to openvino -o fusion.xml --precision fp16
    irvis export laplacian:levels=5 --to onnx -o laplacian.onnx --json

    The file is compared with irvis at sizes and batches that it was not made with, and kept only if it gives the same.
    """
    from .. import creation
    from ..runtime import export as exporting

    with busy("exporting"):
        truth = creation.create(method)
        fuser = truth if as_trained else exporting.rewritten(truth)
        facts = exporting.provenance(truth.method, creation.parse(method)[1])
        report = exporting.export(fuser, out, to, precision=precision, facts=facts, truth=truth)
    if as_json:
        print(json.dumps({"file": str(out), "kept": report.within, **asdict(report)}, indent=2))
    else:
        console.print(_differences(report))
    if not report.within:
        raise IrvisError(f"the graph is off by more than {report.tolerance:g}; {out} was not written")
    if not as_json:
        console.print(f"wrote {out}; it takes pictures of {report.smallest}×{report.smallest} and more")
        if "licence" in facts:
            console.print(f"licence of the weights in it: {facts['licence']}")


def _differences(report: "Report") -> Table:
    """Every comparison."""
    table = Table("batch × height × width", "largest difference", "mean", box=None, header_style="")
    for row in report.rows:
        table.add_row(f"{row.batch} × {row.height} × {row.width}", f"{row.maximum:.1e}", f"{row.mean:.1e}")
    table.title, table.title_justify = f"{report.runtime} against irvis, images in [0, 1]", "left"
    return table
