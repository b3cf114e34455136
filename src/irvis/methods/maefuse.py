"""MaeFuse: the encoder of a masked autoencoder sees both images; two cross-attentions fuse its features.

Li, Jiang, Liang & Ma, MaeFuse: transferring omni features with pretrained masked autoencoders for infrared and visible
image fusion via guided training, arXiv:2404.11016.
"""

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from .. import color, weights
from ..nn.crossing import Comparing, Merging, Seen
from ..nn.vit import SIZES, Decoder, Encoder, Features, Smoothing, Start, patchified, sincos
from ..registry import Spec, register
from ..types import Gray
from .maefuse_scales import GRID, ScaledMaeFuse

SPAN = 200
"""Patches a side over which training moves its crops: pictures of 1600 pixels with patches of 8."""
SIDE = 640
"""Side in pixels of the square to which the authors squash every image."""
_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

Name = Literal["tiny", "small", "base", "large", "huge"]
Fusion = Literal["full", "cfm", "mean"]
Compared = list[Tensor]
"""Features, (b, rows, columns, width) for each scale."""


def _spec(
    size: Name = "small",
    patch: int | None = None,
    fit: Literal["any", "resize"] = "any",
    tokens: int = 6400,
    encoder: Literal["mae", "tiny-vit"] = "mae",
    **_: object,
) -> Spec:
    if tokens < 1:
        raise ValueError(f"tokens must be 1 or more, not {tokens}")
    if encoder == "tiny-vit":
        return Spec(domain="luma", multiple=GRID, budget=tokens * 16**2)
    if fit == "resize":
        return Spec(domain="luma")
    patch = SIZES[size].patch if patch is None else patch
    return Spec(domain="luma", multiple=patch, budget=tokens * patch**2)


@register(
    "maefuse",
    spec=_spec,
    paper="https://arxiv.org/abs/2404.11016",
    weights=weights.shipped("maefuse"),
    small={
        "width": 32, "blocks": 1, "heads": 2, "fusion_heads": 2,
        "decoder_width": 32, "decoder_blocks": 1, "decoder_heads": 2,
    },
)  # fmt: skip
class MaeFuse(nn.Module):
    """Masked-autoencoder features, fused by cross-attention (Li, Jiang, Liang & Ma).

    Parameters
    ----------
    encoder: "mae", a plain vision transformer as in the paper, or "tiny-vit", which has features at three scales (see
        `maefuse_scales.py`); of the other options it takes `width` (64), `decoder_width` (16), `attention` ("token" or
        "pointwise"), `guide`, `infrared_gamma`, `fusion` and `tokens`.
    size: "tiny" (192 channels, 12 blocks) to "large" (1024, 24: the paper's) and "huge"; the options up to
        `decoder_heads` replace single figures of it.
    width, blocks, heads, patch: of the encoder.
    decoder_width, decoder_blocks, decoder_heads: of the decoder; the paper has 512, 4, 16.
    fusion_heads: of both cross-attentions; as many as the encoder's where not given.
    grid: 0 for sin-cos positions; else the encoder learns them, on a square of this side (encoders other than MAE).
    attention: what cross-attention sees: every "token" of the other image (the paper), "pointwise" the same place only
        (the authors' checkpoint at batch 1), or the same place of all pairs of the "batch" (their training).
    guide: what asks in the merging module: what the comparing module found ("cfm"), or the "infrared" features.
    infrared_gamma: exponent of the infrared image; below 1 brightens its dark parts.
    fit: "any" size at its own shape, or "resize": the authors' squash to 640×640 and back, in steps of 8 bits.
    fusion: "full", only the comparing module ("cfm"), or the "mean" of the features.
    smooth: channels of two convolutions that take the borders of patches off the picture; 0 (the paper) for none.
    tokens: pictures of more patches than this are fused in overlapping tiles.
    """

    STEPS_CALL = ("reconstruction", "mixture", "guessed", "compared")
    """What training steps call beside `forward`."""

    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        size: Name = "small",
        width: int | None = None,
        blocks: int | None = None,
        heads: int | None = None,
        patch: int | None = None,
        decoder_width: int | None = None,
        decoder_blocks: int | None = None,
        decoder_heads: int | None = None,
        fusion_heads: int | None = None,
        grid: int = 0,
        attention: Seen = "token",
        guide: Literal["cfm", "infrared"] = "cfm",
        infrared_gamma: float = 1.0,
        fit: Literal["any", "resize"] = "any",
        fusion: Fusion = "full",
        tokens: int = 6400,
        smooth: int = 0,
        encoder: Literal["mae", "tiny-vit"] = "mae",
    ) -> None:
        super().__init__()
        if not 0 < infrared_gamma <= 10:
            raise ValueError(f"infrared_gamma must be above 0 and at most 10, not {infrared_gamma}")
        self.infrared_gamma, self.scales = infrared_gamma, None
        if encoder == "tiny-vit":
            given = {
                "size": size != "small", "blocks": blocks, "heads": heads, "patch": patch, "grid": grid,
                "decoder_blocks": decoder_blocks, "decoder_heads": decoder_heads, "fusion_heads": fusion_heads,
                "fit": fit != "any", "smooth": smooth, "attention": attention == "batch",
            }  # fmt: skip
            if wrong := [name for name, value in given.items() if value]:
                raise ValueError(f"encoder=tiny-vit does not go with {', '.join(wrong)}")
            assert attention != "batch"
            self.scales = ScaledMaeFuse(width or 64, decoder_width or 16, attention, guide, fusion)
            return
        shape = SIZES[size].but(
            width=width, blocks=blocks, heads=heads, patch=patch,
            decoder_width=decoder_width, decoder_blocks=decoder_blocks, decoder_heads=decoder_heads,
        )  # fmt: skip
        if fit == "resize" and SIDE % shape.patch:
            raise ValueError(f"fit=resize needs a patch that divides {SIDE}, not {shape.patch}")
        asking = shape.heads if fusion_heads is None else fusion_heads
        self.encoder = Encoder(shape.width, shape.blocks, shape.heads, shape.patch, grid)
        self.cfm, self.mfm = (part(shape.width, asking, attention) for part in (Comparing, Merging))
        self.decoder = Decoder(
            shape.width, shape.decoder_width, shape.decoder_blocks, shape.decoder_heads, shape.patch
        )  # fmt: skip
        self.smoothing = Smoothing(smooth) if smooth else nn.Identity()
        self.guide, self.fit, self.fusion = guide, fit, fusion
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(_DEVIATION).view(1, 3, 1, 1), persistent=False)

    def forward(self, luma: Gray, infrared: Gray) -> Gray:
        """Fuse planes in [0, 1]; the result may leave [0, 1] a little."""
        if self.scales is not None:
            return self.scales(luma, self._brightened(infrared))
        if self.fit == "any":
            start = self.start(luma)
            seen, warm = self.features(luma, infrared, start)
            return color.luma(self.picture(self.fused(seen, warm, start=start), start))
        luma_there, infrared_there = (
            _in_steps(_resized(_in_steps(x, 0.5), (SIDE, SIDE), "bilinear"), 0.5) for x in (luma, infrared)
        )
        decoded = _in_steps(self.picture(self.fused(*self.features(luma_there, infrared_there))).clamp(0, 1), 0)
        return _resized(color.luma(decoded), tuple(luma.shape[2:]), "bicubic")

    def start(self, plane: Gray) -> Start:
        """Where the positions begin: at 0, but anywhere within `SPAN` patches in training.

        Crops are smaller than pictures: a network that only saw the first positions knows no others.
        """
        if not self.training:
            return 0, 0
        rows, columns = (length // self.decoder.patch for length in plane.shape[2:])
        drawn = torch.randint(0, SPAN, (2,)).tolist()
        return drawn[0] % max(SPAN - rows, 1), drawn[1] % max(SPAN - columns, 1)

    def features(self, luma: Gray, infrared: Gray, start: Start = (0, 0)) -> tuple[Features, Features]:
        """What the encoder makes of both, in one batch: ΦV and ΦI."""
        infrared = self._brightened(infrared)
        both = self.encoder(self.normalised(torch.cat([luma, infrared])), start)
        seen, warm = both.unflatten(0, (2, -1)).unbind()
        return seen, warm

    def _brightened(self, infrared: Gray) -> Gray:
        return infrared if self.infrared_gamma == 1 else infrared.clamp(min=0) ** self.infrared_gamma

    def fused(self, seen: Features, warm: Features, fusion: Fusion | None = None, start: Start = (0, 0)) -> Features:
        """The features that are decoded: ΦF ("full"), ΦD ("cfm") or (ΦV + ΦI) / 2 ("mean"); None = the option."""
        fusion = fusion or self.fusion
        if fusion == "mean":
            return (seen + warm) / 2
        places = sincos(seen, start)
        seen, warm = seen + places, warm + places
        if fusion == "cfm":
            return self.cfm(seen, warm)
        return self.mfm(warm if self.guide == "infrared" else self.cfm(seen, warm), seen, warm)

    def normalised(self, plane: Gray) -> Tensor:
        """Three equal channels by ImageNet's mean and deviation, as the encoder was trained."""
        return (plane - self.mean) / self.deviation

    def picture(self, features: Features, start: Start = (0, 0)) -> Tensor:
        """The RGB picture that the decoder makes of features, about [0, 1]."""
        return self.smoothing(self.decoder(features, start)) * self.deviation + self.mean

    def reconstruction(self, plane: Gray) -> Tensor:
        """A plane encoded and decoded, as RGB about [0, 1]."""
        start = self.start(plane)
        return self.picture(self.encoder(self.normalised(plane), start), start)

    def mixture(self, luma: Gray, infrared: Gray, share: Tensor) -> Gray:
        """The plane decoded from `share` · ΦV + (1 - `share`) · ΦI, with `share` (b, 1, 1, 1) in [0, 1]."""
        start = self.start(luma)
        seen, warm = self.features(luma, infrared, start)
        return color.luma(self.picture(share * seen + (1 - share) * warm, start))

    def guessed(self, plane: Gray, hidden: float) -> tuple[Tensor, Tensor]:
        """What a masked autoencoder says of the patches it was not shown, and what they are: (b, 1, n, pixels) each.

        The share `hidden` of each picture's patches is kept from the encoder; the decoder sees zeros in their places.
        Patches are judged with their own mean and deviation taken off (He et al., section 3).
        """
        image, start = self.normalised(plane), self.start(plane)
        placed = self.encoder.placed(image, start)
        tokens = placed.flatten(1, 2)
        order = torch.rand(tokens.shape[:2], device=tokens.device).argsort(1)
        shown, kept = order.split([tokens.shape[1] - int(hidden * tokens.shape[1]), int(hidden * tokens.shape[1])], 1)
        narrow = self.decoder.embed(self.encoder.encoded(_taken(tokens, shown)))
        at = shown[..., None].expand(-1, -1, narrow.shape[-1])
        canvas = narrow.new_zeros(*order.shape, narrow.shape[-1]).scatter(1, at, narrow)
        guess = self.decoder.decoded(canvas.unflatten(1, placed.shape[1:3]), start).flatten(1, 2)
        truth = patchified(image, self.decoder.patch).flatten(1, 2)
        truth = (truth - truth.mean(-1, keepdim=True)) / (truth.var(-1, keepdim=True) + 1e-6).sqrt()
        return _taken(guess, kept)[:, None], _taken(truth, kept)[:, None]

    def compared(self, luma: Gray, infrared: Gray, fusion: Fusion) -> tuple[Compared, Compared, Tensor]:
        """What the modules make of both images, the mean of both images' features, and the fused plane."""
        if self.scales is not None:
            return self.scales.compared(luma, self._brightened(infrared), fusion)
        start = self.start(luma)
        seen, warm = self.features(luma, infrared, start)
        made = self.fused(seen, warm, fusion, start)
        return [made], [(seen + warm) / 2], color.luma(self.picture(made, start))


def _taken(tokens: Tensor, places: Tensor) -> Tensor:
    """The tokens (b, n, width) at `places` (b, m)."""
    return tokens.gather(1, places[..., None].expand(-1, -1, tokens.shape[-1]))


def _in_steps(image: Tensor, rounding: float) -> Tensor:
    """Rounded (0.5) or truncated (0) to 8 bits; the slope is 1, as if nothing had been done."""
    return image + ((255 * image + rounding).floor() / 255 - image).detach()


def _resized(image: Tensor, size: tuple[Any, ...], mode: str) -> Tensor:
    return interpolate(image, size=size, mode=mode, align_corners=False)
