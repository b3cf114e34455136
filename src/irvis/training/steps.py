"""Training steps: `(core, visible, infrared, stage) -> loss terms`. Images are in the core's domain, values in [0, 1].

A step that knows the inside of a method lives in that method's file.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import conv2d, interpolate, pad

from ..losses import LOSSES
from ..types import Gray, Picture
from .records import Stage
from .target import target as picture_of

HIDDEN = 0.75
"""Share of patches that `hide` keeps from the encoder."""


class Outcome(NamedTuple):
    """What a step gives: the weighted loss terms, and pictures (float32), one for every pair of the batch."""

    terms: dict[str, Tensor]
    picture: Picture
    fuses: bool = True
    """Whether the picture should show both sources."""


def fuse(core: Any, visible: Picture, infrared: Gray, stage: Stage) -> Outcome:
    """Unsupervised fusion: the losses compare the fused image with the sharp, clean sources.

    A core with `scale` 2 gets the sources at half size: it learns to bring the detail back.
    """
    seen, warm = (degraded(image, stage.blur, stage.noise) for image in (visible, infrared))
    scale = getattr(core, "scale", 1)
    if scale > 1:
        seen, warm = (interpolate(x, scale_factor=1 / scale, mode="area") for x in (seen, warm))
    fused = core(seen, warm).float()
    return Outcome(judged(fused, visible, infrared, stage.losses), fused)


def imitate(
    core: Any, visible: Picture, infrared: Gray, stage: Stage, target: Gray | None = None, fusion: str | None = None
) -> Outcome:
    """Supervised fusion: the loss `bands` compares with the target, all other losses with the clean sources.

    Half of the pairs get noise, of a deviation drawn up to `stage.noise` for each image. A target that is not given
    is made here. `fusion`: what a core of guided training decodes, see `compared` of MaeFuse.
    """
    target = picture_of(visible, infrared) if target is None else target
    seen, warm = (_noisy(image, stage.noise) for image in (visible, infrared))
    fused = (core(seen, warm) if fusion is None else core.compared(seen, warm, fusion)[2]).float()
    of_target = {name: options for name, options in stage.losses.items() if name == "bands"}
    of_sources = {name: options for name, options in stage.losses.items() if name != "bands"}
    terms = judged(fused, target, target, of_target) | judged(fused, visible, infrared, of_sources)
    return Outcome(terms, fused)


def _noisy(image: Picture, noise: float) -> Picture:
    if noise == 0:
        return image
    chance, size = torch.rand(2, len(image), 1, 1, 1, device=image.device)
    deviation = noise * size * (chance < 0.5)
    return (image + deviation * torch.randn_like(image)).clamp(0, 1)


def judged(
    fused: Picture, visible: Picture, infrared: Gray, losses: Mapping[str, Mapping[str, Any]]
) -> dict[str, Tensor]:
    """Each loss times its weight, the mean over the batch."""
    terms = {}
    for name, options in losses.items():
        rest = {key: option for key, option in options.items() if key != "weight"}
        terms[name] = options["weight"] * LOSSES[name](fused, visible, infrared, **rest).mean()
    return terms


def degraded(image: Picture, blur: float, noise: float) -> Picture:
    """The image blurred by a Gaussian (deviation in pixels) and with white Gaussian noise (deviation of 1) on it."""
    if blur > 0:
        reach = max(round(3 * blur), 1)
        x = torch.arange(-reach, reach + 1, device=image.device, dtype=image.dtype)
        row = torch.exp(-0.5 * (x / blur).square())
        kernel = (row[:, None] * row)[None, None] / row.sum().square()
        planes = pad(image.flatten(0, 1)[:, None], (reach,) * 4, mode="replicate")
        image = conv2d(planes, kernel)[:, 0].unflatten(0, image.shape[:2])
    if noise > 0:
        image = (image + noise * torch.randn_like(image)).clamp(0, 1)
    return image


def reconstruct(core: Any, visible: Picture, infrared: Gray, stage: Stage) -> Outcome:
    """Autoencoding: every image, on its own, is encoded and decoded again by `core.reconstruction`."""
    images = torch.cat([visible, infrared])
    drawn = core.reconstruction(images).float()
    return Outcome(judged(drawn, images, images, stage.losses), drawn[: len(visible)].detach(), fuses=False)


def mix(core: Any, visible: Picture, infrared: Gray, stage: Stage) -> Outcome:
    """Autoencoding between images: mixed features of both are decoded to the images mixed alike, by `core.mixture`.

    Shares are drawn for each pair. So the mean of features, which `align` aims at, is a picture.
    """
    share = torch.rand(len(visible), 1, 1, 1, device=visible.device)
    aim = share * visible + (1 - share) * infrared
    drawn = core.mixture(visible, infrared, share).float()
    return Outcome(judged(drawn, aim, aim, stage.losses), drawn.detach(), fuses=False)


def hide(core: Any, visible: Picture, infrared: Gray, stage: Stage) -> Outcome:
    """Masked autoencoding (He et al., arXiv:2111.06377): guess the patches that were hidden, by `core.guessed`."""
    images = torch.cat([visible, infrared])
    guess, truth = core.guessed(images, HIDDEN)
    return Outcome(judged(guess.float(), truth, truth, stage.losses), visible, fuses=False)


def align(
    core: Any, visible: Picture, infrared: Gray, stage: Stage, target: Gray | None = None, *, fusion: str
) -> Outcome:
    """Guided training's first half (MaeFuse, eq. 5): a module learns to give the mean of both images' features."""
    made, means, picture = core.compared(visible, infrared, fusion)
    scales = [[each.float().flatten(1, 2)[:, None] for each in pair] for pair in zip(made, means, strict=True)]
    found = [judged(ours, mean, mean, stage.losses) for ours, mean in scales]
    terms = {name: torch.stack([of[name] for of in found]).mean() for name in stage.losses}
    return Outcome(terms, picture.detach().float(), fuses=False)


def fuse_by(
    core: Any, visible: Picture, infrared: Gray, stage: Stage, target: Gray | None = None, *, fusion: str
) -> Outcome:
    """Guided training's second half: the fusion losses, through the decoder, of what a module makes."""
    picture = core.compared(visible, infrared, fusion)[2].float()
    return Outcome(judged(picture, visible, infrared, stage.losses), picture)


STEPS: dict[str, Callable[..., Outcome]] = {
    "fuse": fuse,
    "imitate": imitate,
    "imitate-mean": partial(imitate, fusion="mean"),
    "imitate-cfm": partial(imitate, fusion="cfm"),
    "reconstruct": reconstruct,
    "mix": mix,
    "hide": hide,
    "align-cfm": partial(align, fusion="cfm"),
    "align-mfm": partial(align, fusion="full"),
    "fuse-cfm": partial(fuse_by, fusion="cfm"),
}
"""What a recipe may name."""
