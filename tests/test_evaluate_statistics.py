"""What is said of an evaluation's numbers: ranks, intervals, tests, correlations."""

import numpy as np
import pytest

pytest.importorskip("scipy", reason="evaluations need the extra: pip install 'irvis[evaluate]'")

from irvis.evaluate import statistics


def test_ranks_turn_with_the_metric_and_share_ties() -> None:
    means = np.array([[1.0, 1.0], [2.0, 1.0], [3.0, 5.0]])
    assert statistics.ranks(means, ["EN", "CE"]).tolist() == [[3, 1.5], [2, 1.5], [1, 3]]


def test_holm_is_the_textbook_example() -> None:
    # Holm 1979: p sorted, times n, n-1, …, never decreasing
    corrected = statistics.holm(np.array([0.01, 0.04, 0.03, np.nan, 0.005]))
    assert corrected == pytest.approx([0.03, 0.06, 0.06, np.nan, 0.02], nan_ok=True)


def test_intervals_hold_the_mean_and_shrink_with_pairs() -> None:
    random = np.random.default_rng(1)
    widths = []
    for count in (10, 160):
        sample = random.normal(5, 1, (count, 1, 1))
        low, high = statistics.intervals(sample, [str(n) for n in range(count)])
        assert low[0, 0] < sample.mean() < high[0, 0]
        widths.append(high[0, 0] - low[0, 0])
    assert widths[1] / widths[0] == pytest.approx(0.25, rel=0.5)


def test_pairs_of_one_scene_count_as_one_draw() -> None:
    random = np.random.default_rng(2)
    scenes = random.normal(size=(12, 1, 1))
    alone = statistics.intervals(scenes, [str(n) for n in range(12)])
    repeated = statistics.intervals(scenes.repeat(9, axis=0), [str(n // 9) for n in range(108)])
    assert np.ravel(repeated) == pytest.approx(np.ravel(alone), abs=0.02)


def test_one_scene_gives_no_interval() -> None:
    low, high = statistics.intervals(np.ones((3, 1, 1)), ["same"] * 3)
    assert np.isnan(low).all()
    assert np.isnan(high).all()


def test_a_clear_difference_is_told_apart_and_none_is_not() -> None:
    random = np.random.default_rng(3)
    base = random.normal(size=20)
    values = np.stack([base, base + 1 + 0.1 * random.normal(size=20), base + random.normal(size=20)], 1)[:, :, None]
    table = statistics.Table(
        pairs=[str(n) for n in range(20)], scenes=[str(n) for n in range(20)], entries=["a", "b", "c"],
        metrics=["CE"], values=values,
    )  # fmt: skip
    summary = statistics.summarise(table)
    assert summary.better[:, 0].tolist() == [0, -1, 0]  # CE: less is better, so b is worse
    assert np.isnan(summary.p[0, 0])


def test_a_metric_goes_along_with_itself_and_against_its_opposite() -> None:
    rows = np.random.default_rng(4).normal(size=(5, 6, 1))
    correlation = statistics.correlations(np.concatenate([rows, rows, -rows], 2), ["EN", "CE", "CE"])
    assert correlation == pytest.approx(np.array([[1, -1, 1], [-1, 1, -1], [1, -1, 1]]))


def test_gaps_are_left_out_and_counted() -> None:
    values = np.array([[[1.0], [np.nan]], [[3.0], [5.0]]])
    table = statistics.Table(pairs=["a", "b"], scenes=["a", "b"], entries=["x", "y"], metrics=["EN"], values=values)
    summary = statistics.summarise(table)
    assert summary.mean[:, 0].tolist() == [2, 5]
    assert summary.count[:, 0].tolist() == [2, 1]


def test_an_entry_with_gaps_has_a_mean_and_no_rank() -> None:
    values = np.array([[[0.5], [0.45], [0.1]], [[0.6], [0.55], [0.1]], [[0.9], [0.85], [0.1]]])
    values[:2, 1] = np.nan  # the easy pair only
    table = statistics.Table(
        pairs=["a", "b", "c"], scenes=["a", "b", "c"], entries=["all", "gaps", "low"], metrics=["EN"], values=values
    )
    summary = statistics.summarise(table)
    assert summary.mean[:, 0].tolist() == pytest.approx([2 / 3, 0.85, 0.1])
    assert summary.rank[:, 0] == pytest.approx([1, np.nan, 2], nan_ok=True)
    assert summary.results.tolist() == [3, 1, 3]


def test_frames_of_two_scenes_are_two_observations() -> None:
    random = np.random.default_rng(5)
    first = random.normal(size=(200, 1))
    values = np.stack([first, first + 1], 1)
    table = statistics.Table(
        pairs=[str(n) for n in range(200)], scenes=[str(n // 100) for n in range(200)], entries=["a", "b"],
        metrics=["EN"], values=values,
    )  # fmt: skip
    summary = statistics.summarise(table)
    assert summary.p[1, 0] == pytest.approx(0.5)  # 2 / 2²
    assert summary.better[1, 0] == 0
    assert np.isnan(summary.low).all()


def test_a_mark_goes_the_way_of_the_test_and_not_of_one_outlier() -> None:
    base = np.zeros((20, 1))
    values = np.stack([base, base + 0.1 + 0.001 * np.arange(20)[:, None]], 1)
    values[0, 1] = -10
    table = statistics.Table(
        pairs=[str(n) for n in range(20)], scenes=[str(n) for n in range(20)], entries=["a", "b"], metrics=["EN"],
        values=values,
    )  # fmt: skip
    assert statistics.summarise(table).better[1, 0] == 1


def test_a_gap_leaves_the_other_entries_their_correlation() -> None:
    rows = np.random.default_rng(4).normal(size=(5, 6, 2))
    rows[..., 1] = rows[..., 0]
    rows[:, 0, 1] = np.nan
    assert statistics.correlations(rows, ["EN", "SD"]) == pytest.approx(np.ones((2, 2)))


def test_an_infinite_value_is_the_best_and_no_gap() -> None:
    values = np.array([[[np.inf], [30.0]], [[np.inf], [40.0]]])
    table = statistics.Table(pairs=["a", "b"], scenes=["a", "b"], entries=["x", "y"], metrics=["PSNR"], values=values)
    assert statistics.summarise(table).rank[:, 0].tolist() == [1, 2]
