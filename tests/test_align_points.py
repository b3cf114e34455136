"""Points, marked or matched, to a transform: exact where they are exact, and refused where they contradict."""

import json
import math
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from irvis import IrvisError
from irvis.align.geometry import grid, moved
from irvis.align.marks import NEED
from irvis.align.points import from_matcher, from_points, load_matcher, read

SIZE, OTHER = (480, 640), (240, 320)
TRUE = {
    "shift": np.array([[0.5, 0, 7.0], [0, 0.5, -3], [0, 0, 1]]),
    "similarity": np.array([[0.5, 0.03, -2.0], [-0.03, 0.5, 9], [0, 0, 1]]),
    "affine": np.array([[0.5, 0.05, -2.0], [-0.01, 0.45, 6], [0, 0, 1]]),
    "homography": np.array([[0.5, 0.03, -2.0], [-0.02, 0.47, 9], [4e-5, -3e-5, 1]]),
}
MODELS = list(TRUE)


def marked(count: int, model: str, noise: float = 0.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random, found = np.random.default_rng(seed), []
    while len(found) < count:
        point = random.uniform([20, 20], [620, 460])
        there = moved(TRUE[model], point[None])[0] + random.normal(0, noise, 2) / 2
        if ((there >= 0) & (there <= [319, 239])).all():
            found.append((point, there))
    both = np.array(found).reshape(-1, 2, 2)
    return both[:, 0], both[:, 1]


def off(matrix: np.ndarray, model: str) -> float:
    """The largest distance in the image, pixels of visible."""
    there = grid(SIZE, 5)
    return float(np.linalg.norm(moved(matrix, there) - moved(TRUE[model], there), axis=1).max()) / 0.5


# ------------------------------------------------------------------------------------------------ marked


@pytest.mark.parametrize("model", MODELS)
def test_as_many_exact_points_as_a_model_takes_give_it_exactly(model):
    before, after = marked(NEED[model], model)
    found = from_points(before, after, None, SIZE, OTHER, model)
    assert off(found.matrix, model) < 1e-6
    assert found.sure
    assert found.residual == math.inf, "nobody is left to say how good it is"


@pytest.mark.parametrize("model", MODELS)
def test_what_is_left_out_says_how_exact_the_points_are(model):
    exact = from_points(*marked(15, model), None, SIZE, OTHER, model)
    assert exact.residual < 1e-6
    rough = from_points(*marked(15, model, noise=1.5), None, SIZE, OTHER, model)
    assert 1.0 < rough.residual < 6.0
    assert (rough.agreeing, rough.looked_at) == (15, 15)


@pytest.mark.parametrize(
    ("count", "true", "chosen"),
    [
        (1, "shift", "shift"), (2, "similarity", "similarity"), (3, "similarity", "similarity"),
        (4, "similarity", "similarity"), (5, "affine", "affine"), (12, "similarity", "similarity"),
        (12, "affine", "affine"), (12, "homography", "homography"),
    ],
)  # fmt: skip
def test_auto_takes_the_simplest_model_that_others_would_not_do_better(count, true, chosen):
    found = from_points(*marked(count, true), None, SIZE, OTHER)
    assert found.model == chosen
    assert off(found.matrix, chosen if count > 1 else true) < 1e-6


@pytest.mark.parametrize("model", MODELS)
def test_a_few_wrong_points_among_many_do_not_matter(model):
    before, after = marked(16, model)
    after[[2, 9, 13]] = after[[9, 13, 2]]
    found = from_points(before, after, None, SIZE, OTHER, model)
    assert off(found.matrix, model) < 0.05
    assert (found.agreeing, found.looked_at) == (13, 16)


def test_points_that_contradict_are_refused_and_the_worst_is_named():
    before, after = marked(5, "similarity")
    after[3] += [60, -40]
    after[0] -= [20, 50]
    after[1] = [200, 20]
    with pytest.raises(IrvisError, match=r"do not agree: . of 5 fit a similarity .* number [1-5]"):
        from_points(before, after.clip(0, 200), None, SIZE, OTHER, "similarity")


def test_weights_say_whom_to_believe():
    before, after = marked(4, "similarity")
    after[3] += 6.0
    weights = np.array([1.0, 1, 1, 1e-9])
    assert off(from_points(before, after, weights, SIZE, OTHER, "similarity").matrix, "similarity") < 1e-3


LINE = np.array([[10.0, 10], [20, 20], [30, 30], [40, 40], [50, 50]])


@pytest.mark.parametrize(
    ("before", "after", "model", "told"),
    [
        (LINE, LINE, "homography", "line"), (LINE, LINE, "affine", "line"),
        (LINE[:1], LINE[:1], "similarity", "2 points"),
        (np.repeat(LINE[:1], 3, 0), LINE[:3], "similarity", "apart"), (LINE[:0], LINE[:0], "auto", "1 point or more"),
        (LINE * [1, 0.1] + [610, 645], LINE, "auto", r"point 1: \(620, 646\) is outside the visible image, 640x480"),
        (LINE, LINE * [1, 5], "auto", r"point 5: \(50, 250\) is outside the infrared image, 320x240"),
        (LINE, LINE * np.nan, "auto", "outside"),
        (np.array([[0.0, 0], [600, 0], [0, 400]]), np.array([[300.0, 0], [0, 0], [300, 200]]), "affine", "mirrored"),
    ],
)  # fmt: skip
def test_points_that_give_no_transform_are_refused(before, after, model, told):
    with pytest.raises(IrvisError, match=told):
        from_points(before, after, None, SIZE, OTHER, model)


@pytest.mark.parametrize("weights", [np.ones(4), -np.ones(5), np.zeros(5), np.full(5, np.nan)])
def test_impossible_weights_are_refused(weights):
    with pytest.raises(IrvisError, match="weights"):
        from_points(*marked(5, "shift"), weights, SIZE, OTHER)


# ----------------------------------------------------------------------------------------------- matched


def matches(count: int, wrong: float, model: str = "homography", seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    before, after = marked(count, model, noise=0.5, seed=seed)
    bad = random.permutation(count)[: round(wrong * count)]
    after[bad] = random.uniform([0, 0], [319, 239], (len(bad), 2))
    return before, after


IMAGES = torch.zeros(1, 1, *SIZE), torch.zeros(1, 1, *OTHER)


@pytest.fixture
def opencv():
    return pytest.importorskip("cv2")


@pytest.mark.parametrize("model", ["auto", *MODELS])
@pytest.mark.parametrize("wrong", [0.0, 0.4, 0.7])
def test_seven_wrong_matches_of_ten_do_not_matter(opencv, model, wrong):
    true = "homography" if model == "auto" else model
    found = from_matcher(lambda *_: matches(200, wrong, true), *IMAGES, model)
    assert found.sure
    assert off(found.matrix, true) < 2.5
    assert found.residual < 2.0
    assert found.agreeing >= 0.9 * (1 - wrong) * 200


@pytest.mark.parametrize("model", ["auto", *MODELS])
@pytest.mark.parametrize("count", [0, 1, 2, 4, 5, 12, 150])
def test_matches_thrown_at_random_are_never_sure(opencv, model, count):
    for seed in range(3):
        found = from_matcher(lambda *_, seed=seed: matches(count, 1.0, seed=seed), *IMAGES, model)
        assert not found.sure
        assert "no alignment found" in found.problem


def test_a_matcher_may_give_arrays_or_tensors_with_a_batch_and_weights(opencv):
    before, after = matches(60, 0.3)
    plain = from_matcher(lambda *_: (before, after), *IMAGES).matrix
    weights = np.ones(60)
    for result in (
        [before.tolist(), after.tolist()], (torch.from_numpy(before)[None], torch.from_numpy(after)[None], weights),
        (torch.from_numpy(before).requires_grad_(), after, torch.ones(60)),
    ):  # fmt: skip
        np.testing.assert_allclose(from_matcher(lambda *_, r=result: r, *IMAGES).matrix, plain, atol=1e-9)
    outside = np.r_[before, [[-5.0, 3], [np.nan, 1]]], np.r_[after, [[1.0, 1], [1, 1]]]
    np.testing.assert_allclose(from_matcher(lambda *_: outside, *IMAGES).matrix, plain, atol=1e-9)


def test_a_matcher_sees_the_images_as_they_are(opencv):
    seen = []

    def matcher(visible, infrared):
        seen.append((visible, infrared))
        return matches(20, 0)

    from_matcher(matcher, *IMAGES)
    assert seen[0][0] is IMAGES[0]
    assert seen[0][1] is IMAGES[1]


@pytest.mark.parametrize(
    "result", [None, 3, (np.zeros((4, 2)),), (np.zeros((4, 2)), np.zeros((5, 2))), (np.zeros((3, 3)), np.zeros((3, 3))),
               (np.zeros((4, 2)), np.zeros((4, 2)), np.zeros(3)), ("ab", "cd"), (None, None)],
)  # fmt: skip
def test_a_matcher_that_gives_something_else_is_told_what_to_give(opencv, result):
    with pytest.raises(IrvisError, match="a matcher gives"):
        from_matcher(lambda *_: result, *IMAGES)


def test_without_opencv_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(IrvisError, match=r"pip install 'irvis\[align\]'"):
        from_matcher(lambda *_: matches(20, 0), *IMAGES)


def test_a_matcher_is_loaded_from_a_file_or_a_package(tmp_path):
    (tmp_path / "theirs.py").write_text("def match(visible, infrared):\n    return 1, 2\n")
    assert load_matcher(f"{tmp_path}/theirs.py:match")(None, None) == (1, 2)
    assert load_matcher("irvis.align.geometry:moved") is moved
    assert str(tmp_path) not in sys.path


@pytest.mark.parametrize(
    "text", ["", "match", "no.such.package:match", "irvis:no_such", "nowhere.py:match", ":f", "a:b c", "..:f"]
)
def test_what_names_no_matcher_is_refused(text):
    with pytest.raises(IrvisError):
        load_matcher(text)


# ------------------------------------------------------------------------------------------------- files

ROWS = [[1.0, 2.5, 3.0, 4.0], [10.0, 20.0, -0.25, 1e2]]


def written(tmp_path, text):
    path = tmp_path / "points.txt"
    path.write_text(text) if isinstance(text, str) else path.write_bytes(text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        "1 2.5 3 4\n10 20 -.25 1e2\n", "1,2.5,3,4\r\n10,20,-.25,100\r\n", "1\t2.5\t3\t4\n\n10\t20\t-.25\t100",
        "# made by hand\n1; 2.5; 3; 4 # the chimney\n10; 20; -0.25; 100\n", "\ufeff1 2.5 3 4\n10 20 -.25 100",
        "visible_x,visible_y,infrared_x,infrared_y\n1,2.5,3,4\n10,20,-.25,100",
        '"infrared_x","infrared_y","Visible_X","visible_y"\n3,4,1,2.5\n-.25,100,10,20', json.dumps(ROWS),
        json.dumps({"points": ROWS}), f"\n {json.dumps(ROWS, indent=2)}",
    ],
)  # fmt: skip
def test_points_are_read_from_any_of_the_usual_tables(text, tmp_path):
    before, after = read(written(tmp_path, text))
    np.testing.assert_array_equal(np.c_[before, after], ROWS)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1 2 3 4\n1 2 3\n", "line 2"), ("# x\n\n1 2 3 4\n1 2 three 4\n", "line 4"), ("1,2,3,4,\n", "line 1"),
        ("x1 y1 x2 y2\n1 2 3 4", "line 1: visible_x"), ("1 2 3 nan", "line 1"), ("1 2 3 inf", "line 1"),
        ("", "no points"),
        ("# nothing", "no points"), ("[]", "no points"), ("[[1, 2, 3]]", "row 1"), ("[[1, 2, 3, 4], 5]", "row 2"),
        ('[[1, 2, 3, "a"]]', "row 1"), ("[[1, 2, 3, true]]", "row 1"), ('{"dots": []}', "points"),
        ("[1,\n2,\n", "line 3"),
        ('{"points": 4}', "list of rows"), ("[[1, 2, 3, NaN]]", "row 1"), ("[" * 99_999, "JSON"),
        (b"\xff\xfe1", "no text"),
        ("[[1, 2, 3, " + "9" * 5000 + "]]", "points"), ("1e400 2 3 4", "line 1"),
    ],
)  # fmt: skip
def test_what_is_no_table_of_points_is_told_with_its_line(text, told, tmp_path):
    path = written(tmp_path, text)
    with pytest.raises(IrvisError, match=told) as refusal:
        read(path)
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_file_of_points_that_is_not_there_is_told(tmp_path):
    with pytest.raises(IrvisError, match="No such file"):
        read(tmp_path / "points.csv")


@given(
    rows=st.lists(st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=4), min_size=1, max_size=6),
    between=st.sampled_from([" ", ",", ";", "\t", " , "]),
)
@settings(max_examples=60, deadline=None)
def test_numbers_survive_their_file_to_the_last_digit(rows, between, tmp_path_factory):
    folder = tmp_path_factory.mktemp("points")
    for text in ("\n".join(between.join(map(repr, row)) for row in rows), json.dumps(rows)):
        np.testing.assert_array_equal(np.c_[read(written(folder, text))], rows)


@given(st.one_of(st.binary(max_size=80), st.text('0123456789.,;-e \t\n[]{}"#naif', max_size=80).map(str.encode)))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_points_or_a_clear_refusal(tmp_path_factory, raw):
    try:
        before, after = read(written(tmp_path_factory.mktemp("points"), raw))
    except IrvisError:
        return
    assert before.shape == after.shape
    assert np.isfinite(before).all()
