"""The weights of `irvis choose`: which measures of a fused picture tell what was preferred in blind comparisons.

    python benchmarks/choosing.py --zoo weights/ --earlier FOLDER  measure every ranked picture again, then fit
    python benchmarks/choosing.py                                  fit to what was measured: docs/results/choosing.md

What was measured is kept in results/preference/measures.json: round → pair → method → measure → value. The target of
training is not among it, as its rules have changed since it was ranked. FOLDER: the ranked weights.

The model: the odds that one picture of a pair is preferred to another are the exponential of a weighted sum of the
differences of their measures (Bradley & Terry 1952, with covariates), with a small ridge on standardised weights;
raters of a pair share one weight. The measures of the sum were chosen by hand, one for each thing that matters.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch

import made
import preference
from common import TABLES, arguments, machine, markdown, write_json
from irvis import creation, files, io
from irvis.choose.measures import measured

KEPT = preference.FOLDER / "measures.json"
METRICS = "Qw", "Qe", "Qabf", "VIF", "SSIM", "Q_CB"
MEASURES = (
    *METRICS, "targets", "detail", "noise", "tone", "darker", "brighter", "veil",
    "blown", "contrast", "overshoot",
)  # fmt: skip
SUM = ("tone", "Qw", "targets", "noise")
"""Natural brightness, structure of both sources, warm things, calm: chosen by hand."""
RIDGE = 0.3
NOTE = (
    "Right: share of the comparisons in which a rater preferred one of two pictures and the measure says the same; "
    "half is chance, two raters say the same in {agreed} %. Every pair is predicted by what was learnt from "
    "others, or from the other round alone. ± half of the 95 % bootstrap interval over pairs. A measure alone has one "
    "weight, whose sign is learnt too. The measures of the sum were chosen by hand, after others had been tried: sums "
    "that hold tone differ by less than the error."
)


def main() -> None:
    chosen = arguments(
        __doc__, zoo=dict(type=Path, help="published weights"), earlier=dict(type=Path, help="folder of ranked weights")
    )  # fmt: skip
    if chosen.zoo:
        measure(chosen)
    known = json.loads(KEPT.read_text())
    answers = read(known)
    names = SUM
    weights = dict(zip(names, (fit(answers, names) / scales(answers, names)).round(4).tolist(), strict=True))
    spread = dict(zip(MEASURES, scales(answers, MEASURES).round(4).tolist(), strict=True))
    said = [one for one in preference.read(preference.FOLDER) if one.pair in known.get(one.round, {})]
    tree = {
        "machine": machine(), "script": "choosing", "counted": counted(answers),
        "agreed": round(100 * preference.agreement(said)[0]), "weights": weights, "spread": spread,
        "rows": rows(answers),
    }  # fmt: skip
    write_json("choosing", tree)
    with files.whole(TABLES / "choosing.md") as unfinished:
        unfinished.write_text(page(tree))
    print(page(tree))


@dataclass(frozen=True, kw_only=True)
class Answers:
    """n comparisons of two pictures."""

    away: np.ndarray
    """(n, measures): of the first less of the second."""
    preferred: np.ndarray
    """(n,): 1 where the first was preferred, 0 where the second, 0.5 where neither."""
    weight: np.ndarray
    """(n,): raters of a pair share one."""
    pair: np.ndarray
    """(n,): number of the pair."""
    round: np.ndarray
    """(n,): number of the round."""

    def __getitem__(self, chosen: np.ndarray) -> "Answers":
        return Answers(**{name: getattr(self, name)[chosen] for name in self.__dataclass_fields__})


def read(known: Mapping[str, Mapping[str, Mapping[str, Mapping[str, float]]]]) -> Answers:
    """Every two measured pictures of every ranking."""
    said = preference.read(preference.FOLDER)
    raters = Counter((one.round, one.pair) for one in said)
    places = {key: n for n, key in enumerate(sorted(raters))}
    lines = []
    for one in said:
        found = known.get(one.round, {}).get(one.pair, {})
        for a, b in combinations(sorted({*one.places} & {*found}), 2):
            away = [found[a][name] - found[b][name] for name in MEASURES]
            better = (1 + np.sign(one.places[b] - one.places[a])) / 2
            key = one.round, one.pair
            lines.append((away, better, 1 / raters[key], places[key], preference.rounds(said).index(one.round)))
    away, better, weight, pair, rounds = (np.array(column) for column in zip(*lines, strict=True))
    return Answers(away=np.nan_to_num(away), preferred=better, weight=weight, pair=pair, round=rounds)


def scales(answers: Answers, names: Sequence[str]) -> np.ndarray:
    """The usual difference of each measure."""
    return np.sqrt(np.square(answers.away).mean(0))[[MEASURES.index(name) for name in names]]


def fit(answers: Answers, names: Sequence[str]) -> np.ndarray:
    """Weights of standardised measures, by Newton's method."""
    x = _columns(answers, names) / scales(answers, names)
    w = np.zeros(len(names))
    for _ in range(6):
        p = 1 / (1 + np.exp(-x @ w))
        slope = x.T @ (answers.weight * (answers.preferred - p)) - RIDGE * w
        bend = (x * (answers.weight * p * (1 - p))[:, None]).T @ x + RIDGE * np.eye(len(w))
        w = w + np.linalg.solve(bend, slope)
    return w


def _columns(answers: Answers, names: Sequence[str]) -> np.ndarray:
    return answers.away[:, [MEASURES.index(name) for name in names]]


def predicted(learnt: Answers, asked: Answers, names: Sequence[str]) -> np.ndarray:
    """Of each comparison, the logarithm of the odds for the first."""
    return _columns(asked, names) @ (fit(learnt, names) / scales(learnt, names))


def right(odds: np.ndarray, answers: Answers) -> np.ndarray:
    """1 where a preference was predicted, 0 where the other, NaN where there was none."""
    told = answers.preferred != 0.5
    return np.where(told, (odds > 0) == (answers.preferred > 0.5), np.nan)


def left_out(answers: Answers, groups: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Whether each comparison is predicted by those of the other groups."""
    odds = np.zeros(len(groups))
    for group in np.unique(groups):
        learnt = answers[groups != group]
        odds[groups == group] = predicted(learnt, answers[groups == group], names)
    return right(odds, answers)


def rows(answers: Answers) -> list[dict[str, object]]:
    """The sum and every measure alone, the best first, and how far each is from Qw."""
    models = {"the sum": SUM, **{name: (name,) for name in MEASURES}}
    by_pair = {name: left_out(answers, answers.pair, of) for name, of in models.items()}
    by_round = {name: left_out(answers, answers.round, of) for name, of in models.items()}
    facts = {"weights": {}, "commit": made.commit(), "date": machine()["date"]}
    found = [
        {
            "measure": name, "right, other pairs left, %": told(by_pair[name], answers.pair),
            "beside Qw": told(by_pair[name] - by_pair["Qw"], answers.pair, "+"),
            "right, from the other round, %": told(by_round[name], answers.pair), "made": facts,
        }
        for name in models
    ]  # fmt: skip
    return sorted(found, key=lambda row: -float(str(row["right, other pairs left, %"]).split()[0]))


def counted(answers: Answers) -> str:
    """How much the weights rest on."""
    pairs = [len(np.unique(answers.pair[answers.round == n])) for n in np.unique(answers.round)]
    return (
        f"{len(answers.pair):,} comparisons on {' and '.join(map(str, pairs))} pairs of two rounds were measured."
    )


def told(hits: np.ndarray, pairs: np.ndarray, sign: str = "") -> str:
    """A mean in percent, and half of its interval over pairs."""
    known = np.isfinite(hits)
    sums = np.array([[hits[known & (pairs == n)].sum(), (known & (pairs == n)).sum()] for n in np.unique(pairs)])
    drawn = sums[np.random.default_rng(0).integers(len(sums), size=(2000, len(sums)))].sum(1)
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], (0.025, 0.975))
    return f"{100 * hits[known].mean():{sign}.0f} ± {50 * (high - low):.0f}"


def page(tree: Mapping[str, Any]) -> str:
    """The document."""
    weights, spread = tree["weights"], tree["spread"]
    formula = [
        {"measure": name, "weight of one unit": f"{w:+.3f}", "usual difference": f"{spread[name]:.3f}",
         "that is worth": f"{w * spread[name]:+.2f}"}
        for name, w in weights.items()
    ]  # fmt: skip
    parts = [
        f"# {TITLE}", f"{INTRODUCTION} {tree['counted']}", markdown(tree["rows"]), NOTE.format(agreed=tree["agreed"]),
        "## The sum", WEIGHTS, markdown(formula), LAWS,
        f"Made by `benchmarks/choosing.py` on {tree['rows'][0]['made']['date']}.",
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


TITLE = "What tells which picture is preferred"
INTRODUCTION = (
    "`irvis choose` orders methods by a weighted sum of measures, whose weights come from the "
    "[blind comparisons](preference.md). **They are of vision models, not of people.**"
)
WEIGHTS = (
    "The weights that `irvis choose` uses; what the usual difference of two pictures is worth is in logarithms of odds."
)
LAWS = (
    "The measures are those of `irvis metrics`, and `irvis.choose.measures`: targets (contrast of warm things kept), "
    "detail (finest structure kept), noise (octaves over the calmer camera), tone, darker, brighter (brightness moved "
    "from that of the visible picture), veil (black lifted), blown (burnt out), contrast, overshoot (beyond both "
    "cameras); gray levels of 255."
)


@torch.inference_mode()
def measure(chosen: Any) -> None:
    """Every ranked picture that can be made, into results/preference/measures.json."""
    files_of = {files.digest(path): path for path in chosen.earlier.iterdir()}
    known = preference.called(preference.FOLDER).values()
    fusers = {
        "seafusion": creation.fuser(f"seafusion:{chosen.zoo / 'seafusion' / 'SeAFusion.pth'}"),
        **{name: creation.fuser(name) for name in ("hmsd-gf", "hybrid-msd", "laplacian")},
        **{
            facts["called"]: creation.fuser(str(files_of[facts["sha256"]]))
            for facts in known
            if facts.get("sha256") in files_of
        },
    }
    found: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
    for one in preference.read(preference.FOLDER):
        if one.pair in found.setdefault(one.round, {}):
            continue
        visible, infrared = places(chosen.data, one.round, one.pair)
        pair = io.read_pair(visible, infrared)
        found[one.round][one.pair] = {}
        for name in sorted(one.places):
            if name in fusers:
                picture = (fusers[name](pair.visible, pair.infrared) * 255).round() / 255
            elif name.endswith(", published images"):
                folder = chosen.data / "peers" / "VIFB" / name.split(",")[0]
                picture = io.read_visible(next(folder.glob(f"{one.pair}.*")))[0]
            else:
                continue
            values = measured(picture, pair.visible, pair.infrared, METRICS)
            found[one.round][one.pair][name] = {key: round(value, 5) for key, value in values.items()}
        print(one.round, one.pair, flush=True)
    with files.whole(KEPT) as unfinished:
        unfinished.write_text(json.dumps(found))


def places(data: Path, name: str, pair: str) -> tuple[Path, Path]:
    """The files of a ranked pair."""
    if name == "vifb":
        visible = next((data / "test" / "VIFB" / "vi").glob(f"{pair}.*"))
    else:
        every = {"_".join((*path.parts[:-2], path.stem)): path for path in _below(data / "train")}
        visible = data / "train" / every[pair]
    return visible, next((visible.parents[1] / "ir").glob(f"{visible.stem}.*"))


def _below(folder: Path) -> Iterator[Path]:
    return (path.relative_to(folder) for path in folder.glob("**/vi/*"))


if __name__ == "__main__":
    main()
