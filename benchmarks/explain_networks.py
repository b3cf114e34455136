"""Draw the figures of docs/explain on both networks: plans, the encoder-decoder network as a pair of filters,
and what MaeFuse's decoder makes of the features at each step.

The gain at a frequency is the response to gray waves of that frequency, averaged over four directions.
"""

import argparse
from collections.abc import Callable

import torch
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch

from attention import response
from drawing import CYCLE, page, planes, plotted
from irvis import creation
from irvis.color import with_luma
from irvis.methods.encdec import EncoderDecoder
from irvis.sheet import INK

WAVES = (0.0, 0.01, 0.02, 0.03, 0.05, 0.07, 0.1, 0.14, 0.18, 0.23, 0.28, 0.34, 0.4, 0.46, 0.5)
"""Cycles per pixel."""
SIDE = 128


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *DRAWERS], help="figures; all if none is named")
    torch.set_num_threads(1)
    for name in parser.parse_args().names or DRAWERS:
        DRAWERS[name]()


def filters() -> None:
    """The paper's network taken apart: what each source alone brings to the output before tanh, and their sum."""
    visible, seen, warm = planes()
    fuser = creation.fuser("encdec:paper")
    core: EncoderDecoder = fuser.core
    seen, warm = (torch.nn.functional.pad(plane, (0, 0, 0, 24), mode="replicate") for plane in (seen, warm))
    gray = torch.full_like(seen, 0.5)
    rest = core.response(gray, gray)
    parts = core.response(seen, gray) - rest, core.response(gray, warm) - rest
    both = core.response(seen, warm)
    print(f"sum of the parts against the whole: {float((sum(parts) + rest - both).abs().max()):.1e}")
    shown = [((part.tanh() + 1) / 2)[..., :360, :] for part in (*parts, both)]
    rows = {
        "a filter of visible alone": shown[0],
        "a filter of infrared alone": shown[1],
        "their sum, through tanh": shown[2],
        "with the colours": with_luma(visible, shown[2]),
    }
    page("explain-encdec-filters", rows, columns=4, width=250)


def gains() -> None:
    """How much of a wave of each frequency comes through from each source."""
    figure, axes = pyplot.subplots(1, 2, figsize=(11, 3.8), sharey=True)
    for axis, name in zip(axes, ("paper", "default"), strict=True):
        core = creation.fuser(f"encdec:{name}").core
        for source in (0, 1):
            values = [gain(core, source, wave) for wave in WAVES]
            axis.plot(
                WAVES, values, marker="o", markersize=4, color=CYCLE[1 - source], label=("visible", "infrared")[source]
            )
        axis.set_title(f"encdec:{name}", loc="left")
        axis.set_xlabel("cycles per pixel")
        axis.grid(alpha=0.6)
        axis.legend()
    axes[0].set_ylabel("gain, in [-1, 1] units")
    plotted("explain-encdec-gains", figure)


def gain(core: EncoderDecoder, source: int, frequency: float, contrast: float = 0.05) -> float:
    """Amplitude out over amplitude in, for waves of one source on middle gray; both in the network's [-1, 1]."""
    gray = torch.full((1, 1, SIDE, SIDE), 0.5)
    rest = response(core, gray, gray)
    place = torch.arange(SIDE, dtype=torch.float32)
    energy, counted = 0.0, 0
    for direction in range(4 if frequency else 1):
        angle = torch.tensor(torch.pi * direction / 4)
        phase = 2 * torch.pi * frequency * (angle.cos() * place + angle.sin() * place[:, None])
        wave = phase.cos()
        images = [gray, gray]
        images[source] = gray + contrast * wave
        out = (response(core, *images) - rest)[..., 32:-32, 32:-32]
        energy += float(out.square().mean() / (2 * contrast * wave[32:-32, 32:-32]).square().mean())
        counted += 1
    return (energy / counted) ** 0.5


def plan_of_encdec() -> None:
    """Two encoders, a mixing layer at each scale, one decoder."""
    _, axis = pyplot.subplots(figsize=(11, 4.6))
    for level in range(5):
        x, width, tall = 0.6 + 1.35 * level, 1.0, 1.2 - 0.1 * level
        part(axis, (x, 3.2, width, tall), f"{level + 1}\nconv 3×3\nhalved", CYCLE[1])
        part(axis, (x, 0.2, width, tall), f"{level + 1}\nconv 3×3\nhalved", CYCLE[0])
        part(axis, (x + 0.1, 2.05, 0.8, 0.5), "mix 1×1", CYCLE[2])
        arrow(axis, (x + 0.5, 3.2), (x + 0.5, 2.55))
        arrow(axis, (x + 0.5, 0.2 + tall), (x + 0.5, 2.05))
        if level < 4:
            arrow(axis, (x + width, 3.55), (x + 1.35, 3.55))
            arrow(axis, (x + width, 0.5), (x + 1.35, 0.5))
    axis.text(0.45, 3.6, "visible", ha="right", color=CYCLE[1])
    axis.text(0.45, 0.55, "infrared", ha="right", color=CYCLE[0])
    part(axis, (8.1, 1.6, 1.6, 1.4), "decoder\ndoubled five times,\nmixes taken in\non the way", CYCLE[3])
    arrow(axis, (6.95, 2.3), (8.1, 2.3))
    axis.text(7.52, 2.4, "all five", ha="center", fontsize=9)
    part(axis, (10.05, 2.0, 0.75, 0.6), "tanh", CYCLE[4])
    arrow(axis, (9.7, 2.3), (10.05, 2.3))
    arrow(axis, (10.8, 2.3), (11.2, 2.3))
    axis.text(11.25, 2.24, "luma")
    finished(axis, "explain-encdec-plan", (-0.4, 11.9), (0, 4.6))


def plan_of_training() -> None:
    """Which part of MaeFuse learns in which stage."""
    parts = ("encoder", "CFM", "MFM", "decoder")
    stages = {
        "0  pretraining, elsewhere": "1000",
        "1  decoding the mean of both features": "0001",
        "2a CFM follows the mean of both features": "0100",
        "2b CFM fuses": "0100",
        "3a MFM follows the mean of both features": "0010",
        "3b MFM fuses": "0010",
        "4  MFM and decoder fuse together": "0011",
    }
    _, axis = pyplot.subplots(figsize=(11, 4.2))
    for row, (title, learns) in enumerate(stages.items()):
        axis.text(0, -row - 0.28, title, va="center")
        for column, (name, active) in enumerate(zip(parts, learns, strict=True)):
            there = (
                not (row == 0 and column in (1, 2))
                and not (row == 1 and column in (1, 2))
                and not (row < 4 and column == 2)
            )
            color = CYCLE[3] if active == "1" else CYCLE[5]
            part(axis, (5.6 + 1.5 * column, -row - 0.6, 1.3, 0.62), name if there else "", color, bold=active == "1")
    axis.text(5.6, 0.35, "green learns, gray is kept or takes no part", fontsize=10, color=CYCLE[5])
    finished(axis, "explain-maefuse-training", (-0.1, 11.6), (-6.9, 0.7))


def decoded() -> None:
    """What the decoder makes of the mean of both sources' features, and of what both modules make of them."""
    visible, seen, warm = (x[..., : x.shape[-2] // 32 * 32, : x.shape[-1] // 32 * 32] for x in planes())
    core = creation.fuser("maefuse").core
    draw = lambda fusion: core.compared(seen, warm, fusion)[2].clamp(0, 1)  # noqa: E731
    full = draw("full")
    rows = {
        "visible": seen,
        "infrared": warm,
        "mean of the features, decoded": draw("mean"),
        "after CFM": draw("cfm"),
        "after CFM and MFM": full,
        "with the colours": with_luma(visible, full),
    }
    page("explain-maefuse-features", rows, columns=3)


def part(axis: Axes, place: tuple[float, float, float, float], text: str, colour: str, bold: bool = False) -> None:
    """A rounded box (x, y, width, height) with a text in its middle."""
    x, y, width, height = place
    shape = FancyBboxPatch((x, y), width, height, "round,pad=0,rounding_size=0.08", fc=f"{colour}33", ec=colour, lw=1.4)
    axis.add_patch(shape)
    weight = "bold" if bold else "normal"
    axis.text(x + width / 2, y + height / 2, text, ha="center", va="center", fontsize=9, fontweight=weight)


def arrow(axis: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axis.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": INK, "lw": 1.1})


def finished(axis: Axes, name: str, across: tuple[float, float], down: tuple[float, float]) -> None:
    """A drawing without axes."""
    axis.set_xlim(*across)
    axis.set_ylim(*down)
    axis.set_axis_off()
    plotted(name, axis.figure)  # type: ignore[arg-type]


DRAWERS: dict[str, Callable[[], None]] = {
    "encdec": plan_of_encdec, "filters": filters, "gains": gains, "training": plan_of_training, "decoded": decoded,
}  # fmt: skip


if __name__ == "__main__":
    main()
