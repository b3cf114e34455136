"""MaeFuse on a hierarchical encoder: CFM and MFM at three scales, and a decoder that ends in gains (see `gains.py`).

The encoder is TinyViT with the weights of MobileSAM, distilled from a masked autoencoder that had learned to segment.
The fused image is made of both images' own detail, by weights that the fused features say.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, layer_norm, pad, relu

from ..nn.scales import Comparing, Merging, Sees
from ..nn.tiny_vit import Shape, TinyViT
from ..types import Gray
from .gains import GainDecoder, Gains

GRID = 32
"""Sides must be multiples of this."""
_MEAN, _DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)

Fusion = Literal["full", "cfm", "mean"]
Scales = list[Tensor]
"""Features at 1/4, 1/8 and 1/16 of the size: (b, h, w, channels) each."""
Found = tuple[Scales, Tensor]
"""The features, and what the encoder has at half the size, (b, channels, h, w)."""


class ScaledMaeFuse(nn.Module):
    """CFM and MFM between features at 1/4, 1/8 and 1/16 of the size.

    Parameters
    ----------
    width: channels of the encoder at 1/4 of the size; 64 are those of the pretrained one.
    decoder_width: channels of the decoder at half the size.
    attention: "token" sees a neighbourhood, at the coarsest scale all places; "pointwise" the same place only.
    guide, fusion: as of `MaeFuse`.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        width: int = 64,
        decoder_width: int = 16,
        attention: Literal["token", "pointwise"] = "token",
        guide: Literal["cfm", "infrared"] = "cfm",
        fusion: Fusion = "full",
    ) -> None:
        super().__init__()
        if width < 8 or width % 8:
            raise ValueError(f"width must be a multiple of 8, not {width}")
        if decoder_width < 2 or decoder_width % 2:
            raise ValueError(f"decoder_width must be an even number, not {decoder_width}")
        shape = Shape(channels=(width, 2 * width, 5 * width // 2))
        self.encoder = TinyViT(shape)
        sees: tuple[Sees, Sees, Sees] = ("near", "near", "all") if attention == "token" else ("same", "same", "same")
        parts = list(zip(shape.channels, (2, *shape.heads), sees, strict=True))
        self.cfm = nn.ModuleList(Comparing(*part) for part in parts)
        self.mfm = nn.ModuleList(Merging(*part) for part in parts)
        self.decoder = Decoder(self.encoder.channels, decoder_width)
        self.guide, self.fusion = guide, fusion
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1) / 255, persistent=False)
        self.register_buffer("deviation", torch.tensor(_DEVIATION).view(1, 3, 1, 1) / 255, persistent=False)

    def forward(self, luma: Gray, infrared: Gray) -> Gray:
        """Fuse planes in [0, 1] whose sides are multiples of 32."""
        return self.explained(luma, infrared)[0]

    def explained(self, luma: Gray, infrared: Gray) -> tuple[Gray, Gains]:
        """The fused plane, and what of each image went into it."""
        (seen, fine), (warm, warm_fine) = self.features(luma, infrared)
        return self.decoder.drawn(self.fused(seen, warm), [fine, warm_fine], luma, infrared)

    def features(self, luma: Gray, infrared: Gray) -> tuple[Found, Found]:
        """What the encoder makes of either image; every vector without its mean and deviation."""
        return self._seen(luma), self._seen(infrared)

    def _seen(self, plane: Gray) -> Found:
        image = ((plane - self.mean) / self.deviation).contiguous(memory_format=torch.channels_last)
        half, *rest = self.encoder(image)
        return [layer_norm(x.permute(0, 2, 3, 1), x.shape[1:2]) for x in rest], half

    def fused(self, seen: Scales, warm: Scales, fusion: Fusion | None = None) -> Scales:
        """ΦF ("full"), ΦD ("cfm") or (ΦV + ΦI) / 2 ("mean") of every scale; None = the option."""
        fusion = fusion or self.fusion
        if fusion == "mean":
            return [(a + b) / 2 for a, b in zip(seen, warm, strict=True)]
        compared = [part(a, b) for part, a, b in zip(self.cfm, seen, warm, strict=True)]
        if fusion == "cfm":
            return compared
        guides = warm if self.guide == "infrared" else compared
        return [part(guide, a, b) for part, guide, a, b in zip(self.mfm, guides, seen, warm, strict=True)]

    def compared(self, luma: Gray, infrared: Gray, fusion: Fusion) -> tuple[Scales, Scales, Gray]:
        """What the modules make of both images, the mean of both images' features, and the fused plane."""
        (seen, fine), (warm, warm_fine) = self.features(luma, infrared)
        made = self.fused(seen, warm, fusion)
        plane = self.decoder.drawn(made, [fine, warm_fine], luma, infrared)[0]
        return made, self.fused(seen, warm, "mean"), plane


class Decoder(GainDecoder):
    """Narrows the features of all scales, adds one at 1/32 of the size, and decodes gains.

    At half the size, where the modules fuse nothing, it sees what the encoder has there of either image.
    """

    def __init__(self, channels: tuple[int, ...], width: int) -> None:
        ours = [width, 3 * width // 2, 3 * width, 4 * width, 4 * width]
        super().__init__(ours, 3 * width // 2)
        self.fine = nn.Conv2d(2 * channels[0], width, 1)
        self.narrow = nn.ModuleList(nn.Linear(a, b) for a, b in zip(channels[1:], ours[1:-1], strict=True))
        self.coarse = nn.Conv2d(ours[-2] + 2, ours[-1], 4, stride=2)

    def drawn(self, fused: Scales, fine: list[Tensor], luma: Gray, infrared: Gray) -> tuple[Gray, Gains]:
        """The fused plane, and what of each image went into it."""
        features = [relu(self.fine(torch.cat(fine, 1)))]
        features += [relu(part(x)).permute(0, 3, 1, 2) for part, x in zip(self.narrow, fused, strict=True)]
        levels = [avg_pool2d(plane, 16) for plane in (luma, infrared)]
        last = pad(torch.cat([features[-1], *levels], 1), (1, 1, 1, 1), "replicate")
        return self.composed([*features, relu(self.coarse(last))], luma, infrared)
