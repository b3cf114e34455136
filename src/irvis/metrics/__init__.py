"""Fusion metrics: `measure(fused, visible, infrared)`, or the functions in `METRICS` one by one."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..errors import IrvisError
from ..pictures import picture
from .maps import Values, channels, sharing
from .profiles import PROFILES, Profile
from .record import METRICS, Metric

__all__ = ["METRICS", "PROFILES", "Metric", "Profile", "measure", "sharing"]


@torch.no_grad()
def measure(
    fused: Any,
    visible: Any,
    infrared: Any,
    *,
    metrics: Sequence[str] | None = None,
    profile: str = "default",
) -> dict[str, Values]:
    """Judge fused images against their sources: metric → one value per pair, float64.

    Parameters
    ----------
    fused, visible, infrared: what `irvis.fuse` takes and gives: paths, Pillow images, arrays (h, w) or (h, w,
        channels), tensors (b, 1 or 3, h, w); of one size, at least 8×8. They are rounded to 8 bits.
    metrics: names in the profile; all of it if None.
    profile: whose conventions, one of `PROFILES`: "default", "vifb", "tang", "cddfuse", "zoo", "pyfusionsr", "liu".

    Raises
    ------
    IrvisError: an unknown profile or metric, no picture, infrared counts of 16 bits.
    ValueError: sizes that differ or are too small.

    Inside `with sharing() as memory:` what the metrics need of the sources is computed once for several fused images of
    a pair (call `memory.forget(fused)` after each).
    """
    chosen = find(profile, metrics)
    fused, visible, infrared = picture(fused), picture(visible), picture(infrared, infrared=True)
    sizes = {tuple(image.shape[-2:]) for image in (fused, visible, infrared)}
    if len(sizes) > 1:
        raise ValueError(f"images must be of one size, not {sorted(sizes)}")
    with sharing():
        return {name: _value(PROFILES[profile], name, fused, visible, infrared) for name in chosen}


def find(profile: str, metrics: Sequence[str] | None = None) -> list[str]:
    """The metrics asked for, all there in the profile."""
    if profile not in PROFILES:
        raise IrvisError(f"there is no profile {profile!r}; there are {', '.join(PROFILES)}")
    known = PROFILES[profile].metrics
    unknown = [name for name in metrics or () if name not in known]
    if unknown:
        raise IrvisError(f"profile {profile} has no metric {', '.join(unknown)}; it has {', '.join(known)}")
    return list(metrics if metrics is not None else known)


def _value(profile: Profile, name: str, fused: Tensor, visible: Tensor, infrared: Tensor) -> Values:
    function = profile.metrics[name]
    if profile.colour == "gray" or name in profile.whole or fused.shape[1] == visible.shape[1] == 1:
        return function(fused, visible, infrared)
    planes = [channels(image) for image in (fused, visible, infrared)]
    return torch.stack([function(*three) for three in zip(*planes, strict=True)]).mean(0)
