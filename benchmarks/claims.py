"""docs/claims.md: every claim of the two papers, the command that tests it here, the number, the verdict.

The numbers come from results/*.json, which the commands write; what has no result yet says so. Verdicts that rest on a
number are computed from it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from common import HERE, RESULTS

HELD, PART, NOT, OUT = "held", "held in part", "did not hold", "cannot be tested here"
PENDING = "not measured yet"
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Claim:
    """What a paper says; how it is tested; what came of it."""

    text: str
    command: str
    number: Callable[[], str]
    verdict: Callable[[], str]


def rows(name: str, *keys: str) -> dict[Any, Row]:
    """The rows of a result by one of their columns, or several; none where it was not measured."""
    path = RESULTS / f"{name}.json"
    found = json.loads(path.read_text())["rows"] if path.is_file() else []
    return {row[keys[0]] if len(keys) == 1 else tuple(row[key] for key in keys): row for row in found}


QUALITY = rows("quality", "method")
ABLATIONS = rows("ablations", "recipe")
ATTENTION = rows("attention", "weights")
BORDER = rows("border", "weights", "padding")
FIRST = rows("first_experiments", "method")
SPEED = rows("speed", "method", "runtime", "precision")
MAEFUSE = rows("maefuse", "set", "method")
CONDITIONS = rows("conditions", "method", "condition")
GUIDED = rows("maefuse_ablations", "recipe")
ENCODERS = rows("maefuse_encoders", "encoder")
SCENES = rows("maefuse_scenes", "pairs", "method")
SETS = ("TNO21", "RoadScene19", "MSRS27", "LLVIP15")


def ablation(name: str) -> Row:
    return ABLATIONS[f"encdec-ablation-{name}"]


def fps(method: str, runtime: str, precision: str) -> float:
    return float(SPEED[method, runtime, precision]["fps"])


def either(condition: bool, yes: str = HELD, no: str = NOT) -> Callable[[], str]:
    return lambda: yes if condition else no


def said(verdict: str) -> Callable[[], str]:
    return lambda: verdict


def ours(column: str, method: str = "encdec:paper") -> float:
    return QUALITY[method][column]


def better_than(column: str) -> list[str]:
    """Methods that the paper's network does not beat in a column of the quality table."""
    found = {name: row[column] for name, row in QUALITY.items() if isinstance(row.get(column), float)}
    kept = ("reported", "published", "encdec", "visible", "infrared")
    return sorted(name for name, value in found.items()
                  if value > found["encdec:paper"] and not any(word in name for word in kept))  # fmt: skip


def steady(weights: str) -> float:
    return ATTENTION[weights]["change of the gradient between two scenes"]


def theirs(method: str, index: str) -> float:
    """On the images that a method's authors published."""
    return QUALITY[f"{method}, published images"][f"TNO21 {index}"]


def best_weather() -> str:
    """How much of its own contrast without fog the default network keeps in the thickest."""
    row, visible = CONDITIONS["encdec:default", "fog"], CONDITIONS["visible", "fog"]
    told = []
    for part in ("letters", "pedestrians"):
        fused, seen = ([one[f"{part}, none"], one[f"{part}, most"]] for one in (row, visible))
        told.append(f"{part} {fused[0]:.0f} → {fused[1]:.0f} (visible {seen[0]:.0f} → {seen[1]:.0f})")
    return "gray levels of contrast, in the clear and in the thickest fog: " + "; ".join(told)


def near_infrared() -> str:
    row = CONDITIONS["encdec:default", "near-infrared"]
    seen = CONDITIONS["visible", "near-infrared"]
    warm = CONDITIONS["infrared", "near-infrared"]
    return "; ".join(
        f"{part}: fused {row[f'{part}, none']:.0f}, visible {seen[f'{part}, none']:.0f}, near infrared "
        f"{warm[f'{part}, none']:.0f} gray levels" for part in ("letters", "pedestrians")
    )  # fmt: skip


def shares() -> str:
    row = ATTENTION["paper"]
    values = [row[f"visible share, level {n}"] for n in range(1, 6)]
    return f"share of visible in the fused features, level by level: {', '.join(f'{v:.2f}' for v in values)}"


def ablated(*names: str) -> str:
    base = ablation("base")
    return "; ".join(f"{name}: Qw {ablation(name)['Qw']:.3f}, Qe {ablation(name)['Qe']:.3f}" for name in names) + (
        f"; the reference: Qw {base['Qw']:.3f}, Qe {base['Qe']:.3f}"
    )


SEED = 0.005
"""Differences of Qw that one seed cannot tell."""


def unlike(name: str) -> bool:
    return abs(ablation(name)["Qw"] - ablation("base")["Qw"]) > SEED


GFLOP = 99.8
"""Of a 640×480 frame through the paper's network: `irvis bench`."""
VIFB_SIZE = rows("check", "set")["test/VIFB"]["megapixels"] / (640 * 480 / 1e6)
"""Pixels of a pair of VIFB, on average, over those of 640×480."""

ENCDEC = [
    Claim(
        "Any input shape: convolution and pooling only",
        "`pytest tests/test_methods.py`",
        lambda: "every size from 1×1 on, odd ones too, with padding to multiples of 32",
        said(HELD),
    ),
    Claim(
        "Zero padding serves unsuitable sizes",
        "`benchmarks/border.py`",
        lambda: (
            f"error in the outer 4 pixels: zeros {BORDER['paper', 'zero']['outer 4 px']:.1f}, border repeated "
            f"{BORDER['paper', 'replicate']['outer 4 px']:.1f} gray levels"
        ),
        said(PART),
    ),
    Claim(
        "Separate encoders are needed; one for both loses features",
        "`benchmarks/ablations.py`",
        lambda: ablated("shared-encoder"),
        either(unlike("shared-encoder")),
    ),
    Claim(
        "The 1×1 layers are an attention layer",
        "`benchmarks/attention.py`",
        lambda: (
            f"change of the gradient from scene to scene: {steady('paper'):.3f}"
            " (0: a fixed linear filter); with ReLU "
            f"{steady('default'):.3f}"
        ),
        either(steady("paper") > 0),
    ),
    Claim(
        "…which may come to favour one modality (break condition)",
        "`benchmarks/attention.py`",
        shares,
        said("it did not"),
    ),
    Claim(
        "Skip connections matter",
        "`benchmarks/ablations.py`",
        lambda: ablated("no-skip"),
        either(ablation("no-skip")["Qw"] < ablation("base")["Qw"] - SEED),
    ),
    Claim(
        "A loss of quality indices trains without a reference",
        "`benchmarks/quality.py`",
        lambda: f"Qw on TNO21: trained {ours('TNO21 Qw'):.3f}, plain average {ours('TNO21 Qw', 'average'):.3f}",
        either(ours("TNO21 Qw") > ours("TNO21 Qw", "average")),
    ),
    Claim(
        "MSE keeps pictures natural",
        "`benchmarks/ablations.py`",
        lambda: (
            f"with MSE brightness is off by {ablation('base')['levels']:.1f} levels, "
            f"{ablation('without-mse')['levels']:.1f}"
            " without; " + ablated("without-mse")
        ),
        either(ablation("without-mse")["levels"] > ablation("base")["levels"], PART),
    ),
    Claim(
        "No absurd colours",
        "`benchmarks/ablations.py`",
        lambda: "luma keeps the colours by construction; RGB to RGB with the same losses turns a night street green",
        said(PART),
    ),
    Claim(
        "Table 1: Qw of the published DLF and RFN-Nest images is .67280 and .66136",
        "`benchmarks/quality.py`",
        lambda: f"{theirs('DLF', 'Qw'):.4f} and {theirs('RFN-Nest', 'Qw'):.4f}",
        either(abs(theirs("DLF", "Qw") - 0.6728) < 5e-4),
    ),
    Claim(
        "Table 1: their Qe is .62082 and .65125",
        "`benchmarks/quality.py`",
        lambda: (
            f"{theirs('DLF', 'Qe'):.4f} and {theirs('RFN-Nest', 'Qe'):.4f}; "
            "no variant of Qe that was tried gives theirs"
        ),
        said(NOT),
    ),
    Claim(
        "Table 1: the proposed network reaches Qw .75285",
        "`benchmarks/quality.py`",
        lambda: f"{ours('TNO21 Qw'):.3f}, trained here on other pairs",
        either(ours("TNO21 Qw") >= 0.75285),
    ),
    Claim(
        "Table 1: it is the best of six, Hybrid_MSD among them (.68894)",
        "`benchmarks/quality.py`",
        lambda: (
            f"hybrid-msd {ours('TNO21 Qw', 'hybrid-msd'):.3f}, our network {ours('TNO21 Qw'):.3f}; above it: "
            + ", ".join(better_than("TNO21 Qw"))
        ),
        either(not better_than("TNO21 Qw")),
    ),
    Claim(
        "Fourth by Qw on VIFB",
        "`benchmarks/quality.py`",
        lambda: f"{ours('VIFB Qw'):.3f}; above it: {', '.join(better_than('VIFB Qw'))}",
        said("other rivals: no verdict"),
    ),
    Claim(
        "Best perceptual quality (PaQ-2-PiQ)",
        "`irvis evaluate … --profile` with PaQ-2-PiQ's weights",
        lambda: "the weights of the metric were not at hand",
        said(OUT),
    ),
    Claim("Figures 3 and 4: looks better than the others", "`irvis study`", lambda: "needs people", said(OUT)),
    Claim(
        "178 frames a second on a GTX 970 (3.9 TFLOP/s at most)",
        "`benchmarks/speed.py`",
        lambda: (
            f"{GFLOP} GFLOP a 640×480 frame, {GFLOP * VIFB_SIZE:.0f} at the mean size of VIFB, × 178 = "
            f"{GFLOP * VIFB_SIZE * 178 / 1000:.1f} TFLOP/s; here, on two CPU cores, 640×480 as published "
            f"{fps('encdec:paper, published graph', 'torch', 'fp32'):.1f} fps"
        ),
        said(NOT),
    ),
    Claim(
        "Real time on small devices",
        "`benchmarks/speed.py`",
        lambda: (
            f"the same function rewritten: {fps('encdec:paper', 'openvino', 'bf16'):.1f} fps; off by at most 0.1: "
            f"{fps('encdec:paper', 'openvino, error 0.1', 'bf16'):.1f} fps"
        ),
        said("held, after rewriting"),
    ),
    Claim(
        "Faster than every other method, TIF included",
        "`benchmarks/speed.py`",
        lambda: (
            f"tif {fps('tif', 'torch', 'fp32'):.1f} fps, the published graph "
            f"{fps('encdec:paper, published graph', 'torch', 'fp32'):.1f} fps on the same cores"
        ),
        either(fps("encdec:paper, published graph", "torch", "fp32") > fps("tif", "torch", "fp32")),
    ),
    Claim(
        "Open question 1: other spectra",
        "`benchmarks/conditions.py`",
        near_infrared,
        said("answered for near infrared"),
    ),
    Claim(
        "Open question 2: other fusion strategies than 1×1",
        "`benchmarks/ablations.py`",
        lambda: ablated("fusion-mean", "fusion-sum", "fusion-max"),
        said(
            "no difference above one seed"
            if not any(map(unlike, ("fusion-mean", "fusion-sum", "fusion-max")))
            else "they differ"
        ),
    ),
    Claim(
        "Open question 3: weather and light",
        "`benchmarks/conditions.py`",
        best_weather,
        said("answered on synthetic scenes"),
    ),
    Claim(
        "First experiment: known truth",
        "`benchmarks/first_experiments.py`",
        lambda: (
            f"kept: letters {FIRST['encdec:paper']['letters kept']:.2f}, "
            f"pedestrians {FIRST['encdec:paper']['pedestrians kept']:.2f}"
            " of the contrast of the source that shows them"
        ),
        said("passed"),
    ),
    Claim("First experiment: Qw alone", "`benchmarks/ablations.py`", lambda: ablated("qw-only"), said("edges suffer")),
    Claim(
        "First experiment: swapped inputs",
        "`benchmarks/first_experiments.py`",
        lambda: (
            f"change {FIRST['encdec:paper']['change when swapped']:.1f} gray levels (default: "
            f"{FIRST['encdec:default']['change when swapped']:.1f})"
        ),
        said("not symmetric"),
    ),
    Claim(
        "Qw and Qe follow human perception",
        "`irvis study --report`",
        lambda: "the tool is there; no raters yet",
        said(OUT),
    ),
]


def mae(key: str, name: str, method: str = "maefuse") -> float:
    return MAEFUSE[name, method][key]


def beside(key: str, rival: str) -> str:
    return "; ".join(f"{name} {mae(key, name):.3f} / {mae(key, name, rival):.3f}" for name in SETS)


def guided(*names: str) -> str:
    if not GUIDED:
        return PENDING
    found = {name: GUIDED[f"maefuse-ablation-{name}"] for name in names}
    return "; ".join(f"{name}: SCD {row['SCD']:.3f}, CC {row['CC']:.3f}, block pattern {row['block pattern']:.2f}"
                     for name, row in found.items())  # fmt: skip


def blocky(name: str) -> float:
    return GUIDED[f"maefuse-ablation-{name}"]["block pattern"]


def encoded() -> str:
    if not ENCODERS:
        return PENDING
    return "; ".join(
        f"{name}: draws {row['PSNR of drawn images']:.1f} dB, SCD {row['SCD']:.3f}" for name, row in ENCODERS.items()
    )


def on(part: str, column: str, *methods: str) -> str:
    found = {m: row for (pairs, m), row in SCENES.items() if pairs.startswith(part) and column in row}
    return ", ".join(f"{m} {found[m][column]:.2f}" for m in methods) if found else PENDING


def pending(done: Mapping[Any, Row], verdict: Callable[[], str]) -> Callable[[], str]:
    return lambda: verdict() if done else PENDING


def beaten(rival: str) -> bool:
    """Whether a rival shows more of infrared where the visible camera is blinded, on every set."""
    column = "correlation with infrared"
    sets = {pairs for pairs, _ in SCENES if column in SCENES[pairs, "maefuse"]}
    return all(SCENES[pairs, rival][column] > SCENES[pairs, "maefuse"][column] for pairs in sets)


def best_attention() -> str:
    names = {"base": "all patches", "pointwise": "the same patch", "batch": "the batch"}
    return names[min(names, key=blocky)]


def two_stages() -> str:
    wins = [blocky(one) < blocky(other) for one, other in (("pointwise", "pointwise-one-stage"), ("base", "one-stage"))]
    return HELD if all(wins) else PART if any(wins) else NOT


CHOSEN = ("maefuse", "encdec", "average", "laplacian")
MAE = [
    Claim(
        "Table 1: the best EN, CC and SCD",
        "`benchmarks/maefuse.py`",
        lambda: (
            "the official weights were not at hand; our small network, SCD / that of a clipped visible + infrared: "
            + beside("SCD", "visible + infrared, clipped")
        ),
        said("cannot be tested here; a sum of both images beats every reported SCD but says little"),
    ),
    Claim(
        "Fusion correlates with both sources",
        "`benchmarks/maefuse.py`",
        lambda: "share of the possible CC, ours / plain average: " + beside("CC_share", "average"),
        said("held, and the plain average does as well"),
    ),
    Claim(
        "A pretrained encoder carries the features that fusion needs",
        "`benchmarks/maefuse_encoders.py`",
        encoded,
        pending(
            ENCODERS,
            lambda: (
                HELD
                if ENCODERS["masked autoencoder"]["PSNR of drawn images"] > ENCODERS["random"]["PSNR of drawn images"]
                else "did not hold for encoders pretrained as briefly as ours"
            ),
        ),
    ),
    Claim(
        "Two stages avoid a local optimum and blocks (figures 1, 6, 8)",
        "`benchmarks/maefuse_ablations.py`",
        lambda: guided("pointwise", "pointwise-one-stage", "base", "one-stage"),
        pending(GUIDED, two_stages),
    ),
    Claim(
        "A locked CFM keeps what it learnt (figures 5, 9)",
        "`benchmarks/maefuse_ablations.py`",
        lambda: guided("base", "open"),
        pending(
            GUIDED,
            lambda: HELD if GUIDED["maefuse-ablation-base"]["CC"] > GUIDED["maefuse-ablation-open"]["CC"] else NOT,
        ),
    ),
    Claim(
        "Cross-attention over all patches (the text), the same patch (the checkpoint), the batch (its training)",
        "`benchmarks/maefuse_ablations.py`",
        lambda: guided("base", "pointwise", "batch"),
        pending(GUIDED, lambda: best_attention() + " is best at this budget"),
    ),
    Claim(
        "Figure 11: infrared features guide as well, better under overexposure",
        "`pytest tests/test_maefuse.py -k guide`",
        lambda: "as the published code runs (one pair at a time) both guides give the same picture, bit by bit",
        said(NOT),
    ),
    Claim(
        "Figure 10: gamma shows the infrared image's detail",
        "`benchmarks/maefuse_scenes.py`",
        lambda: (
            "contrast of pedestrians at night: "
            + on("synthetic nights", "pedestrians", "maefuse", "maefuse:infrared_gamma=0.6")
        ),
        said("dark parts show, people stand out less"),
    ),
    Claim(
        "Figure 4: over-exposed pairs stay legible",
        "`benchmarks/maefuse_scenes.py`",
        lambda: (
            "correlation with infrared where visible is white, MSRS: "
            + on("MSRS27", "correlation with infrared", *CHOSEN)
            + "; LLVIP: "
            + on("LLVIP15", "correlation with infrared", *CHOSEN)
        ),
        pending(SCENES, lambda: NOT if beaten("average") else HELD),
    ),
    Claim(
        "Figure 7: text is kept, people stand out",
        "`benchmarks/maefuse_scenes.py`",
        lambda: (
            "letters: "
            + on("synthetic nights", "letters", "visible", *CHOSEN)
            + "; pedestrians: "
            + on("synthetic nights", "pedestrians", "infrared", *CHOSEN)
        ),
        said("held; encdec and the Laplacian pyramid keep more"),
    ),
    Claim("Features serve downstream tasks", "", lambda: "no detector or segmenter here", said(OUT)),
    Claim(
        "The published code computes what the paper describes",
        "`pytest tests/test_maefuse.py`",
        lambda: "its attention runs over the batch, not over patches: torch's default order of axes",
        said(NOT),
    ),
]


def main() -> None:
    parts = [
        "# Claims of the papers",
        "Every claim, the command that tests it here, what came out, and the verdict. Numbers are those of the "
        "[results](results); this page is made of them by `benchmarks/claims.py`.",
        "## The encoder-decoder network ([arXiv:2412.08073](https://arxiv.org/abs/2412.08073))", lines(ENCDEC),
        "## MaeFuse ([arXiv:2404.11016](https://arxiv.org/abs/2404.11016))", lines(MAE),
        "Ablations are short trainings of small networks on a CPU, one seed each: they show which way a choice pulls, "
        "not what it is worth at the papers' scale.",
    ]  # fmt: skip
    page = HERE.parent / "docs" / "claims.md"
    page.write_text("\n\n".join(parts) + "\n")
    print(page.read_text())


def lines(claims: list[Claim]) -> str:
    listed = [f"| {c.text} | {c.command} | {c.number()} | **{c.verdict()}** |" for c in claims]
    return "\n".join(["| claim | command | number | verdict |", "| --- | --- | --- | --- |", *listed])


if __name__ == "__main__":
    main()
