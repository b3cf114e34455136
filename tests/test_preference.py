"""Rankings of blind comparisons become a page that says how sure they are and who gave them."""

import json
import sys
from pathlib import Path

import pytest

from irvis.errors import IrvisError

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import preference

KEYS = {f"pair{n}": dict(zip("ABC", ("good", "fair", "bad") if n % 2 else ("bad", "good", "fair"), strict=True))
        for n in range(6)}  # fmt: skip


def ranking(key: dict[str, str], order: list) -> list:
    """Methods, best first, as letters."""
    letter = {method: one for one, method in key.items()}
    return [[letter[m] for m in each] if isinstance(each, list) else letter[each] for each in order]


@pytest.fixture
def folder(tmp_path):
    """Two raters of six pairs: one always says good > fair > bad, the other finds two of them equal in half."""
    (tmp_path / "r1.key.json").write_text(json.dumps(KEYS))
    for rater in "ab":
        said = {}
        for n, (pair, key) in enumerate(KEYS.items()):
            order = ["good", ["fair", "bad"]] if rater == "b" and n % 2 else ["good", "fair", "bad"]
            bad = next(letter for letter, method in key.items() if method == "bad")
            said[pair] = {"ranking": ranking(key, order), "defects": {bad: "a gray veil, halo"}}
        (tmp_path / f"r1_{rater}.json").write_text(json.dumps(said))
    return tmp_path


def test_letters_become_methods_and_equals_share_a_place(folder):
    said = preference.read(folder)
    assert len(said) == 12
    assert {tuple(sorted(one.places.items())) for one in said} == {
        (("bad", 3), ("fair", 2), ("good", 1)), (("bad", 2.5), ("fair", 2.5), ("good", 1)),
    }  # fmt: skip


def test_the_best_comes_first_with_its_mean_rank_in_each_round(folder):
    found = preference.rows(preference.read(folder), {})
    assert [row["method"] for row in found] == ["good", "fair", "bad"]
    assert [row["mean rank, r1"] for row in found] == ["1.00", "2.12", "2.88"]
    assert [row["first"] for row in found] == [12, 0, 0]


def test_raters_of_one_pair_count_once_and_equals_count_half(folder):
    mean, half, pairs = preference.preferred(preference.read(folder), "fair", "bad")
    assert (mean, pairs) == (pytest.approx(0.875), 6)  # three pairs of 1, three of (1 + 0.5) / 2
    assert half == pytest.approx(2.5706 * 0.136931 / 6**0.5, rel=1e-3)
    assert preference.preferred(preference.read(folder), "good", "nobody") is None


def test_raters_agree_where_both_prefer_one(folder):
    said = preference.read(folder)
    assert preference.agreement(said) == (1.0, 15)  # 18 couples of methods, 3 of which one rater finds equal
    same, count = preference.agreement([one for one in said if one.rater == "a"])
    assert (same != same, count) == (True, 0)


def test_the_page_says_who_rated_how_many_and_what_was_said(folder):
    said = preference.read(folder)
    page = preference.page(said, preference.rows(said, {}))
    assert "models, not people" in page
    assert "Raters: 2, rounds: 1, pairs: 6, rankings: 12" in page
    assert "veil 12" in page
    assert "88 ± 14" in page


def test_weights_that_are_no_longer_shipped_are_marked(folder):
    known = {"good": {"called": "encdec:default", "sha256": "old"}}
    (folder / "r1.about.json").write_text(json.dumps(known))
    said = preference.read(folder)
    page = preference.page(said, preference.rows(said, known))
    assert "| encdec:default (made with earlier weights) |" in page


@pytest.mark.parametrize("wrong", [{"pair0": {"ranking": ["A", "B"]}}, {"nowhere": {"ranking": []}}])
def test_a_ranking_that_does_not_fit_its_key_is_refused(folder, wrong):
    (folder / "r1_c.json").write_text(json.dumps(wrong))
    with pytest.raises(IrvisError, match=r"r1_c.json: (pair0|nowhere)"):
        preference.read(folder)
