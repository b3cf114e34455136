"""Draw the figures of docs/explain on pairs, colour, range and the classical methods, from synthetic streets.

`python benchmarks/explain.py [NAME …]` draws all, or those named. The methods are taken apart with their own parts, so
that a figure shows what the method does.
"""

import argparse
from collections.abc import Callable

import numpy as np
import torch
from matplotlib import pyplot
from torch import Tensor
from torch.nn.functional import interpolate

from drawing import NOON, SIZE, chessboard, page, people, planes, plotted, shifted, signed, street
from irvis import creation
from irvis.color import luma, value, with_luma, with_value
from irvis.data.scene import Conditions
from irvis.filters import box, expand, gaussian, guided, reduce
from irvis.methods import guided as gff
from irvis.methods import hybrid, two_scale
from irvis.methods import wavelet as dual_tree
from irvis.thermal import Range, to_unit


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *DRAWERS], help="figures; all if none is named")
    torch.set_num_threads(1)
    for name in parser.parse_args().names or DRAWERS:
        DRAWERS[name]()


def registered() -> None:
    """A registered pair, and the same with infrared 8 pixels to the right."""
    visible, _, infrared = planes()
    fuser, away = creation.fuser("encdec"), shifted(infrared, 8, 0)
    pictures = {
        "registered: chessboard": chessboard(visible, infrared),
        "registered: fused": fuser(visible, infrared),
        "8 pixels off: chessboard": chessboard(visible, away),
        "8 pixels off: fused": fuser(visible, away),
    }
    page("explain-registered", pictures, [people()], columns=4, width=250)


def colour() -> None:
    """The plane that is fused decides what becomes of the colours: the same rule, the mean, in three of them."""
    rows = {}
    for name, conditions in (("night", Conditions()), ("day", NOON)):
        image, warm = street(conditions=conditions).tensors()
        rows |= {
            f"{name}: visible": image,
            f"{name}: mean of luma": with_luma(image, (luma(image) + warm) / 2),
            f"{name}: mean of V (HSV)": with_value(image, (value(image) + warm) / 2),
            f"{name}: mean of each channel": (image + warm) / 2,
        }
    page("explain-colour", rows, columns=4, width=250)


def ranges() -> None:
    """What becomes black and white of 16-bit counts, with one very hot spot in the picture."""
    _, _, infrared = planes()
    counts = 29000 + 1600 * infrared[0, 0].numpy().astype(np.float64)
    counts[24:34, 40:50] = 36000
    asked = {
        "least to largest count": "29000,36000",
        "1 % to 99 %": "1%,99%",
        "equalised": "1%,99%,equalised",
        "contrast-limited": "1%,99%,contrast-limited",
    }
    shown = {title: torch.from_numpy(to_unit(counts, Range.parse(text)))[None, None] for title, text in asked.items()}
    page("explain-range", shown, columns=4, width=250)


def pyramid() -> None:
    """Two bands of a Laplacian pyramid, whose detail is kept where, and the rest."""
    visible, seen, warm = planes()
    fused = creation.fuser("laplacian")(visible, warm)
    seen, warm = (interpolate(plane, (352, 480)) for plane in (seen, warm))
    rows: dict[str, Tensor] = {}
    for scale in (1, 2, 3, 4):
        below = reduce(seen), reduce(warm)
        bands = seen - expand(below[0]), warm - expand(below[1])
        stronger = bands[1].abs() > bands[0].abs()
        if scale in (1, 3):
            rows |= {
                f"scale {scale}: details of visible": enlarged(signed(bands[0], 0.06 * scale)),
                f"scale {scale}: details of infrared": enlarged(signed(bands[1], 0.06 * scale)),
                f"scale {scale}: white = infrared wins": enlarged(stronger.float()),
                f"scale {scale}: what is kept": enlarged(signed(torch.where(stronger, *bands[::-1]), 0.06 * scale)),
            }
        seen, warm = below
    rows |= {"the rest of visible": enlarged(seen), "the rest of infrared": enlarged(warm)}
    rows |= {"the mean of both": enlarged((seen + warm) / 2), "all added up": fused}
    page("explain-pyramid", rows, columns=4, width=250)


def enlarged(image: Tensor) -> Tensor:
    """At the size of the pictures, pixels as squares."""
    return interpolate(image, SIZE, mode="nearest")


def wavelet() -> None:
    """What one coefficient of each of the six directions of scale 3 draws, and how strongly each answers to a disc."""
    figure, axes = pyplot.subplots(2, 6, figsize=(11, 4.2))
    rows, columns = np.mgrid[:128, :128] - 63.5
    low = torch.from_numpy((np.hypot(rows, columns) < 40).astype(np.float32))[None, None]
    for level in (0, 1, 2):
        low, bands = dual_tree.analyse(low, level)
    answers = dual_tree.directions(bands)
    for place, number in enumerate((1, 4, 3, 2, 5, 0)):
        kind, direction = divmod(number, 2)
        alone = torch.zeros_like(answers)
        rows, columns = answers.shape[-2:]
        alone[0, kind, direction, 0, rows // 2, columns // 2] = 1
        drawn = torch.zeros_like(low)
        bands = dual_tree.undirected(alone)
        for level in (2, 1, 0):
            drawn = dual_tree.synthesise(drawn, bands, level)
            bands = drawn.new_zeros(1, 3, *drawn.shape[-2:])
        picture = drawn[0, 0, 46:86, 46:86].numpy()
        limit = abs(picture).max()
        axes[0, place].imshow(picture, cmap="RdBu_r", vmin=-limit, vmax=limit)
        axes[1, place].imshow(answers[0, kind, direction].square().sum(0).sqrt().numpy(), cmap="inferno")
        axes[0, place].set_axis_off()
        axes[1, place].set_axis_off()
    axes[0, 0].set_title("what one coefficient draws", loc="left")
    axes[1, 0].set_title("where the coefficients of a white disc are large", loc="left")
    plotted("explain-wavelet", figure)


def guided_filtering() -> None:
    """gff: base and details, the first masks, and the weights that guided filters make of them."""
    visible, seen, warm = planes()
    pictures = torch.cat([seen, warm])
    masks = gff._masks(pictures)
    wide, close = (
        guided(pictures.double(), masks.double(), radius, epsilon).clamp(0, 1).float()
        for radius, epsilon in ((45, 0.3), (7, 1e-6))
    )
    rows = {
        "base of visible": box(pictures, 15, "replicate")[:1],
        "details of visible": signed((pictures - box(pictures, 15, "replicate"))[:1], 0.3),
        "first mask: infrared is sharper": masks[1:],
        "fitted widely, for the base": wide[1:],
        "fitted closely, for the details": close[1:],
        "fused": creation.fuser("gff")(visible, warm),
    }
    page("explain-guided", rows, columns=3)


def hybrid_layers() -> None:
    """hybrid-msd: texture and edges of one scale, how far infrared edges exceed the visible ones, and the result."""
    visible, seen, warm = planes()
    steps = [(hybrid._gaussian(2.0 * 2**n), hybrid._bilateral(2.0 * 2**n, 0.05 / 2**n)) for n in range(4)]
    layers = hybrid._decomposed(torch.cat([seen, warm]), steps)
    share = gaussian(hybrid._prominence(layers.edges[1], 30.0), 1)
    rows = {
        "scale 2: texture of infrared": signed(layers.textures[1][1:], 0.1),
        "scale 2: edges of infrared": signed(layers.edges[1][1:], 0.3),
        "scale 2: edges of visible": signed(layers.edges[1][:1], 0.3),
        "scale 2: share of infrared": share,
        "hybrid-msd": creation.fuser("hybrid-msd")(visible, warm),
        "hmsd-gf": creation.fuser("hmsd-gf")(visible, warm),
    }
    page("explain-hybrid", rows, columns=3)


def two_scales() -> None:
    """tif: the saliencies, the share of infrared's details, and the result."""
    visible, seen, warm = planes()
    base = [two_scale._mean(plane, 35) for plane in (seen, warm)]
    saliency = [(b - two_scale._median(p)).square() for b, p in zip(base, (seen, warm), strict=True)]
    rows = {
        "mean of both bases": (base[0] + base[1]) / 2,
        "infrared's share of the details": saliency[1] / (saliency[0] + saliency[1]).clamp_min(1e-9),
        "fused": creation.fuser("tif")(visible, warm),
    }
    page("explain-two-scale", rows, columns=3)


DRAWERS: dict[str, Callable[[], None]] = {
    "registered": registered, "colour": colour, "range": ranges, "pyramid": pyramid, "wavelet": wavelet,
    "guided": guided_filtering, "hybrid": hybrid_layers, "two-scale": two_scales,
}  # fmt: skip


if __name__ == "__main__":
    main()
