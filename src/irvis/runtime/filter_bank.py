"""Filters of whole blocks: the encoder-decoder network without activation, composed into strided convolutions.

Level k has one cell for every block of 2^k × 2^k pixels. A feature of it is one filter over the pixels of 3 × 3 cells,
and what it adds to the output is one filter over 3 × 3 cells again. Where layers repeat (or zero) the border, only the
cells of the outermost ring have filters of their own: every kernel here exists nine times, for the first, an inner and
the last cell of either axis.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..methods.encdec import LEVELS, Decoder, Encoder

FIRST, INNER, LAST = range(3)
PLACES = tuple(product(range(3), range(3)))
Kernels = dict[tuple[int, int], Tensor]
"""A kernel for each place (FIRST, INNER or LAST along y, the same along x)."""


class FilterBank(nn.Module):
    """A convolution whose outer `reach` rows and columns of outputs have kernels of their own; no padding.

    Parameters
    ----------
    kernels: for each place along y and x, counted 0 … 2·reach with the inner one in the middle, a kernel
        (out, in, 2·reach + 1, 2·reach + 1) that is zero where it would leave the picture.
    biases: likewise, (out,); none are added where this is None.
    """

    def __init__(self, kernels: Kernels, biases: Kernels | None = None) -> None:
        super().__init__()
        self.reach = max(y for y, _ in kernels) // 2
        self.outputs = len(kernels[0, 0])
        self.kernels, self.biases = nn.ParameterDict(), nn.ParameterDict()
        for y, x in PLACES:
            name, places = f"{y}{x}", list(product(_members(y, self.reach), _members(x, self.reach)))
            windows = torch.stack([_window(kernels[place], place, self.reach) for place in places], 1)
            self.kernels[name] = nn.Parameter(windows.flatten(0, 1).contiguous(), requires_grad=False)
            if biases is not None:
                together = torch.stack([biases[place] for place in places], 1).flatten()
                self.biases[name] = nn.Parameter(together, requires_grad=False)

    def forward(self, cells: Tensor) -> Tensor:
        """Filter (batch, in, rows, columns), at least 2·reach + 1 cells a side, to (batch, out, rows, columns)."""
        return torch.cat([torch.cat([self._part(cells, y, x) for x in range(3)], 3) for y in range(3)], 2)

    def _part(self, cells: Tensor, y: int, x: int) -> Tensor:
        wide = 2 * self.reach
        rows, columns = ({FIRST: slice(wide), INNER: slice(None), LAST: slice(-wide, None)}[place] for place in (y, x))
        bias = self.biases[f"{y}{x}"] if len(self.biases) else None
        part = functional.conv2d(cells[:, :, rows, columns], self.kernels[f"{y}{x}"], bias)
        high, broad = len(_members(y, self.reach)), len(_members(x, self.reach))
        if high == broad == 1:
            return part
        part = part.unflatten(1, (self.outputs, high, broad)).permute(0, 1, 4, 2, 5, 3)
        return part.flatten(4, 5).flatten(2, 3)


def _members(place: int, reach: int) -> range:
    """The places of a bank that the first, the inner or the last convolution of it computes."""
    return {FIRST: range(reach), INNER: range(reach, reach + 1), LAST: range(reach + 1, 2 * reach + 1)}[place]


def _window(kernel: Tensor, place: tuple[int, int], reach: int) -> Tensor:
    """A kernel as seen from the 2·reach outermost cells that all kernels of that side share."""
    for axis, at in ((2, place[0]), (3, place[1])):
        if at < reach:
            kernel = functional.pad(kernel.movedim(axis, 3)[..., reach - at :], (0, reach - 1 - at)).movedim(3, axis)
        elif at > reach:
            shift = at - reach - 1
            kernel = functional.pad(kernel.movedim(axis, 3)[..., : 2 * reach - shift], (shift, 0)).movedim(3, axis)
    return kernel


def pooled_weight(weight: Tensor) -> Tensor:
    """The 4×4 kernel of stride 2 that equals a 3×3 convolution and a 2×2 mean: the mean of four shifted ones."""
    return torch.stack([functional.pad(weight, (x, 1 - x, y, 1 - y)) for y in (0, 1) for x in (0, 1)]).mean(0)


def encoder_kernels(encoder: Encoder, levels: int = LEVELS) -> list[Kernels]:
    """What each level's features see: (channels, planes, 3·2^k, 3·2^k) for k = 0 … levels, from one cell before."""
    layers: list[Any] = list(encoder.layers)
    planes = layers[0].weight.shape[1]
    unit = functional.pad(torch.eye(planes)[:, :, None, None], (1, 1, 1, 1))
    found: list[Kernels] = [dict.fromkeys(PLACES, unit)]
    for layer in layers[:levels]:
        weight = pooled_weight(layer.weight.detach())
        found.append({place: composed(weight, found[-1], place, encoder.padding) for place in PLACES})
    return found


def composed(weight: Tensor, below: Kernels, place: tuple[int, int], padding: str) -> Tensor:
    """A 4×4 convolution of stride 2, of a cell at `place`, applied to features with the kernels `below`."""
    planes, frame = below[INNER, INNER].shape[1:3]
    step = frame // 3
    kernel = weight.new_zeros(len(weight), planes, 2 * frame, 2 * frame)
    for (row, y, from_y), (column, x, from_x) in product(_taps(place[0], padding), _taps(place[1], padding)):
        seen = torch.einsum("oc,cpyx->opyx", weight[:, :, row, column], below[from_y, from_x])
        kernel[:, :, y * step : y * step + frame, x * step : x * step + frame] += seen
    return kernel


def _taps(place: int, padding: str) -> list[tuple[int, int, int]]:
    """For each of four taps: its number, the cell it reads (0 … 3), the place of that cell; none read padded zeros."""
    taps = [(tap, tap, INNER) for tap in range(4)]
    if place == FIRST:
        taps[:2] = [(0, 1, FIRST), (1, 1, FIRST)]
    if place == LAST:
        taps[2:] = [(2, 2, LAST), (3, 2, LAST)]
    return [(tap, cell, at) for tap, cell, at in taps if tap == cell or padding == "replicate"]


def decoder_kernels(decoder: Decoder) -> Iterator[Kernels]:
    """What each level adds to the output, finest first: (values of one block, channels, 3, 3) over 3 × 3 cells.

    Values are planes × rows × columns. The channels are all that the level's layer reads: the level's own, then those
    from below.
    """
    weight = decoder.output.weight.detach()
    found = {place: _folded(weight, place, decoder.padding) for place in PLACES}
    side = 1
    layers: list[Any] = list(reversed(decoder.layers))
    for number, layer in enumerate(layers):
        found = {place: _doubled(found, layer, place, decoder.padding, side) for place in PLACES}
        side *= 2
        if number >= len(layers) - LEVELS:
            yield found
            found = {place: kernel[:, _own(layers, number) :] for place, kernel in found.items()}


def _own(layers: list[Any], number: int) -> int:
    """How many of the channels that a layer reads are its level's own features: all but those that come from below."""
    into = layers[number].weight.shape[0]
    below = layers[number + 1].weight.shape[1] * layers[number + 1].groups if number + 1 < len(layers) else 0
    return into - below


def _doubled(finer: Kernels, layer: Any, place: tuple[int, int], padding: str, side: int) -> Tensor:
    """The kernels before a transposed convolution, from those after it, of blocks half as wide (`side`)."""
    inside = {FIRST: (FIRST, INNER), INNER: (INNER, INNER), LAST: (INNER, LAST)}
    parts = []
    for y, x in product(range(2), range(2)):
        kernel = finer[inside[place[0]][y], inside[place[1]][x]]
        parts.append(functional.pad(kernel, (x, 1 - x, y, 1 - y)))
    seen = functional.conv2d(torch.cat(parts), layer.weight.detach(), stride=2, padding=2, groups=layer.groups)
    seen = seen.view(2, 2, -1, side, side, *seen.shape[1:]).permute(2, 0, 3, 1, 4, 5, 6, 7).flatten(0, 4)
    return _folded(seen, place, padding)


def _folded(kernel: Tensor, place: tuple[int, int], padding: str) -> Tensor:
    """What falls on the cell outside the picture goes to the outermost cell, which it repeats, or nowhere."""
    kernel = kernel.clone()
    for axis, at in ((2, place[0]), (3, place[1])):
        cells = kernel.movedim(axis, 0)
        if at != INNER:
            outside = 0 if at == FIRST else 2
            if padding == "replicate":
                cells[1] += cells[outside]
            cells[outside] = 0
    return kernel


def in_cells(kernel: Tensor, side: int) -> Tensor:
    """A kernel over pixels (out, planes, n·side, n·side) as one over cells (out, planes·side², n, n)."""
    out, planes, frame, _ = kernel.shape
    cells = kernel.view(out, planes, frame // side, side, frame // side, side)
    return cells.permute(0, 1, 3, 5, 2, 4).reshape(out, planes * side * side, frame // side, frame // side)
