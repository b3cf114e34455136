"""Which fused pictures are preferred where nobody knows what made them: docs/results/preference.md.

results/preference/ holds rounds of blind comparisons. ROUND.key.json says what letters stand for, pair by pair:
{"PAIR": {"A": "laplacian", …}, …}. ROUND_RATER.json is what one rater said, best first, equals in a list of their own:
{"PAIR": {"ranking": ["B", ["A", "C"], …], "defects": {"A": "halo, gray veil", …}}, …}. ROUND.about.json, which need not
be there, says what a name in the key was: {"t2": {"called": "encdec:default", "sha256": "…"}}.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t

import made
from common import TABLES, machine, markdown, write_json
from irvis import files
from irvis.errors import IrvisError
from irvis.study.clusters import Clusters, numbered
from irvis.study.ranking import Comparisons, beats, rank

FOLDER = made.RESULTS / "preference"
RATERS = "Raters were vision models, not people"
FEWEST, SAID = 3, 6
"""Pairs without which there is no interval; words that are told of a method."""
SMALL = {"and", "are", "but", "for", "its", "more", "most", "not", "slightly", "some", "than", "the", "very", "with"}


@dataclass(frozen=True)
class Ranked:
    """What one rater said of one pair: method → place (1 is best, equals share one), method → words."""

    round: str
    rater: str
    pair: str
    places: Mapping[str, float]
    words: Mapping[str, str]


def main() -> None:
    said = read(FOLDER)
    if not said:
        raise SystemExit(f"{FOLDER} holds no rankings: put ROUND.key.json and ROUND_RATER.json there")
    tree = {"machine": machine(), "script": "preference", "rows": rows(said, called(FOLDER))}  # fmt: skip
    write_json("preference", tree)
    with files.whole(TABLES / "preference.md") as unfinished:
        unfinished.write_text(page(said, tree["rows"]))
    print(page(said, tree["rows"]))


def read(folder: Path) -> list[Ranked]:
    """Every ranking of every round. IrvisError where one names other letters than its key."""
    names = {name: facts["called"] for name, facts in called(folder).items() if "called" in facts}
    found = []
    for file in sorted(folder.glob("*.key.json")):
        name = file.name.removesuffix(".key.json")
        key = json.loads(file.read_text())
        for path in sorted(folder.glob(f"{name}_*.json")):
            for pair, one in json.loads(path.read_text()).items():
                if pair not in key:
                    raise IrvisError(f"{path}: {pair} is not in {file.name}")
                letters = {letter: names.get(method, method) for letter, method in key[pair].items()}
                at = places(one["ranking"])
                if set(at) != set(letters):
                    raise IrvisError(
                        f"{path}: {pair}: ranked are {' '.join(sorted(at))}, there are {' '.join(letters)}"
                    )
                words = {letters[letter]: text for letter, text in one.get("defects", {}).items() if letter in letters}
                by = path.stem.removeprefix(f"{name}_")
                found.append(Ranked(name, by, pair, {letters[k]: place for k, place in at.items()}, words))
    return found


def called(folder: Path) -> dict[str, dict[str, str]]:
    """What the names of the keys stand for."""
    found: dict[str, dict[str, str]] = {}
    for file in sorted(folder.glob("*.about.json")):
        found |= json.loads(file.read_text())
    return found


def places(ranking: Sequence[Any]) -> dict[str, float]:
    """Letter → place; equals share the mean of theirs."""
    at: dict[str, float] = {}
    for group in ranking:
        letters = group if isinstance(group, list) else [group]
        at |= dict.fromkeys(letters, len(at) + (len(letters) + 1) / 2)
    return at


def rows(said: Sequence[Ranked], known: Mapping[str, Mapping[str, str]]) -> list[made.Row]:
    """A row per method, most preferred first."""
    names = sorted({name for one in said for name in one.places})
    ranking = rank(comparisons(said, names), len(names))
    sha = {facts["called"]: facts["sha256"] for facts in known.values() if {"called", "sha256"} <= facts.keys()}
    found = []
    for n in np.argsort(-ranking.strength, kind="stable").tolist():
        at = {
            r: [one.places[names[n]] for one in said if one.round == r and names[n] in one.places] for r in rounds(said)
        }
        of = {r: f"{np.mean(each):.2f}" for r, each in at.items() if each}
        firsts = sum(place < 2 for each in at.values() for place in each)
        ends = beats(ranking.strength[n] + ranking.half[n] * np.array([0.0, -1, 1])) * 100
        weights = (
            {known_as[0]: sha[names[n]]}
            if names[n] in sha and (known_as := made.shipped_as(names[n].split(",")[0]))
            else {}
        )
        found.append({
            "method": names[n], "preferred to the average one, %": "{:.0f} [{:.0f}, {:.0f}]".format(*ends),
            **{f"mean rank, {r}": of.get(r, "") for r in rounds(said)}, "first": firsts,
            "rankings": sum(map(len, at.values())),
            "made": {"weights": weights, "commit": made.commit(), "date": machine()["date"]},
        })  # fmt: skip
    return found


def rounds(said: Sequence[Ranked]) -> list[str]:
    return list(dict.fromkeys(one.round for one in said))


def comparisons(said: Sequence[Ranked], names: Sequence[str]) -> Comparisons:
    """Every two methods of every ranking as one answer; those of one rater, and of one pair, hang together."""
    each = [(names.index(a), names.index(b), np.sign(one.places[b] - one.places[a]), one.rater, one.pair)
            for one in said for a, b in combinations(sorted(one.places), 2)]  # fmt: skip
    first, second, outcome = (np.array([line[n] for line in each], np.int64) for n in range(3))
    clusters = Clusters(numbered([line[3] for line in each]), numbered([line[4] for line in each]))
    return Comparisons(first=first, second=second, outcome=outcome, clusters=clusters)


def preferred(said: Sequence[Ranked], one: str, other: str) -> tuple[float, float, int] | None:
    """How often `one` is preferred (equals count half), half of the 95 % interval, and the number of pairs.

    The raters of a pair are averaged first: pairs are what varies. None where no ranking holds both.
    """
    pairs: dict[str, list[float]] = {}
    for each in said:
        if {one, other} <= each.places.keys():
            pairs.setdefault(each.pair, []).append((1 + np.sign(each.places[other] - each.places[one])) / 2)
    means = np.array([np.mean(answers) for answers in pairs.values()])
    if not len(means):
        return None
    if len(means) < FEWEST:
        return float(means.mean()), float("nan"), len(means)
    half = t.ppf(0.975, len(means) - 1) * means.std(ddof=1) / np.sqrt(len(means))
    return float(means.mean()), float(half), len(means)


def agreement(said: Sequence[Ranked]) -> tuple[float, int]:
    """How often two raters of one pair prefer the same of two methods, where both prefer one; and of how many."""
    same = [
        (a.places[x] - a.places[y]) * (b.places[x] - b.places[y]) > 0
        for a, b in combinations(said, 2) if (a.round, a.pair) == (b.round, b.pair) and a.rater != b.rater
        for x, y in combinations(sorted(a.places), 2) if a.places[x] != a.places[y] and b.places[x] != b.places[y]
    ]  # fmt: skip
    return (float(np.mean(same)) if same else float("nan")), len(same)


def often(said: Sequence[Ranked], method: str) -> str:
    """The words said most about a method's pictures, with how many of them were spoken of so."""
    texts = [set(re.findall(r"[a-z]{3,}", one.words.get(method, "").lower())) - SMALL for one in said]
    counted = Counter(word for text in texts for word in sorted(text))
    return ", ".join(f"{word} {count}" for word, count in counted.most_common(SAID))


def table(said: Sequence[Ranked], names: Sequence[str]) -> Iterator[dict[str, str]]:
    """How often the method of a row is preferred to that of a column."""
    for one in names:
        cells = {other: preferred(said, one, other) if one != other else None for other in names}
        shown = {name: f"{100 * cell[0]:.0f} ± {100 * cell[1]:.0f}" if cell and cell[1] == cell[1] else
                 f"{100 * cell[0]:.0f}" if cell else "" for name, cell in cells.items()}  # fmt: skip
        yield {"preferred to, %": one, **shown}


def page(said: Sequence[Ranked], found: Sequence[made.Row]) -> str:
    """The document."""
    names = [row["method"] for row in found]
    words = [{"method": name, "words, and in how many rankings": often(said, name)} for name in names]
    parts = ["# Preference in blind comparisons", who(said), markdown(found), STRENGTHS, "## Two by two",
             markdown([*table(said, names)]), PAIRS, "## Agreement", agreed(said), "## What was said", markdown(words),
             f"Made by `benchmarks/preference.py` on {found[0]['made']['date']}."]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def who(said: Sequence[Ranked]) -> str:
    raters, pairs = {(one.round, one.rater) for one in said}, {one.pair for one in said}
    return (
        f"{RATERS}. Raters: {len(raters)}, rounds: {len(rounds(said))}, pairs: {len(pairs)}, rankings: {len(said)}. "
        "They saw each pair's sources and its results under letters that changed from pair to pair. What models prefer "
        "is no proof of what people prefer. The pairs of VIFB and of the round test-pairs (TNO21, RoadScene19, MSRS27, "
        "LLVIP15) were not trained on. What was said in the round vifb led to the last stages of training, and "
        "test-pairs decided between three trainings; the pairs of training-pairs were also looked at while the target "
        "was designed."
    )


def agreed(said: Sequence[Ranked]) -> str:
    same, count = agreement(said)
    told = f"{100 * same:.0f} % of {count:,} comparisons" if count else "not known, as no pair had two raters"
    return f"Two raters of one pair prefer the same: {told}; chance is 50 %."


STRENGTHS = (
    "preferred to the average one: by the Bradley-Terry model with ties after Davidson over all comparisons, with 95 % "
    "intervals that are widened where pairs differ more than chance. Mean ranks of different rounds do not compare: "
    "other methods took part."
)
PAIRS = (
    f"± half of the 95 % interval over pairs, where there are at least {FEWEST}; raters of a pair are averaged, equals "
    "count half. What lies within ± of 50 cannot be told apart."
)


if __name__ == "__main__":
    main()
