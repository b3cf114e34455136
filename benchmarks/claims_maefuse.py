"""The claims of arXiv:2404.11016: `claims.py` makes the page of them."""

from collections.abc import Callable, Mapping
from typing import Any

from claim import HELD, NOT, OPEN, PENDING, UNTESTED, Claim, rows, said, untested
from claims_encdec import detected, served

MAEFUSE = rows("maefuse", "set", "method")
GUIDED = rows("maefuse_ablations", "recipe")
ENCODERS = rows("maefuse_encoders", "encoder")
SCENES = rows("maefuse_scenes", "pairs", "method")
SETS = ("TNO21", "RoadScene19", "MSRS27", "LLVIP15")


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


def pending(done: Mapping[Any, Any], verdict: Callable[[], str]) -> Callable[[], str]:
    return lambda: verdict() if done else PENDING


def share_of(part: str, source: str) -> float:
    """Contrast of a thing in MaeFuse's pictures over that in the source that shows it."""
    found = {method: row for (pairs, method), row in SCENES.items() if pairs.startswith("synthetic nights")}
    return float(found["maefuse"][part] / found[source][part])


def locked() -> str:
    """Both must be better by every measure to have a verdict."""
    base, free = (GUIDED[f"maefuse-ablation-{name}"] for name in ("base", "open"))
    better = [base["SCD"] > free["SCD"], base["CC"] > free["CC"], base["block pattern"] < free["block pattern"]]
    verdict = HELD if all(better) else NOT if not any(better) else f"{OPEN}: the measures disagree"
    return f"{verdict}; at this scale, one seed"


def best_attention() -> str:
    names = {"base": "all patches", "pointwise": "the same patch", "batch": "the batch"}
    return names[min(names, key=blocky)]


CHOSEN = ("maefuse", "encdec", "laplacian")
MAE = [
    Claim(
        "Table 1: the best EN, CC and SCD",
        "`benchmarks/maefuse.py`",
        lambda: (
            "the official weights were not at hand; our own network, SCD / that of a clipped visible + infrared: "
            + beside("SCD", "visible + infrared, clipped")
        ),
        said("cannot be tested here; a sum of both images beats every reported SCD but says little"),
    ),
    Claim(
        "Fusion correlates with both sources",
        "`benchmarks/maefuse.py`",
        lambda: "share of the possible CC, ours / plain average: " + beside("CC_share", "average"),
        said("held at this scale, and the plain average does as well"),
    ),
    Claim(
        "A pretrained encoder carries the features that fusion needs",
        "`benchmarks/maefuse_encoders.py`",
        encoded,
        pending(
            ENCODERS,
            said(
                f"{OPEN}: how well images are drawn from features says how far they can be inverted, at which random "
                "ones are good; at this scale, with these encoders: ours saw few images, DINOv2 has other patches"
            ),
        ),
    ),
    Claim(
        "Two stages avoid a local optimum and blocks (figures 1, 6, 8)",
        "`benchmarks/maefuse_ablations.py`",
        lambda: guided("pointwise", "pointwise-one-stage", "base", "one-stage"),
        pending(
            GUIDED,
            said(
                f"{OPEN} at this scale: one seed; in two stages MFM learns for 1,000 steps, in one for 2,000; `base` "
                "and `one-stage` are both mosaics, and CFM is without effect in `pointwise`"
            ),
        ),
    ),
    Claim(
        "A locked CFM keeps what it learnt (figures 5, 9)",
        "`benchmarks/maefuse_ablations.py`",
        lambda: guided("base", "open"),
        pending(GUIDED, locked),
    ),
    Claim(
        "Cross-attention over all patches (the text), the same patch (the checkpoint), the batch (its training)",
        "`benchmarks/maefuse_ablations.py`",
        lambda: guided("base", "pointwise", "batch"),
        pending(GUIDED, lambda: best_attention() + " has the weakest block pattern at this budget; one seed"),
    ),
    Claim(
        "Figure 11: infrared features guide as well, better under overexposure",
        "`pytest tests/test_maefuse.py -k guide`",
        lambda: (
            "as the published code runs (one pair at a time) both guides give the same picture, bit by bit; where the "
            "guide acts (attention over all patches) nothing was measured"
        ),
        said(f"no effect in the published code; otherwise {UNTESTED}"),
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
            "where visible is white, MSRS / LLVIP: correlation with infrared "
            + " / ".join(on(name, "correlation with infrared", *CHOSEN) for name in ("MSRS27", "LLVIP15"))
            + "; stays white "
            + " / ".join(on(name, "stays white", *CHOSEN) for name in ("MSRS27", "LLVIP15"))
        ),
        pending(
            SCENES,
            said(
                f"{OPEN}: where visible is constant, a plain average correlates with infrared by construction, so the "
                "measure ranks nothing"
            ),
        ),
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
        pending(
            SCENES,
            lambda: (
                f"held in part, on synthetic scenes: {share_of('letters', 'visible'):.0%} of the letters' contrast is "
                f"kept, {share_of('pedestrians', 'infrared'):.0%} of the pedestrians'"
            ),
        ),
    ),
    untested(
        "Looks better than eight others (figures 2 and 3)",
        "none of the eight was run here; the published images of some stand on the [leaderboard](leaderboard.md)",
        "`irvis study`, `benchmarks/leaderboard.py`",
    ),
    Claim(
        "Features serve downstream tasks",
        "`benchmarks/detection.py`",
        lambda: f"our small weights, a small detector: {detected('maefuse:default', 'encdec:default', 'laplacian')}",
        lambda: f"{served('maefuse:default')} by detection; the official weights were not at hand",
    ),
    Claim(
        "The published code computes what the paper describes",
        "`pytest tests/test_maefuse.py`",
        lambda: "its attention runs over the batch, not over patches: torch's default order of axes",
        said(NOT),
    ),
]
