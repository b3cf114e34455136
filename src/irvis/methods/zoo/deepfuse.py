"""DeepFuse: features of both images, added; made for exposures, often compared with.

Prabhakar, Srikar & Babu, DeepFuse: a deep unsupervised approach for exposure fusion with extreme exposure image pairs,
ICCV 2017. The file is an unofficial PyTorch version, which normalises batches as the paper's network does not.
"""

from torch import nn

from ...registry import register
from ...spec import File, Published
from ...types import Gray, Image
from . import parts, scripts
from .parts import Named, convolution

PUBLISHED = Published(
    title="DeepFuse",
    year=2017,
    source="Google Drive, linked from github.com/SunnerLi/DeepFuse.pytorch",
    licence="none stated",
    files=(File(path=""),),
    marks={"": "layer6.main.1.running_mean"},
)


@register(
    "deepfuse",
    spec=parts.luma(reach=12),
    paper="https://arxiv.org/abs/1712.07384",
    published=PUBLISHED,
    small={"width": 4},
)
class DeepFuse(nn.Module):
    """DeepFuse: added features, made for exposures (Prabhakar et al. 2017; unofficial PyTorch version).

    Parameters
    ----------
    width: channels of the first layer (16 in the paper).
    as_published: give the script's picture, at the size of the images (an option of the script): colours of both images
        mixed in OpenCV's YCrCb, cut to 8 bits.
    """

    def __init__(self, width: int = 16, as_published: bool = False) -> None:
        super().__init__()
        self.as_published = as_published
        bent = nn.LeakyReLU
        self.layer1, self.layer2 = _layer(1, width, 5, bent()), _layer(width, 2 * width, 7, nn.ReLU())
        self.layer4, self.layer5 = _layer(2 * width, 2 * width, 7, bent()), _layer(2 * width, width, 5, bent())
        self.layer6 = _layer(width, 1, 5, nn.Tanh())

    def forward(self, visible: Image, infrared: Gray) -> Image:
        """Fuse luma and infrared in [0, 1]; with `as_published` RGB and infrared."""
        if not self.as_published:
            return (self.raw(2 * visible - 1, 2 * infrared - 1) + 1) / 2
        (y, *colours), (of_infrared, *others) = (
            scripts.opencv_ycrcb(x) for x in (visible, scripts.threefold(infrared))
        )
        fused = scripts.truncated((self.raw(2 * y - 1, 2 * of_infrared - 1) + 1) / 2)
        cr, cb = (scripts.truncated(_mixed(a, b)) for a, b in zip(colours, others, strict=True))
        return scripts.opencv_rgb(fused, cr, cb)

    def raw(self, visible: Gray, infrared: Gray) -> Gray:
        """The authors' network: -1 to 1 in and out."""
        x = self.layer2(self.layer1(visible)) + self.layer2(self.layer1(infrared))
        return self.layer6(self.layer5(self.layer4(x)))


def _mixed(a: Gray, b: Gray) -> Gray:
    """Colours, each image's weighted by how far it is from gray."""
    first, second = ((x - 0.5).abs().mean((2, 3), keepdim=True) for x in (a, b))
    return (a * first + b * second) / (first + second)


def _layer(into: int, out: int, size: int, after: nn.Module) -> nn.Module:
    return Named("main", nn.Sequential(convolution(into, out, size), nn.BatchNorm2d(out), after))
