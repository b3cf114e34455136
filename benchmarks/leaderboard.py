"""docs/leaderboard.md: our methods and baselines beside the published results on VIFB and TNO21, judged by one code.

Ours are written as the published files are (VIFB: JPEG of quality 75), so that nobody gains by a format. Results are
kept in runs/leaderboard; a second run computes only what is new.
"""

import io as streams
import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from common import HERE, RESULTS, arguments, machine, markdown
from irvis import files, io, jobs
from irvis.data.matching import Match, match
from irvis.evaluate import entries, evaluation, judging, statistics
from irvis.metrics import PROFILES

OURS = (
    "encdec", "encdec:tiny", "encdec:paper", "encdec:synthetic", "gff", "tif", "hybrid-msd", "hmsd-gf", "wavelet",
    "laplacian", "average", "visible", "infrared",
)  # fmt: skip
CONTROLS = ("visible", "infrared", "average", "laplacian", "visible+noise", "stretched average")
PAGE = HERE.parent / "docs" / "leaderboard.md"


def main() -> None:
    chosen = arguments(
        __doc__,
        sets={"nargs": "+", "default": ["VIFB", "TNO21"]},
        workers={"type": int, "default": os.cpu_count()},
        kept={"type": Path, "default": HERE.parent / "runs" / "leaderboard"},
    )
    numbers: dict[str, object] = {}
    parts = [part(chosen, name, chosen.kept / name, numbers) for name in chosen.sets]
    facts = machine()
    (RESULTS / "leaderboard.json").write_text(json.dumps({"machine": facts, **numbers}, indent=1) + "\n")
    made = f"Made by `benchmarks/leaderboard.py` on {facts['date']}, torch {facts['torch']}."
    with files.whole(PAGE) as unfinished:
        unfinished.write_text("\n\n".join([INTRODUCTION, *parts, made]) + "\n")
    print(PAGE)


INTRODUCTION = """# Leaderboard

One code judges everything: the published images of 25 methods on VIFB, those of two methods on TNO21, our methods,
our own implementations of classical methods, and controls (in italics). All fused files are of one format: JPEG of
quality 75 on VIFB, as the published ones are, and PNG on TNO21. The mean rank is over the metrics that have a better
side, by the mean over the pairs; ranks depend on who takes part, and metrics that are much alike (MSE, RMSE, PSNR)
count each."""


def part(chosen, name: str, kept: Path, numbers: dict[str, object]) -> str:
    """The section of one data set: 13 metrics of VIFB's code, then every metric of ours."""
    root = chosen.data / "test" / name
    pairs = list(match(root / "vi", root / "ir").pairs)
    published = sorted(path for path in (chosen.data / "peers" / name).iterdir() if path.is_dir())
    suffix = "jpg" if name == "VIFB" else "png"
    places = {f"{path.name} (published)": path for path in published}
    places |= {text: fused(text, pairs, kept, suffix) for text in (*OURS, *entries.MADE)}
    rows = [entries.Entry(name=text, kind="images", source=str(path)) for text, path in places.items()]
    text = f"## {name}\n"
    for profile in ("vifb", "default"):
        metrics = [name for name in PROFILES[profile].metrics if not name.startswith("FMI")]
        plan = judging.Plan(entries=rows, metrics=metrics, profile=profile, out=kept, stems=entries.stems(pairs))
        judged = sorted(judging.judge_all(pairs, plan, chosen.workers), key=lambda one: one.pair.name)
        if problems := [problem for one in judged for problem in one.problems]:
            raise SystemExit("\n".join(problems))
        table = evaluation.table_of(judged, plan, {pair.name: pair.name for pair in pairs})
        summary = statistics.summarise(table, reference(table))
        numbers[f"{name} {profile}"] = {
            who: {m: v for m, v in zip(["mean rank", *metrics], [rank, *means], strict=True) if v == v}
            for who, rank, means in zip(
                table.entries, summary.mean_rank.tolist(), summary.mean.round(6).tolist(), strict=True
            )
        }
        text += section(table, summary, profile, name)
    return text


def reference(table: statistics.Table) -> int:
    return table.entries.index("encdec")


def fused(text: str, pairs: Sequence[Match], kept: Path, suffix: str) -> Path:
    """The folder of our results, made where it is not there yet; other weights or code make a new one."""
    control = text in entries.MADE
    entry = entries.Entry(name=text, kind="control" if control else "method", source=text)
    stamp = entries.digest(entries.fingerprint(entry, ()))
    folder = kept / "fused" / f"{text.replace(':', '-')}-{stamp[:6]}"
    for pair in pairs:
        path = folder / f"{pair.name}.{suffix}"
        if not path.exists():
            write(path, entries.fused(entry, judging.read(pair, jobs.Reading()), ()))
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


def section(table: statistics.Table, summary: statistics.Summary, profile: str, name: str) -> str:
    """One table, best mean rank first, with what holds our default back below it."""
    order = np.argsort(summary.mean_rank, kind="stable")
    rows = []
    for place, entry in enumerate(order):
        who = table.entries[entry]
        shown = f"*{who}*" if who in CONTROLS else who if "published" in who else f"**{who}**"
        values = {m: f"{summary.mean[entry, n]:.4g}" for n, m in enumerate(table.metrics)}
        rows.append({"": place + 1, "method": shown, "mean rank": float(summary.mean_rank[entry]), **values})
    whose = "VIFB's 13 metrics (profile `vifb`)" if profile == "vifb" else "Every metric but FMI, profile `default`"
    return f"\n### {name}: {whose}\n\n{markdown(rows)}\n\n{standing(table, summary)}\n"


def standing(table: statistics.Table, summary: statistics.Summary) -> str:
    """Where encdec stands, and by which metrics it is weakest."""
    ours = reference(table)
    place = int((summary.mean_rank < summary.mean_rank[ours]).sum()) + 1
    ranks = [(summary.rank[ours, n], metric) for n, metric in enumerate(table.metrics)]
    worst = sorted(((rank, metric) for rank, metric in ranks if np.isfinite(rank)), reverse=True)[:5]
    weak = ", ".join(f"{metric} {rank:.0f}" for rank, metric in worst)
    return (
        f"`encdec` (default weights) is number {place} of {len(table.entries)} by mean rank "
        f"({summary.mean_rank[ours]:.2f}); its weakest ranks: {weak}."
    )


if __name__ == "__main__":
    main()
