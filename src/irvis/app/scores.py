"""The metrics of a result on the page: numbers of `metrics.measure`, and what each says in a sentence."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from .. import io
from ..metrics import METRICS, Metric, measure, sharing
from ..types import Pair
from .names import shown

AT_ONCE = 1_500_000
"""Pixels up to which metrics are computed without being asked for."""

MEANINGS = {
    "EN": "How many gray levels the picture makes use of.",
    "SD": "How strong its contrast is.",
    "AG": "How strong its edges and texture are.",
    "SF": "How quickly brightness changes from pixel to pixel.",
    "MI": "How much of both sources can be told from the fused picture.",
    "SCD": "Whether what is left without one source looks like the other.",
    "SSIM": "How alike the local structure is to that of both sources.",
    "MS_SSIM": "How well the strongest structure of the two is kept, at three scales.",
    "VIF": "How much an eye could see of both sources in it.",
    "Qabf": "How well strength and direction of the sources' edges are kept.",
    "Nabf": "How much edge it shows that no source has.",
    "Qw": "How alike it is to the livelier source, place by place.",
    "Q_CB": "How well contrasts that an eye sees are kept.",
    "CHROMA": "How far its colours are from those of the visible picture.",
}
"""Those that are shown, in plain words; what they are in detail is in `METRICS`."""

Scores = Mapping[str, float]


def judge(pair: Pair, fused: Mapping[str, Path]) -> dict[str, Scores]:
    """Method → metric → value, of pictures that have the size of the visible one."""
    judged: dict[str, Scores] = {}
    with sharing() as memory:
        for method, path in fused.items():
            image, _ = io.read_visible(path)
            if image.shape == pair.visible.shape and min(image.shape[-2:]) >= 8:
                values = measure(image, pair.visible, pair.infrared, metrics=list(MEANINGS))
                judged[method] = {name: float(value[0]) for name, value in values.items()}
            memory.forget(image)
    return judged


def table(judged: Mapping[str, Scores]) -> str:
    """As HTML; of several methods the best of each row stands out."""
    if not judged:
        return ""
    head = "".join(f"<th>{shown(method)}</th>" for method in judged)
    rows = "".join(_row(METRICS[name], [scores[name] for scores in judged.values()]) for name in MEANINGS)
    return (
        f'<table class="metrics"><thead><tr><th>Metric</th>{head}<th class=meaning>What it says</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _row(metric: Metric, values: list[float]) -> str:
    best = _best(metric, values)
    cells = "".join(f"<td{' class=best' if n == best else ''}>{_number(value)}</td>" for n, value in enumerate(values))
    source = shown(f"{metric.title}. {metric.paper}")
    return (
        f'<tr><th title="{source}">{shown(metric.name)} {_ARROWS[metric.better]}</th>{cells}'
        f"<td class=meaning>{shown(sentence(metric))}</td></tr>"
    )


_ARROWS = {"high": "↑", "low": "↓", "none": ""}


def sentence(metric: Metric) -> str:
    """What the metric says, from where to where it runs and in which unit."""
    low, high = (f"{bound:.4g}".replace("inf", "∞") for bound in metric.bounds)
    unit = "" if metric.unit == "1" else f" {metric.unit}"
    return f"{MEANINGS[metric.name]} {low} to {high}{unit}."


def _best(metric: Metric, values: Iterable[float]) -> int | None:
    known = [(value, n) for n, value in enumerate(values) if value == value]
    if len(known) < 2 or metric.better == "none":
        return None
    return (max if metric.better == "high" else min)(known)[1]


def _number(value: float) -> str:
    return "–" if value != value else f"{value:.3f}" if abs(value) < 100 else f"{value:.1f}"
