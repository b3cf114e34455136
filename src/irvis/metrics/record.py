"""What a metric is, and the table of all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

METRICS: dict[str, "Metric"] = {}


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A number that judges a fused image: how it is computed and how it is read."""

    name: str
    function: Callable[..., Tensor]
    """(fused, visible, infrared, **options) -> (b,), float64; images in [0, 1]."""
    better: Literal["high", "low", "none"]
    """"none": neither large nor small is good in itself."""
    bounds: tuple[float, float]
    """Least and largest value, infinite where there is none."""
    unit: str
    paper: str
    title: str
    """Its full name."""
    symmetric: bool = True
    """Whether swapping the sources changes nothing."""


def metric(
    name: str,
    *,
    better: Literal["high", "low", "none"],
    bounds: tuple[float, float],
    paper: str,
    unit: str = "1",
    symmetric: bool = True,
) -> Callable[[Callable[..., Tensor]], Callable[..., Tensor]]:
    """Enter the decorated function into `METRICS`; the first line of its docstring is its full name."""

    def enter(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
        if name in METRICS:
            raise ValueError(f"metric {name!r} is registered twice")
        title = (function.__doc__ or "").strip().split("\n")[0].rstrip(".")
        METRICS[name] = Metric(
            name=name, function=function, better=better, bounds=bounds, unit=unit, paper=paper, title=title,
            symmetric=symmetric,
        )  # fmt: skip
        return function

    return enter
