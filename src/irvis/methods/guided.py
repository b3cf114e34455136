"""GFF: a base and a detail layer, each mixed with weights that a guided filter has fitted to the pictures.

Li, Kang & Hu, Image fusion with guided filtering, IEEE Trans. Image Processing 22(7), 2013.
"""

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from ..filters import box, double, gaussian, guided, single
from ..registry import Spec, register
from ..types import Gray

_BASE = 15
"""Radius of the mean that splits a picture into base and detail: 31×31 pixels."""
_SALIENCY = 5
"""Radius (11×11 pixels) and deviation of the Gaussian mean of the saliency."""
_NONE = 1e-12
"""A weight so small that it counts only where both pictures have none: there they share equally."""


def _spec(
    base_radius: int = 45, base_epsilon: float = 0.3, detail_radius: int = 7, detail_epsilon: float = 1e-6
) -> Spec:
    for name, radius in (("base_radius", base_radius), ("detail_radius", detail_radius)):
        if not 1 <= radius <= 500:
            raise ValueError(f"{name} must be 1 to 500 pixels, not {radius}")
    for name, epsilon in (("base_epsilon", base_epsilon), ("detail_epsilon", detail_epsilon)):
        if not 1e-9 <= epsilon <= 1e3:
            raise ValueError(f"{name} must be 1e-9 to 1000, not {epsilon}")
    return Spec(domain="luma", reach=max(1 + _SALIENCY + 2 * max(base_radius, detail_radius), _BASE))


@register("gff", spec=_spec, paper="https://doi.org/10.1109/TIP.2013.2244222")
def guided_fusion(
    luma: Gray,
    infrared: Gray,
    base_radius: int = 45,
    base_epsilon: float = 0.3,
    detail_radius: int = 7,
    detail_epsilon: float = 1e-6,
) -> Gray:
    """Guided filtering (GFF): base and detail of the two, weighed by which is sharper, along their edges.

    Which picture is more salient at a pixel gives a mask; a guided filter fits the mask to each picture's own edges,
    smoothly for the base layer (`base_radius` pixels, `base_epsilon` in squares of the value), closely for the detail.
    """
    pictures = torch.cat([single(luma), single(infrared)])
    base = box(pictures, _BASE, "replicate")
    masks = _masks(pictures)
    fused = _mixed(base, pictures, masks, base_radius, base_epsilon)
    fused = fused + _mixed(pictures - base, pictures, masks, detail_radius, detail_epsilon)
    return fused.to(luma.dtype)


def _masks(pictures: Tensor) -> Tensor:
    """1 where a picture of the stack (visible, infrared) is the more salient one, else 0; visible where they tie."""
    visible, infrared = gaussian(_roughness(pictures), _SALIENCY, _SALIENCY, "replicate").chunk(2)
    sharper = (visible >= infrared).to(pictures.dtype)
    return torch.cat([sharper, 1 - sharper])


def _roughness(image: Tensor) -> Tensor:
    """The magnitude of the Laplacian: four neighbours less four times the pixel."""
    kernel = image.new_tensor([[0, 1, 0], [1, -4, 1], [0, 1, 0]])
    return conv2d(pad(image, (1, 1, 1, 1), mode="replicate"), kernel[None, None]).abs()


def _mixed(layers: Tensor, guides: Tensor, masks: Tensor, radius: int, epsilon: float) -> Tensor:
    """The mean of both layers, weighed by the masks as each picture's guided filter fits them to it."""
    visible, infrared = guided(double(guides), double(masks), radius, epsilon).clamp(0, 1).chunk(2)
    share = ((visible + _NONE) / (visible + infrared + 2 * _NONE)).to(layers.dtype)
    first, second = layers.chunk(2)
    return share * first + (1 - share) * second
