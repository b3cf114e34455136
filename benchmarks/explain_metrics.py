"""How metrics answer to spoiled pictures, and what different codes make of one and the same picture.

A synthetic street is fused; the result is spoiled in known ways and judged. The table has the values, the figure the
places: 1 is what the metric calls best. The second table gives one fused picture's values by each profile.
"""

import torch
from matplotlib import pyplot
from torch import Tensor

from common import arguments, write
from drawing import planes, plotted, shifted, stretched
from irvis import creation
from irvis.filters import gaussian
from irvis.metrics import METRICS, PROFILES, measure

SHOWN = ("EN", "SD", "SF", "AG", "MI", "VIF", "CC", "SCD", "PSNR", "SSIM", "Qabf", "Qw", "Qe", "Q_CB", "Q_CV", "Nabf")
COMPARED = (
    "EN",
    "SD",
    "SF",
    "AG",
    "MI",
    "CC",
    "SCD",
    "PSNR",
    "SSIM",
    "MS_SSIM",
    "VIF",
    "Qabf",
    "Nabf",
    "Q_CB",
    "Qw",
    "Qe",
)
NOISE, BLUR = 0.05, 1.5


@torch.inference_mode()
def main() -> None:
    arguments(__doc__ or "")
    visible, seen, warm = planes()
    fused = creation.fuser("encdec")(visible, warm)
    judged = {
        name: measure(picture, visible, warm, metrics=SHOWN) for name, picture in spoiled(fused, seen, warm).items()
    }
    rows = [
        {"picture": name, **{key: float(value) for key, value in values.items()}} for name, values in judged.items()
    ]
    note = (
        f"One synthetic street. Noise has a deviation of {NOISE:g} of the full range, the blur one of {BLUR:g} pixels; "
        "nothing else changes. Better is higher, except for Q_CV and Nabf. How to read this: "
        "[the metrics](../explain/metrics.md)."
    )
    write("metrics_spoiled", rows, "How metrics answer to spoiled pictures", note, script="explain_metrics")
    drawn(list(judged), {key: [float(values[key]) for values in judged.values()] for key in SHOWN})
    by_profile(fused, visible, warm)


def spoiled(fused: Tensor, seen: Tensor, warm: Tensor) -> dict[str, Tensor]:
    """The fused picture, the same spoiled, and pictures that are no fusion at all."""
    noise = torch.randn(fused.shape[0], 1, *fused.shape[2:], generator=torch.Generator().manual_seed(0))
    mean = (seen + warm) / 2
    return {
        "encdec": fused,
        "encdec, blurred": torch.cat([gaussian(plane, BLUR) for plane in fused.split(1, 1)], 1),
        "encdec with noise": (fused + NOISE * noise).clamp(0, 1),
        "encdec, one pixel off": shifted(fused, 1, 0),
        "mean of both": mean,
        "mean, contrast stretched": stretched(mean, *torch.quantile(mean, torch.tensor([0.01, 0.99])).tolist()),
        "visible alone": seen,
        "noise alone": (0.5 + 0.2 * noise).clamp(0, 1),
    }


def drawn(names: list[str], values: dict[str, list[float]]) -> None:
    """Places as a coloured table."""
    figure, axis = pyplot.subplots(figsize=(11, 4.2))
    places = torch.stack([placed(each, METRICS[key].better) for key, each in values.items()], 1)
    axis.imshow(places.numpy(), cmap="RdYlGn_r", vmin=0.4, vmax=len(names) + 0.6, aspect="auto", alpha=0.8)
    for row, column in torch.cartesian_prod(torch.arange(len(names)), torch.arange(len(values))).tolist():
        axis.text(
            column, row, f"{int(places[row, column])}", ha="center", va="center", color="#101216", fontweight="bold"
        )
    axis.set_xticks(range(len(values)), list(values), fontsize=9)
    axis.set_yticks(range(len(names)), names)
    axis.tick_params(length=0)
    axis.xaxis.tick_top()
    for side in axis.spines.values():
        side.set_visible(False)
    plotted("explain-metrics", figure)


def placed(values: list[float], better: str) -> Tensor:
    """1 for the best, 2 for the next …; what cannot be computed comes last."""
    worst = float("-inf")
    scores = torch.tensor([worst if value != value else value if better == "high" else -value for value in values])
    return scores.argsort(descending=True, stable=True).argsort() + 1


def by_profile(fused: Tensor, visible: Tensor, warm: Tensor) -> None:
    """One triple, every code."""
    rows = []
    values = {
        name: measure(fused, visible, warm, profile=name, metrics=[key for key in COMPARED if key in profile.metrics])
        for name, profile in PROFILES.items()
    }
    for key in COMPARED:
        rows.append(
            {"metric": key, **{name: float(found[key]) if key in found else "" for name, found in values.items()}}
        )
    note = (
        "One synthetic street fused by `encdec`, the same 8-bit pixels for all. The columns are the profiles: "
        "`irvis metrics` says whose code each one reproduces."
    )
    write("metrics_profiles", rows, "One picture, as different codes judge it", note, script="explain_metrics")


if __name__ == "__main__":
    main()
