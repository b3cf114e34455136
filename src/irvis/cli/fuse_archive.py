"""What `irvis fuse … --ray` does: an archive on a cluster, and what is said of it."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import IrvisError
from ..options import FuseOptions
from .common import console, errors
from .terms import tell_terms

if TYPE_CHECKING:
    from ..archive import Plan, Report


def fuse_archive(
    visible: str, infrared: str | None, patterns: tuple[str, str] | None, method: str, out: str, options: FuseOptions
) -> None:
    """Fuse an archive; `--ray` takes one address, or none."""
    from .. import archive

    draw, compute, address = options.draw, options.compute, options.compute.ray or []
    if draw.temperature_sidecar or draw.spot or draw.hottest or options.range_per == "sequence":
        raise IrvisError(
            "--ray goes without --temperature-sidecar, --spot, --hottest and --range-per sequence: "
            "fuse on this machine for these"
        )
    if len(address) > 1:
        raise IrvisError(f"--ray takes one address, not {' '.join(address)}")
    if "," in method:
        raise IrvisError(f"--ray takes one method at a time, not {method}")
    plan = archive.Plan(
        out=out, method=method, reading=options.reading(), writing=options.writing(Path(), False), tile=compute.tile,
        device=compute.device, runtime=compute.runtime, precision=compute.precision, error=compute.error,
        calibration=compute.calibration, batch=compute.batch, strict=compute.strict,
    )  # fmt: skip
    tell_terms([method])
    begun = time.perf_counter()
    source = archive.source(visible, infrared, patterns)
    with errors.status("looking for workers") as status:
        report = archive.fuse_archive(
            source, plan, address=address[0] if address else None, workers=compute.workers or 0,
            show=lambda so_far: status.update(_counts(so_far)),
        )  # fmt: skip
    _tell(report, plan, time.perf_counter() - begun)


def _counts(report: "Report") -> str:
    return f"{report.fused} fused, {report.skipped} were there already, {report.failed} failed"


def _tell(report: "Report", plan: "Plan", seconds: float) -> None:
    """What was done, and the first failures; a failure ends with an error."""
    for side, count in report.alone.items():
        _list(f"no partner for {count} {side}", report.lone_names[side], count)
    for name, note in report.notes:
        errors.print(f"warning: {name}: {note}")
    if report.lost:
        errors.print(f"{report.lost} workers died; others did their pairs")
    kept = f", {report.skipped} were there already" if report.skipped else ""
    console.print(f"fused {report.fused} of {report.pairs} pairs in {seconds:.2f} s{kept}")
    for name, problem in report.problems:
        errors.print(f"failed: {name}: {problem}")
    if report.failed:
        more = f", {len(report.problems)} of them named here" if report.failed > len(report.problems) else ""
        raise IrvisError(
            f"{report.failed} failed{more}; all are in {plan.out}/.irvis; --if-exists skip tries them again"
        )


def _list(what: str, names: Sequence[str], count: int) -> None:
    if count:
        errors.print(f"{what}: {', '.join(names[:10])}{' …' if count > 10 else ''}")
