"""What people's answers are turned into: strengths, intervals, agreement, and metrics beside them."""

from itertools import combinations, islice

import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr

from irvis.study import agreement, judges
from irvis.study.asking import Answer
from irvis.study.clusters import Clusters, share
from irvis.study.ranking import Comparisons, beats, islands, rank, tally
from irvis.study.schedule import questions

# chocolate puddings, Davidson (1970), example 2: brands i and j, preferred i, preferred j, no preference
PUDDINGS = (
    (1, 2, 19, 22, 16), (1, 3, 16, 19, 12), (2, 3, 19, 19, 10), (1, 4, 18, 23, 13), (2, 4, 23, 19, 9),
    (3, 4, 19, 20, 15), (1, 5, 13, 19, 18), (2, 5, 16, 20, 12), (3, 5, 16, 15, 17), (4, 5, 17, 14, 16),
    (1, 6, 18, 21, 12), (2, 6, 22, 20, 12), (3, 6, 13, 18, 10), (4, 6, 14, 19, 18), (5, 6, 11, 21, 12),
)  # fmt: skip
STRENGTHS = np.array([-1.0, -0.3, 0.3, 1.0])


def told(
    rows: list[tuple[int, int, int]], raters: list[int] | None = None, pairs: list[int] | None = None
) -> Comparisons:
    """Comparisons from (first, second, outcome)."""
    first, second, outcome = np.array(rows, np.int64).reshape(-1, 3).T
    zeros = np.zeros(len(rows), np.int64)
    clusters = Clusters(
        zeros if raters is None else np.array(raters, np.int64), zeros if pairs is None else np.array(pairs, np.int64)
    )
    return Comparisons(first=first, second=second, outcome=outcome, clusters=clusters)


def simulated(
    random: np.random.Generator,
    strengths: np.ndarray,
    *,
    raters: int = 6,
    pairs: int = 20,
    asked: int = 60,
    tie: float = 0.5,
    differing: float = 0.0,
) -> Comparisons:
    """Raters who choose by Davidson's model; on each pair the strengths are off by `differing`."""
    methods = len(strengths)
    here = strengths + random.normal(0, 1, (pairs, methods)) * differing
    rows, who, where = [], [], []
    for rater in range(raters):
        for one in islice(questions([range(methods)] * pairs, methods, rater, int(random.integers(1000))), asked):
            if one.repeats is None:
                gap = here[one.pair, one.left] - here[one.pair, one.right]
                weights = np.array([np.exp(gap / 2), tie, np.exp(-gap / 2)])
                rows.append((one.left, one.right, 1 - int(random.choice(3, p=weights / weights.sum()))))
                who.append(rater)
                where.append(one.pair)
    return told(rows, who, where)


def said(
    rater: str, pair: int, left: int, right: int, answer: str, number: int = 0, repeats: int | None = None
) -> Answer:
    return Answer(rater, pair, left, right, answer, repeats, number, 1.0)


# ---------------------------------------------------------------------------------------- strengths


def test_strengths_and_their_errors_are_those_that_others_find_for_puddings() -> None:
    """Values of Davidson (1970), errors as R's PlackettLuce 0.4 prints them for these data."""
    rows = [
        (i - 1, j - 1, o)
        for i, j, *counts in PUDDINGS
        for o, n in zip((1, -1, 0), counts, strict=True)
        for _ in range(n)
    ]
    found = rank(told(rows), 6, prior=1000)
    worth = np.exp(found.strength)
    expected = [0.1388005, 0.1729985, 0.1617420, 0.1653930, 0.1586805, 0.2023855]
    assert worth / worth.sum() == pytest.approx(expected, abs=3e-5)
    assert found.tie == pytest.approx(0.7468147, abs=2e-5)
    errors = [(found.ahead(n, 0)[2] - found.ahead(n, 0)[0]) / 1.959964 for n in range(1, 6)]
    assert errors == pytest.approx([0.1872, 0.1935, 0.1882, 0.1927, 0.1924], abs=1e-4)
    assert found.half / 1.959964 == pytest.approx(
        [0.121949, 0.121818, 0.126823, 0.122003, 0.127054, 0.126594], abs=1e-5
    )


def test_two_methods_without_ties_have_the_odds_of_their_wins() -> None:
    found = rank(told([(0, 1, 1)] * 30 + [(0, 1, -1)] * 10), 2, prior=1000)
    assert found.ahead(0, 1)[0] == pytest.approx(np.log(3), abs=1e-4)


def test_a_balanced_study_ranks_by_points_two_for_a_win_and_one_for_a_tie() -> None:
    """Davidson (1970) proves it for the likelihood; a flat prior is near to it."""
    random = np.random.default_rng(5)
    for _ in range(20):
        rows = [(a, b, int(random.integers(-1, 2))) for a, b in combinations(range(5), 2) for _ in range(12)]
        counts = tally(told(rows), 5)
        points, strength = counts @ [2, 1, 0], rank(told(rows), 5, prior=100).strength
        assert all(points[a] > points[b] for a in range(5) for b in range(5) if strength[a] > strength[b] + 1e-9)


def test_known_strengths_come_back_and_their_intervals_hold_them() -> None:
    """At least 93 of 100 intervals of 95 %; they are wider than need be where raters and pairs are alike."""
    random = np.random.default_rng(0)
    runs = [rank(simulated(random, STRENGTHS), 4) for _ in range(80)]
    assert np.mean([found.strength for found in runs], axis=0) == pytest.approx(STRENGTHS, abs=0.06)
    assert np.mean([np.argsort(found.strength).tolist() == [0, 1, 2, 3] for found in runs]) > 0.9
    assert np.mean([np.abs(found.strength - STRENGTHS) < found.half for found in runs]) > 0.93


def test_intervals_hold_where_pairs_of_images_differ_and_those_of_the_model_alone_do_not() -> None:
    random = np.random.default_rng(1)
    truth = rank(simulated(random, STRENGTHS, raters=40, pairs=400, asked=280, differing=1.0), 4).strength
    widened, alone = [], []
    for _ in range(60):
        seen = simulated(random, STRENGTHS, differing=1.0)
        blind = Comparisons(
            first=seen.first, second=seen.second, outcome=seen.outcome,
            clusters=Clusters(seen.clusters.raters * 0, seen.clusters.pairs * 0),
        )  # fmt: skip
        for found, held in ((rank(seen, 4), widened), (rank(blind, 4), alone)):
            held.append(np.abs(found.strength - truth) < found.half)
    assert np.mean(widened) > 0.9
    assert np.mean(alone) < 0.85


def test_which_side_a_method_was_on_changes_nothing() -> None:
    seen = simulated(np.random.default_rng(2), STRENGTHS)
    turned = Comparisons(first=seen.second, second=seen.first, outcome=-seen.outcome, clusters=seen.clusters)
    assert rank(turned, 4).strength == pytest.approx(rank(seen, 4).strength)
    assert rank(turned, 4).half == pytest.approx(rank(seen, 4).half)


def test_more_ties_draw_the_methods_together_but_not_across() -> None:
    rows = [(0, 1, 1)] * 20 + [(0, 1, -1)] * 10
    near, far = rank(told(rows + [(0, 1, 0)] * 60), 2), rank(told(rows), 2)
    assert near.ahead(0, 1)[0] > 0
    assert near.tie > far.tie
    assert near.strength[0] == pytest.approx(far.strength[0], abs=0.01)  # ν takes the ties


# ----------------------------------------------------------------------------------- degenerate ones


@pytest.mark.parametrize(
    "rows",
    [
        [(0, 1, 1)],
        [(0, 1, 1)] * 500,
        [(0, 1, 0)] * 500,
        [(0, 1, 1)] * 40 + [(1, 2, 1)] * 40 + [(0, 2, 1)] * 40,
        [(0, 1, 1), (0, 1, -1), (2, 3, 1), (2, 3, -1)],
    ],
    ids=["one answer", "never lost", "always equal", "a perfect order", "two islands"],
)
def test_every_study_has_finite_strengths_and_intervals(rows: list[tuple[int, int, int]]) -> None:
    found = rank(told(rows), 4)
    assert np.isfinite(found.strength).all()
    assert np.isfinite(found.covariance).all()
    assert (found.half >= 0).all()
    assert 0 < found.tie < np.inf


def test_a_method_that_never_lost_is_surely_ahead_after_ten_answers_but_not_after_three() -> None:
    """Three of three is no evidence at 5 % (a sign test gives 0.25), ten of ten is (0.002)."""
    few, some, many = (rank(told([(0, 1, 1)] * n + [(1, 2, 1)] * n + [(1, 2, -1)] * n), 3) for n in (3, 10, 100))
    assert few.ahead(0, 1)[1] < 0 < some.ahead(0, 1)[1] < many.ahead(0, 1)[1]
    assert few.strength[0] < some.strength[0] < many.strength[0]


def test_islands_are_found_and_told_apart_only_by_the_prior() -> None:
    rows = [(0, 1, 1)] * 30 + [(0, 1, -1)] * 10 + [(2, 3, 1)] * 30 + [(2, 3, -1)] * 10
    assert islands(told(rows), 4) == [[0, 1], [2, 3]]
    assert islands(told([*rows, (1, 2, 0)]), 4) == [[0, 1, 2, 3]]
    low, high = rank(told(rows), 4).ahead(0, 2)[1:]
    assert low < -4
    assert high > 4


def test_methods_that_nobody_saw_do_not_move_the_others() -> None:
    rows = [(0, 1, 1)] * 30 + [(0, 1, -1)] * 10
    two, five = rank(told(rows), 2), rank(told(rows), 5)
    assert five.strength[:2] == pytest.approx(two.strength)
    assert five.half[:2] == pytest.approx(two.half)


def test_the_average_method_beats_itself_half_of_the_time() -> None:
    assert beats(np.array([0.0, np.log(3)])) == pytest.approx([0.5, 0.75])


# ---------------------------------------------------------------------------------------- agreement


def test_alpha_is_krippendorffs() -> None:
    """Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, part D: four observers, interval data: 0.849."""
    units = ["111", "2232", "3333", "3333", "2222", "1234", "4444", "1121", "2222", "555", "11", "3"]
    assert agreement.alpha([list(map(float, unit)) for unit in units]) == pytest.approx(0.849, abs=5e-4)


def test_raters_who_say_the_same_agree_wherever_the_sides_were() -> None:
    answers = [
        said("a", 0, 1, 2, "left"),
        said("b", 0, 2, 1, "right"),
        said("a", 1, 1, 2, "equal"),
        said("b", 1, 1, 2, "equal"),
    ]
    found = agreement.agreement(answers)
    assert (found.couples, found.same, found.opposite, found.alpha) == (2, 1, 0, 1)
    against = agreement.agreement([said("a", 0, 1, 2, "left"), said("b", 0, 1, 2, "right")])
    assert (against.same, against.opposite) == (0, 1)
    assert against.alpha < 0


def test_raters_who_throw_dice_have_an_alpha_of_about_nothing() -> None:
    random = np.random.default_rng(0)
    words = ["left", "equal", "right"]
    answers = [said(r, n, 0, 1, words[random.integers(3)]) for n in range(600) for r in ("a", "b", "c")]
    assert abs(agreement.agreement(answers).alpha) < 0.06


def test_one_rater_agrees_with_nobody() -> None:
    found = agreement.agreement([said("a", 0, 0, 1, "left")])
    assert found.couples == 0
    assert np.isnan(found.same)


def test_a_rater_is_the_same_when_the_same_result_wins_on_the_other_side() -> None:
    answers = [
        said("a", 0, 0, 1, "left", 0), said("a", 0, 1, 0, "right", 1, repeats=0),
        said("a", 1, 0, 1, "left", 2), said("a", 1, 1, 0, "left", 3, repeats=2),
        said("a", 2, 0, 1, "equal", 4), said("a", 2, 1, 0, "equal", 5, repeats=4),
    ]  # fmt: skip
    (one,) = agreement.raters(answers)
    assert (one.repeats, one.same, one.opposite) == (3, 2, 1)
    assert one.left == pytest.approx(3 / 4)


# ------------------------------------------------------------------------------ metrics beside people


def test_rank_correlations_are_those_of_scipy() -> None:
    random = np.random.default_rng(3)
    for _ in range(20):
        one, other = random.integers(0, 6, 8).astype(float), random.normal(size=8)
        assert judges.kendall(one, other[None])[0] == pytest.approx(kendalltau(one, other).statistic)
        assert judges.spearman(one, other) == pytest.approx(spearmanr(one, other).statistic)


def test_a_metric_that_is_the_truth_agrees_most_and_its_opposite_least() -> None:
    random = np.random.default_rng(4)
    seen = simulated(random, STRENGTHS, raters=8)
    values = np.stack([np.tile(STRENGTHS, (20, 1)), np.tile(-STRENGTHS, (20, 1)), random.normal(size=(20, 4))], axis=2)
    ranking = rank(seen, 4)
    best, worst, dice = judges.judges(["Qw", "Qe", "VIF"], values, seen, ranking)
    assert (best.kendall, best.spearman, worst.kendall) == pytest.approx((1, 1, -1))
    assert best.agrees + worst.agrees == pytest.approx(1)
    assert best.agrees == pytest.approx(judges.people(seen, ranking)[0])
    assert best.low > 0.5 > worst.high
    assert dice.low < 0.5 < dice.high
    assert best.kendall_low > 0 > worst.kendall_high


def test_a_metric_of_which_less_is_better_is_turned() -> None:
    seen = simulated(np.random.default_rng(5), STRENGTHS)
    (nabf,) = judges.judges(["Nabf"], np.tile(-STRENGTHS, (20, 1))[..., None], seen, rank(seen, 4))
    assert nabf.kendall == pytest.approx(1)


def test_a_metric_without_values_or_without_differences_has_no_number_or_a_half() -> None:
    seen = simulated(np.random.default_rng(6), STRENGTHS)
    values = np.full((20, 4, 2), np.nan)
    values[..., 1] = 1.0
    absent, flat = judges.judges(["Qw", "Qe"], values, seen, rank(seen, 4))
    assert np.isnan([absent.kendall, absent.spearman, absent.agrees, absent.low]).all()
    assert absent.answers == 0
    assert np.isnan(flat.kendall)
    assert flat.agrees == 0.5


def test_a_share_without_clusters_has_wilsons_interval() -> None:
    """Wilson's interval of 8 in 10, as scipy has it: 0.4901624715 to 0.9433178485."""
    zeros = np.zeros(10, np.int64)
    found = share(np.array([1.0] * 8 + [0.0] * 2), Clusters(zeros, zeros))
    assert found == pytest.approx((0.8, 0.4901624715, 0.9433178485))


def test_a_share_of_answers_that_hang_together_has_a_wider_interval() -> None:
    clusters = Clusters(np.zeros(200, np.int64), np.arange(200) // 20)
    alike = np.repeat([1.0, 0, 1, 1, 0, 1, 1, 0, 1, 1], 20)
    _, low, high = share(alike, clusters)
    _, alone_low, alone_high = share(alike, Clusters(clusters.raters, clusters.raters))
    assert high - low > 3 * (alone_high - alone_low)
    assert low > 0.2
