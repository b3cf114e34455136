"""The claims of arXiv:2412.08073: `claims.py` makes the page of them."""

from collections.abc import Callable, Mapping
from typing import Any

from claim import HELD, NOT, OPEN, OUT, PART, PENDING, UNTESTED, Claim, rows, said, untested

QUALITY = rows("quality", "method")
ABLATIONS = rows("ablations", "recipe")
ATTENTION = rows("attention", "weights")
BORDER = rows("border", "weights", "padding")
FIRST = rows("first_experiments", "method")
SPEED = rows("speed", "method", "runtime", "precision")
CONDITIONS = rows("conditions", "method", "condition")
LEADERS = rows("leaderboard", "set", "profile", "method")
PREFERENCE = rows("preference", "method")
DETECTED = rows("detection", "method")
CHOSEN = rows("choosing", "measure")


def ablation(name: str) -> Mapping[str, Any]:
    return ABLATIONS[f"encdec-ablation-{name}"]


def fps(method: str, runtime: str, precision: str) -> float:
    return float(SPEED[method, runtime, precision]["fps"])


def detected(*names: str) -> str:
    """Average precision of methods that were measured, and how far from the better camera."""
    there = [name for name in names if name in DETECTED]
    told = [f"{name} {DETECTED[name]['AP50, both']}, over visible {DETECTED[name]['over visible']}" for name in there]
    return f"AP50 of persons and cars, visible {DETECTED['visible']['AP50, both']}; " + "; ".join(told)


def served(name: str) -> str:
    """Whether a small detector gained: the 95 % interval of the difference from the better camera leaves out 0."""
    if name not in DETECTED:
        return PENDING
    low, high = map(float, DETECTED[name]["over visible"].split("[")[1].rstrip("]").split(","))
    return HELD if low > 0 else NOT if high < 0 else OPEN


def followed(*names: str) -> str:
    """How often measures say what a rater said."""
    told = [f"{name} {CHOSEN[name]['right, other pairs left, %']}" for name in names if name in CHOSEN]
    return (
        f"% of the preferences of vision models, not people, that a measure foretells: {', '.join(told)}; chance 50"
        if told
        else PENDING
    )


def either(condition: bool, yes: str = HELD, no: str = NOT) -> Callable[[], str]:
    return lambda: yes if condition else no


def ours(column: str, method: str = "encdec:paper") -> float:
    return QUALITY[method][column]


def above(column: str) -> list[str]:
    """Methods that the paper's network does not beat in a column of the quality table, other weights of it apart."""
    found = {name: row[column] for name, row in QUALITY.items() if isinstance(row.get(column), float)}
    others = ("reported", "published", "encdec", "visible", "infrared")
    return sorted(name for name, value in found.items()
                  if value > found["encdec:paper"] and not any(word in name for word in others))  # fmt: skip


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


def share(weights: str, level: int) -> float:
    return float(ATTENTION[weights][f"visible share, level {level}"])


def most_one_sided() -> tuple[str, int, float]:
    """The weights and level at which one source has most of the fused features, and the visible share there."""
    mixed = [weights for weights, row in ATTENTION.items() if "visible share, level 1" in row]
    places = [(weights, level) for weights in mixed for level in range(1, 6)]
    weights, level = max(places, key=lambda place: abs(share(*place) - 0.5))
    return weights, level, share(weights, level)


def shares() -> str:
    weights, level, value = most_one_sided()
    paper = ", ".join(f"{share('paper', n):.2f}" for n in range(1, 6))
    return (
        f"share of visible in the fused features of paper, level by level: {paper}; "
        f"most one-sided of all weights: {weights}, level {level}: {value:.2f}"
    )


def favoured() -> str:
    weights, _, value = most_one_sided()
    return f"it did in {weights}, not in paper" if abs(value - 0.5) > ONE_SIDED else "it did not"


ONE_SIDED = 0.3
"""Distance from a half beyond which a source is favoured."""
KEPT = 0.5
"""Share of the contrast of the source that shows a thing, which must be left for it to be kept."""


def kept(part: str, method: str = "encdec:paper") -> float:
    return float(FIRST[method][f"{part} kept"])


def without_its_loss() -> list[str]:
    """The paper's network and the plain average on TNO21 by measures that it was not trained with."""
    paper, average = (LEADERS["TNO21", "default", name] for name in ("encdec:paper", "average"))
    return [f"{name} {paper[name]:.3f} / {average[name]:.3f}" for name in ("VIF", "Qabf", "SCD")]


def better_without_its_loss() -> bool:
    paper, average = (LEADERS["TNO21", "default", name] for name in ("encdec:paper", "average"))
    return all(paper[name] > average[name] for name in ("VIF", "Qabf", "SCD"))


def preferred() -> str:
    column = "preferred to the average one, %"
    told = ", ".join(f"{name} {row[column]}" for name, row in PREFERENCE.items())
    return f"{column}, in blind comparisons by models, not people: {told}" if told else "needs people"


REWRITTEN = ("encdec:paper", "openvino, error 0.1", "bf16")
PUBLISHED = ("encdec:paper, published graph", "torch", "fp32")
TIF = ("tif", "torch", "fp32")


def faster(way: tuple[str, str, str]) -> str:
    return "yes" if fps(*way) > fps(*TIF) else "no"


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
        lambda: (
            ablated("shared-encoder")
            + "; both networks are linear, and 16 shared channels span every filter of a level: they could not differ"
        ),
        said(f"{OPEN} from a linear network and one seed"),
    ),
    untested(
        "…except where both images are alike: there one encoder is better (break condition)",
        "needs networks with ReLU, several seeds, and pairs of like and of unlike spectra",
        "`irvis train encdec-ablation-shared-encoder`",
    ),
    untested(
        "A mean over 2×2 pixels halves the size, not a convolution of stride 2",
        "no run learns the 4×4 kernel freely",
    ),
    Claim(
        "The 1×1 layers are an attention layer",
        "`benchmarks/attention.py`",
        lambda: (
            f"change of the gradient from scene to scene: {steady('paper'):.3f}"
            " (0: a fixed linear filter); with ReLU (tiny) "
            f"{steady('tiny'):.3f}, with gains (default) {steady('default'):.3f}"
        ),
        either(steady("paper") > 0),
    ),
    Claim(
        "…which may come to favour one modality (break condition)",
        "`benchmarks/attention.py`",
        shares,
        favoured,
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
        lambda: (
            f"Qw on TNO21: trained {ours('TNO21 Qw'):.3f}, plain average {ours('TNO21 Qw', 'average'):.3f}; by "
            f"measures it was not trained with: {', '.join(without_its_loss())}"
        ),
        lambda: HELD if better_without_its_loss() else "held by its own loss, not by every other measure",
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
        lambda: (
            "luma keeps the colours by construction. RGB to RGB turned a night street green, but with an MSE of weight "
            "1 on [0, 1]; the authors' RGB configuration comes to 40 on this scale, and no other term sees colour"
        ),
        said(f"held for luma; RGB with the authors' weights of the losses: {UNTESTED}"),
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
        lambda: (
            f"{ours('TNO21 Qw'):.3f}; trained here on pairs of TNO too (16, none of these 21), there on FLIR and KAIST"
        ),
        lambda: "held in part: reached with training pairs of the same set" if ours("TNO21 Qw") >= 0.75285 else NOT,
    ),
    Claim(
        "Table 1: it is the best of six, Hybrid_MSD among them (.68894)",
        "`benchmarks/quality.py`",
        lambda: (
            f"our network {ours('TNO21 Qw'):.3f}; of its rivals Hybrid_MSD (own implementation) "
            f"{ours('TNO21 Qw', 'hybrid-msd'):.3f}, DLF {theirs('DLF', 'Qw'):.3f}, RFN-Nest "
            f"{theirs('RFN-Nest', 'Qw'):.3f}"
        ),
        lambda: NOT if ours("TNO21 Qw", "hybrid-msd") > ours("TNO21 Qw") else "held among these four",
    ),
    Claim(
        "Table 1 and figure 4: DeepFuse and Dual_Branch",
        "none",
        lambda: "neither their images nor an implementation were at hand",
        said(OUT),
    ),
    Claim(
        "Fourth by Qw on VIFB",
        "`benchmarks/quality.py`",
        lambda: f"{ours('VIFB Qw'):.3f}; above it: {', '.join(above('VIFB Qw'))}",
        said("other rivals: no verdict"),
    ),
    Claim(
        "Best perceptual quality (PaQ-2-PiQ)",
        "`irvis evaluate … --profile` with PaQ-2-PiQ's weights",
        lambda: "the weights of the metric were not at hand",
        said(OUT),
    ),
    Claim(
        "Figures 3 and 4: looks better than the others",
        "`irvis study`, `benchmarks/preference.py`",
        preferred,
        said("not by people yet"),
    ),
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
            f"{fps(*REWRITTEN):.1f} fps, both on two cores of a server"
        ),
        said(f"{UNTESTED} on a small device"),
    ),
    untested("Runs on a Jetson (future work)", "no such device was at hand", "`irvis bench` on the device"),
    untested(
        "Fewer weights than the other networks",
        "`irvis methods` counts those of this network; the others' were not counted here",
        "`irvis methods`",
    ),
    Claim(
        "Serves detection, segmentation and tracking on embedded devices",
        "`benchmarks/detection.py`, `irvis evaluate … --detect`",
        lambda: f"detection on MSRS27: {detected('encdec:paper', 'encdec:default', 'encdec:tiny', 'laplacian')}",
        lambda: (
            f"encdec:tiny, a small detector, 27 pictures: {served('encdec:tiny')}; encdec:paper: "
            f"{served('encdec:paper')}; segmentation, tracking, embedded devices: {UNTESTED}"
        ),
    ),
    Claim(
        "Faster than every other method, TIF included",
        "`benchmarks/speed.py`",
        lambda: (
            f"tif (own implementation) {fps(*TIF):.1f} fps, the published graph {fps(*PUBLISHED):.1f} fps, rewritten "
            f"{fps(*REWRITTEN):.1f} fps on the same cores"
        ),
        lambda: f"as published {faster(PUBLISHED)}, rewritten {faster(REWRITTEN)}",
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
    untested(
        "A more general data set of different objects (future work)",
        "the synthetic scenes are streets; no other kind is drawn, and none was trained on",
    ),
    Claim(
        "First experiment: known truth",
        "`benchmarks/first_experiments.py`",
        lambda: (
            f"kept: letters {kept('letters'):.2f}, pedestrians {kept('pedestrians'):.2f} of the contrast of the source "
            f"that shows them; laplacian {kept('letters', 'laplacian'):.2f}, {kept('pedestrians', 'laplacian'):.2f}; "
            "half is asked for"
        ),
        lambda: {2: HELD, 1: PART, 0: NOT}[(kept("letters") >= KEPT) + (kept("pedestrians") >= KEPT)],
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
        "`benchmarks/choosing.py`, `irvis study --report`",
        lambda: followed("Qw", "Qe", "the sum"),
        said("not tested on people yet; of models' preferences, see the number"),
    ),
]
