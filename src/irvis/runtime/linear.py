"""The encoder-decoder network without activation as a few filter banks: from both images straight to the output."""

from itertools import product
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

from ..methods.encdec import GRID, LEVELS, EncoderDecoder, Fusion
from ..types import Gray, Image, Scaled
from .filter_bank import (
    FIRST,
    INNER,
    LAST,
    PLACES,
    FilterBank,
    Kernels,
    composed,
    decoder_kernels,
    encoder_kernels,
    in_cells,
    pooled_weight,
)
from .low_rank import Basis, balanced, bound, rank_for

EXACT = 8e-6
"""The bound of the exact form; with the rounding of float32 on top no output is off by 1e-5."""
SMALLEST = 3 * GRID
"""The smallest side that the banks can filter: a first, an inner and a last cell of the coarsest level."""


class LinearNetwork(nn.Module):
    """A trained linear `EncoderDecoder` as filter banks; the same call, the same result within `bound`.

    The fine levels are one bank. Each coarse level reads both images into `ranks[level]` channels and writes these to
    the output. Pictures with a side below `SMALLEST` are left to the original.

    bound: no output in [0, 1] differs by more, whatever the images are (rounding apart).
    """

    def __init__(self, core: EncoderDecoder, error: float) -> None:
        super().__init__()
        self.core, self.scale = core, core.scale
        composer = Composer(core)
        bases = {level: composer.basis(level) for level in composer.coarse()}
        self.fine, coarse = composer.cut(bases, 2 * max(error, EXACT))
        self.ranks = {level: rank for level, (_, rank) in sorted(coarse.items())}
        self.bound = sum(bound(basis, rank, composer.leaving[n]) for n, (basis, rank) in coarse.items()) / 2
        self.direct = FilterBank(*composer.direct(self.fine))
        self.read = nn.ModuleDict({str(n): composer.reading(n, *kept) for n, kept in coarse.items()})
        self.write = nn.ModuleDict({str(n): composer.writing(n, *kept) for n, kept in coarse.items()})

    @property
    def operations(self) -> float:
        """Multiply-adds for each pixel, away from the border."""
        banks: Any = [(self.direct, self.fine)]
        banks += [(part[str(level)], level) for part in (self.read, self.write) for level in self.ranks]
        return sum(bank.kernels["11"].numel() / 4**level for bank, level in banks)

    def forward(self, visible: Image, infrared: Gray) -> Scaled:
        """Fuse images in [0, 1] whose sides are multiples of 32; the result is in (0, 1)."""
        if min(visible.shape[-2:]) < SMALLEST:
            return self.core(visible, infrared)
        return (self.response(visible, infrared).tanh() + 1) / 2

    def response(self, visible: Image, infrared: Gray) -> Scaled:
        """The output before tanh."""
        images = 2 * torch.cat([visible, infrared], 1) - 1
        side = 2**self.fine
        total = pixel_shuffle(self.direct(pixel_unshuffle(images, side)), side * self.scale)
        for level in self.ranks:
            side = 2**level
            features = self.read[str(level)](pixel_unshuffle(images, side))
            total = total + pixel_shuffle(self.write[str(level)](features), side * self.scale)
        return total


def is_linear(core: EncoderDecoder) -> bool:
    """Whether the output before tanh is a linear function of the images: no activation, no maximum."""
    rules: Any = core.fusion.values()
    return isinstance(core.visible_encoder.activation, nn.Identity) and all(
        isinstance(rule, Fusion) or rule.name != "max" for rule in rules
    )


class Composer:
    """The kernels of a linear `EncoderDecoder`, level by level."""

    def __init__(self, core: EncoderDecoder) -> None:
        self.core = core
        visible, infrared = core.visible_encoder, core.infrared_encoder or core.visible_encoder
        self.encoders: list[Any] = [visible, infrared]
        self.pooled: list[list[Tensor]] = [
            [pooled_weight(layer.weight.detach()) for layer in one.layers] for one in self.encoders
        ]
        self.seen = [encoder_kernels(encoder, LEVELS - 1) for encoder in self.encoders]
        self.leaving: dict[int, Kernels] = dict(enumerate(decoder_kernels(core.decoder), 1))
        for level, kernels in self.leaving.items():
            own = len(self.mixture(level)[2])
            self.leaving[level] = {place: kernel[:, :own] for place, kernel in kernels.items()}

    def mixture(self, level: int) -> tuple[Tensor, Tensor, Tensor]:
        """The weights of the visible and the infrared features in the fused ones, and the constant."""
        if str(level - 1) not in self.core.fusion:
            nothing = torch.zeros(0, self.encoders[0].layers[level - 1].weight.shape[0])
            return nothing, nothing, torch.zeros(0)
        fusion: Any = self.core.fusion[str(level - 1)]
        if isinstance(fusion, Fusion):
            infrared, visible = fusion.mix.weight.detach()[:, :, 0, 0].chunk(2, 1)
            bias = fusion.mix.bias
            assert bias is not None, "the fusion layers have a constant"
            return visible, infrared, bias.detach()
        unit = torch.eye(self.encoders[0].layers[level - 1].weight.shape[0])
        unit = unit / 2 if fusion.name == "mean" else unit
        return unit, unit, torch.zeros(len(unit))

    def fused(self, level: int, place: tuple[int, int], read: Tensor | None = None) -> Tensor:
        """What the fused features of a cell (or `read` of them) see: (channels, planes, 3·side, 3·side)."""
        parts = []
        for mix, pooled, below in zip(self.mixture(level)[:2], self.pooled, self.seen, strict=True):
            mix = mix if read is None else read @ mix
            weight = torch.einsum("oc,cbyx->obyx", mix, pooled[level - 1])
            parts.append(composed(weight, below[level - 1], place, self.encoders[0].padding))
        visible, infrared = parts
        return torch.cat([visible, infrared.sum(1, keepdim=True)], 1)

    def basis(self, level: int) -> Basis:
        """The important channels of a level."""
        return balanced(((place, self.fused(level, place).flatten(1)) for place in PLACES), self.leaving[level])

    def coarse(self) -> list[int]:
        """The levels that may be read and written apart: all from the third on of which the decoder takes features."""
        return [level for level in range(3, LEVELS + 1) if str(level - 1) in self.core.fusion]

    def cut(self, bases: dict[int, Basis], error: float) -> tuple[int, dict[int, tuple[Basis, int]]]:
        """The finest level that is read and written apart, less one, and the rank of each, within `error` in all.

        The coarsest level, whose channels are the most costly and fade the slowest, may use most of the error; what a
        level leaves goes to the next finer one.
        """
        coarse: dict[int, tuple[Basis, int]] = {}
        fine = 2 if 3 in bases and self.pays(rank_for(bases[3], error / 3, self.leaving[3])) else 3
        for level, share in ((5, 3 / 4), (4, 1 / 3 if fine == 2 else 1), (3, 1)):
            if level in bases and level > fine:
                rank = rank_for(bases[level], share * error, self.leaving[level])
                error -= bound(bases[level], rank, self.leaving[level])
                coarse[level] = bases[level], rank
        return fine, coarse

    def pays(self, rank: int) -> bool:
        """Whether reading and writing level 3 apart costs less than one bank of the levels 1 to 3."""
        planes = self.encoders[0].layers[0].weight.shape[1] + 1
        values = len(self.leaving[3][INNER, INNER]) // 64
        return 9 * rank * (planes + values) < 25 * planes * values * (64 - 16)

    def reading(self, level: int, basis: Basis, rank: int) -> FilterBank:
        """From the cells of both images to the first `rank` coordinates."""
        read = basis.read[:rank].float()
        return FilterBank({place: in_cells(self.fused(level, place, read), 2**level) for place in PLACES})

    def writing(self, level: int, basis: Basis, rank: int) -> FilterBank:
        """From these coordinates to the output; the constants are those of all channels."""
        write, constant = basis.write[:, :rank].float(), self.mixture(level)[2]
        kernels = {place: torch.einsum("vcyx,cr->vryx", taps, write) for place, taps in self.leaving[level].items()}
        return FilterBank(kernels, {place: taps.sum((2, 3)) @ constant for place, taps in self.leaving[level].items()})

    def direct(self, finest: int) -> tuple[Kernels, Kernels]:
        """The levels 1 … `finest` from the images to the output, as one bank over cells of 2^finest pixels."""
        fused = {level: {place: self.fused(level, place) for place in PLACES} for level in range(1, finest + 1)}
        kernels, constants = {}, {}
        for place in product(range(5), range(5)):
            parts = [self._block(level, finest, place, fused[level]) for level in fused]
            kernels[place] = in_cells(sum(kernel for kernel, _ in parts), 2**finest)  # type: ignore[arg-type]
            constants[place] = sum(constant for _, constant in parts)
        return kernels, constants  # type: ignore[return-value]

    def _block(self, level: int, finest: int, place: tuple[int, int], fused: Kernels) -> tuple[Tensor, Tensor]:
        """What one level adds to one block: (values, planes, 5 cells, 5 cells), and the constant."""
        side, many = 2**level, 2 ** (finest - level)
        planes, scaled = fused[INNER, INNER].shape[1], side * self.core.scale
        taps = self.leaving[level]
        values = len(taps[INNER, INNER]) // scaled**2
        kernel = torch.zeros(values, many, scaled, many, scaled, planes, 5 * 2**finest, 5 * 2**finest)
        constant = torch.zeros(values, many, scaled, many, scaled)
        for y, x in product(range(many), range(many)):
            (at_y, cells_y), (at_x, cells_x) = (_position(p, e, many) for p, e in zip(place, (y, x), strict=True))
            block = taps[at_y, at_x]
            constant[:, y, :, x, :] = (block.sum((2, 3)) @ self.mixture(level)[2]).view(values, scaled, scaled)
            for (i, from_y), (j, from_x) in product(enumerate(cells_y), enumerate(cells_x)):
                if from_y is None or from_x is None:
                    continue
                part = torch.einsum("vc,cpyx->vpyx", block[:, :, i, j], fused[from_y, from_x])
                top, left = (2 * 2**finest + (e + n - 2) * side for e, n in ((y, i), (x, j)))
                window = kernel[:, y, :, x, :, :, top : top + 3 * side, left : left + 3 * side]
                window += part.view(values, scaled, scaled, *part.shape[1:])
        return kernel.flatten(0, 4), constant.flatten()


def _position(place: int, number: int, many: int) -> tuple[int, list[int | None]]:
    """Of cell `number` of the `many` in a block: its place, and those of the cells before, at and after it."""
    before = place * many + number if place < 2 else None
    after = (4 - place) * many + many - 1 - number if place > 2 else None

    def at(offset: int) -> int | None:
        if before is not None and before + offset <= 0:
            return FIRST if before + offset == 0 else None
        if after is not None and after - offset <= 0:
            return LAST if after - offset == 0 else None
        return INNER

    own = at(0)
    assert own is not None, "the cell itself is inside"
    return own, [at(-1), own, at(1)]
