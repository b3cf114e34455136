"""docs/leaderboard.md: our methods and baselines beside the published results on VIFB and TNO21, judged by one code.

Ours are written as the published files are (VIFB: JPEG of quality 75), so that nobody gains by a format. Results are
kept; a second run computes only what is new.
"""

import io as streams
import os
from collections.abc import Sequence
from functools import partial
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from common import HERE, Rows, arguments, machine, markdown, write_json
from irvis import files, io, jobs
from irvis.data.matching import Match, match
from irvis.evaluate import compute, entries, evaluation, statistics
from irvis.evaluate.statistics import Array
from irvis.metrics import PROFILES
from made import EARLIER, Row, earlier, read

OURS = (
    "encdec", "encdec:tiny", "encdec:paper", "encdec:synthetic", "maefuse", "gff", "tif", "hybrid-msd", "hmsd-gf",
    "wavelet", "laplacian", "average", "visible", "infrared",
)  # fmt: skip
CONTROLS = ("visible", "infrared", "average", "laplacian", "visible+noise", "stretched average")
KEYS = ("set", "profile", "method")
PAGE = HERE.parent / "docs" / "leaderboard.md"


def main() -> None:
    chosen = arguments(
        __doc__,
        sets={"nargs": "+", "default": ["VIFB", "TNO21"]},
        workers={"type": int, "default": os.cpu_count()},
        kept={"type": Path, "default": HERE.parent / "runs" / "leaderboard"},
    )
    rows = Rows("leaderboard", chosen)
    for name in chosen.sets:
        for profile in ("vifb", "default"):
            keys = [{"set": name, "profile": profile, "method": who} for who in everyone(chosen.data, name)]
            rows.several(keys, partial(judged, chosen=chosen), lambda key: [key["method"]])
    write_json("leaderboard", {"machine": machine(), "script": "leaderboard", "rows": rows.rows})
    write_page()
    print(PAGE)


def write_page() -> None:
    """docs/leaderboard.md from the results."""
    with files.whole(PAGE) as unfinished:
        unfinished.write_text(page())


def page() -> str:
    tree = read("leaderboard")
    parts = [section([*rows], *key) for key, rows in groupby(tree["rows"], lambda row: (row["set"], row["profile"]))]
    dates = sorted({row["made"]["date"] for row in tree["rows"]})
    made = f"Made by `benchmarks/leaderboard.py`, {dates[0]} to {dates[-1]}, torch {tree['machine']['torch']}."
    return "\n\n".join([INTRODUCTION, *parts, made]) + "\n"


INTRODUCTION = """# Leaderboard

One code judges everything: the published images of 25 methods on VIFB, those of two methods on TNO21, our methods,
our own implementations of classical methods, and controls (in italics). All fused files are of one format: JPEG of
quality 75 on VIFB, as the published ones are, and PNG on TNO21. The mean rank is over the metrics that have a better
side, by the mean over the pairs to six decimals (equal ones share a rank). Ranks depend on who takes part, and metrics
that are much alike (MSE, RMSE, PSNR) count each."""


def everyone(data: Path, name: str) -> list[str]:
    """The published images of a set, our methods, the controls."""
    published = sorted(path.name for path in (data / "peers" / name).iterdir() if path.is_dir())
    return [*(f"{who} (published)" for who in published), *OURS, *entries.MADE]


@torch.inference_mode()
def judged(keys: list[Row], chosen) -> list[Row]:
    """The mean of every metric of one profile over the pairs of one set, for each of these."""
    name, profile = keys[0]["set"], keys[0]["profile"]
    root, kept = chosen.data / "test" / name, chosen.kept / name
    pairs = list(match(root / "vi", root / "ir").pairs)
    places = {key["method"]: place(key["method"], name, pairs, chosen) for key in keys}
    rows = [entries.Entry(name=who, kind="images", source=str(path)) for who, path in places.items()]
    metrics = [metric for metric in PROFILES[profile].metrics if not metric.startswith("FMI")]
    plan = compute.Plan(entries=rows, metrics=metrics, profile=profile, out=kept, stems=entries.stems(pairs))
    found = list(compute.judge_all(pairs, plan, chosen.workers))
    if problems := [problem for one in found for problem in one.problems]:
        raise SystemExit("\n".join(problems))
    table = evaluation.table_of(found, plan, {pair.name: pair.name for pair in pairs})
    means = table.values.mean(0).round(6)
    return [
        {**key, **{metric: value for metric, value in zip(metrics, line.tolist(), strict=True) if value == value}}
        for key, line in zip(keys, means, strict=True)
    ]


def place(who: str, name: str, pairs: Sequence[Match], chosen) -> Path:
    """The folder of its fused images."""
    if who.endswith(" (published)"):
        return chosen.data / "peers" / name / who.removesuffix(" (published)")
    return fused(who, pairs, chosen.kept / name, "jpg" if name == "VIFB" else "png")


def fused(text: str, pairs: Sequence[Match], kept: Path, suffix: str) -> Path:
    """The folder of our results, made where it is not there yet; other weights or code make a new one."""
    control = text in entries.MADE
    entry = entries.Entry(name=text, kind="control" if control else "method", source=text)
    stamp = entries.digest(entries.fingerprint(entry, ()))
    folder = kept / "fused" / f"{text.replace(':', '-')}-{stamp[:6]}"
    for pair in pairs:
        path = folder / f"{pair.name}.{suffix}"
        if not path.exists():
            write(path, entries.fused(entry, compute.read(pair, jobs.Reading()), ()))
    return folder


def write(path: Path, image) -> None:
    """PNG, or JPEG as MATLAB's imwrite makes it."""
    if path.suffix == ".png":
        io.write(path, image)
        return
    stream = streams.BytesIO()
    pixels = (image[0] * 255).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(pixels).save(stream, "JPEG", quality=75)
    with files.whole(path) as unfinished:
        unfinished.write_bytes(stream.getvalue())


def section(rows: list[Row], name: str, profile: str) -> str:
    """One table, best mean rank first, with what holds our default back below it."""
    metrics = list(dict.fromkeys(column for row in rows for column in row if column not in (*KEYS, "made")))
    means = np.array([[row.get(metric, np.nan) for metric in metrics] for row in rows])
    rank = statistics.ranks(means, metrics)
    mean_rank = np.nanmean(rank, 1)
    lines = []
    for number, at in enumerate(np.argsort(mean_rank, kind="stable"), 1):
        who = rows[at]["method"]
        shown = f"*{who}*" if who in CONTROLS else who if "published" in who else f"**{who}**"
        shown += f" ({EARLIER})" if earlier(rows[at]) else ""
        values = {metric: f"{value:.4g}" for metric, value in zip(metrics, means[at], strict=True)}
        lines.append({"": number, "method": shown, "mean rank": float(mean_rank[at]), **values})
    whose = "VIFB's 13 metrics (profile `vifb`)" if profile == "vifb" else "Every metric but FMI, profile `default`"
    title = f"## {name}\n\n" if profile == "vifb" else ""
    return f"{title}### {name}: {whose}\n\n{markdown(lines)}\n\n" + "\n\n".join(
        standing(who, [row["method"] for row in rows], metrics, rank, mean_rank) for who in ("encdec", "maefuse")
        if who in [row["method"] for row in rows]
    )  # fmt: skip


def standing(who: str, names: list[str], metrics: list[str], rank: Array, mean_rank: Array) -> str:
    """Where one of ours stands, and by which metrics it is weakest."""
    ours = names.index(who)
    number = int((mean_rank < mean_rank[ours]).sum()) + 1
    ranks = [(value, metric) for value, metric in zip(rank[ours], metrics, strict=True) if np.isfinite(value)]
    weak = ", ".join(f"{metric} {value:.0f}" for value, metric in sorted(ranks, reverse=True)[:5])
    return (
        f"`{who}` (default weights) is number {number} of {len(names)} by mean rank "
        f"({mean_rank[ours]:.2f}); its weakest ranks: {weak}."
    )


if __name__ == "__main__":
    main()
