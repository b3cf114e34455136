"""What MaeFuse keeps where the visible camera is blinded (its figure 4), and of text and people (its figure 7).

Over-exposed: pixels of luma above 0.97 that the visible image shows as one white. There only infrared knows anything:
the table gives the correlation of the fused image with infrared in these pixels, and the share of them that are white
in the fused image too; on the pairs of MSRS27 and LLVIP15 that have 200 such pixels, and on synthetic nights with
headlights. Text and people: contrasts of synthetic scenes, in gray levels of 255, as in `conditions.py`.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from common import FIGURES, PICTURES, Row, Rows, arguments
from conditions import SEEDS
from first_experiments import SIZE, contrast, ring
from irvis import creation, io
from irvis.color import luma
from irvis.data.matching import match
from irvis.data.scene import Conditions, scene
from irvis.sheet import around, largest, save, sheet

METHODS = ("maefuse", "encdec", "average", "max", "laplacian")
BRIGHTENED = "maefuse:infrared_gamma=0.6"
"""Figure 10; its guide of figure 11 changes nothing with `attention="pointwise"`."""
WHITE, FEWEST = 0.97, 200
NIGHTS = f"synthetic nights ({len(SEEDS)})"
GLARE = Conditions(glare=1.0, darkness=0.9)
Pairs = Iterator[tuple[str, Tensor, Tensor]]


def main() -> None:
    chosen = arguments(__doc__)
    fusers, rows = {name: creation.fuser(name) for name in METHODS}, Rows("maefuse_scenes", chosen)
    for name, pairs in (*real(chosen), ("synthetic", drawn())):
        keys = [{"pairs": pairs_of(name, rows), "method": method} for method in METHODS]
        rows.several(keys, lambda keys, name=name, pairs=pairs: blinded(name, pairs, fusers, keys), method_of)
    keys = [{"pairs": NIGHTS, "method": name} for name in ("visible", "infrared", *METHODS, BRIGHTENED)]
    rows.several(keys, people_and_text, method_of)
    picture(fusers)
    note = (
        f"Luma above {WHITE} counts as white; pairs with fewer than {FEWEST} such pixels are left out. Means over "
        "pairs.\n\n![glare](../figures/maefuse-glare.png)"
    )
    rows.write("MaeFuse: blinded cameras, text and people", note)


def real(chosen) -> Iterator[tuple[str, Pairs]]:
    for name in ("MSRS27", "LLVIP15"):
        found = match(chosen.data / "test" / name / "vi", chosen.data / "test" / name / "ir").pairs
        read = (io.read_pair(files.visible, files.infrared) for files in found)
        yield name, ((f"{name}-{pair.name}", pair.visible, pair.infrared) for pair in read)


def drawn() -> Pairs:
    return ((f"scene {seed}", *scene(seed, SIZE, GLARE).tensors()) for seed in SEEDS)


@torch.inference_mode()
def blinded(name: str, pairs: Pairs, fusers: dict[str, Callable[..., Tensor]], keys: list[Row]) -> list[Row]:
    """Correlation with infrared in over-exposed pixels, and the share of them that stays white."""
    sums, count = {key["method"]: [0.0, 0.0] for key in keys}, 0
    for title, visible, infrared in pairs:
        white = luma(visible)[0, 0] > WHITE
        if white.sum() < FEWEST:
            continue
        count += 1
        pictures = {"visible": visible, "infrared": infrared}
        for method in sums:
            pictures[method] = fusers[method](visible, infrared)
            plane = luma(pictures[method])[0, 0][white]
            both = torch.corrcoef(torch.stack([plane, infrared[0, 0][white]]))[0, 1].nan_to_num()
            sums[method][0] += both.item()
            sums[method][1] += (plane > WHITE).float().mean().item()
        if name != "synthetic" and count <= 3:
            save(sheet(pictures, [around(white)], columns=3), PICTURES / f"maefuse-glare-{title}.png")
    print(name, count, flush=True)
    return [
        {
            "pairs": f"{name} ({count})",
            "method": method,
            "correlation with infrared": a / count,
            "stays white": b / count,
        }
        for method, (a, b) in sums.items()
    ]


def pairs_of(name: str, rows: Rows) -> str:
    """A set's name with the number of its over-exposed pairs, as the last run counted them."""
    return next((row["pairs"] for row in rows.before if row["pairs"].startswith(f"{name} (")), name)


def method_of(key: Row) -> list[str]:
    return [key["method"]]


@torch.inference_mode()
def people_and_text(keys: list[Row]) -> list[Row]:
    """Letters against their board, pedestrians against the ground beside them."""
    fusers = {key["method"]: creation.fuser(key["method"]) for key in keys}
    sums = {name: [0.0, 0.0] for name in fusers}
    for seed in SEEDS:
        made = scene(seed, SIZE, Conditions())
        pair = made.tensors()
        letters, people = torch.from_numpy(made.letters), torch.from_numpy(made.people)
        board = torch.from_numpy(made.sign) & ~letters
        for name, fuser in fusers.items():
            plane = 255 * luma(fuser(*pair))
            sums[name][0] += abs(contrast(plane, letters, board)) / len(SEEDS)
            sums[name][1] += abs(contrast(plane, people, ring(people))) / len(SEEDS)
    return [{"pairs": NIGHTS, "method": name, "letters": a, "pedestrians": b} for name, (a, b) in sums.items()]


@torch.inference_mode()
def picture(fusers: dict[str, Callable[..., Tensor]]) -> None:
    made = scene(SEEDS[0], SIZE, GLARE)
    visible, infrared = made.tensors()
    pictures = {"visible": visible, "infrared": infrared}
    pictures |= {name: fuser(visible, infrared) for name, fuser in fusers.items()}
    details = [around(luma(visible)[0, 0] > WHITE), around(largest(torch.from_numpy(made.people)))]
    save(sheet(pictures, details, columns=4, width=320), FIGURES / "maefuse-glare.png")


if __name__ == "__main__":
    main()
