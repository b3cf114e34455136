"""Alignment of two lenses: known warps of synthetic scenes are found, what cannot be aligned is refused."""

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from irvis import align
from irvis.align.geometry import basis, change, changes, grid, moved, resizing, similarity, through
from irvis.align.warp import at_scale, back, cut, inside, laid_over, overlap, places, values_over, window
from irvis.color import luma
from irvis.data.scene import scene
from irvis.errors import IrvisError

SIZE = (240, 320)
SPAN = align.Range(scales=tuple(2 ** (n / 8) for n in range(-3, 4)))


@pytest.fixture(scope="module")
def pair():
    visible, infrared = scene(3, SIZE).tensors()
    return luma(visible), infrared


@pytest.fixture(scope="module")
def other():
    return scene(11, SIZE).tensors()[1]


def warp(scale=1.0, turn=0.0, right=0.0, down=0.0):
    """Registered pixels to warped pixels, about the middle."""
    height, width = SIZE
    middle = np.array([[1, 0, (width - 1) / 2], [0, 1, (height - 1) / 2], [0, 0, 1]])
    a, b = scale * math.cos(math.radians(turn)), scale * math.sin(math.radians(turn))
    return middle @ np.array([[a, -b, right], [b, a, down], [0, 0, 1]]) @ np.linalg.inv(middle)


def warped(infrared, truth, size=SIZE):
    image, seen = laid_over(infrared, np.linalg.inv(truth), size)
    return image * seen


def error(found, truth):
    """Mean visible pixels, over what the warped image shows."""
    ends = moved(truth, grid(SIZE))
    seen = ((ends >= 0) & (ends < [SIZE[1], SIZE[0]])).all(1)
    return np.linalg.norm(moved(np.linalg.inv(truth) @ found, grid(SIZE)) - grid(SIZE), axis=1)[seen].mean()


# ------------------------------------------------------------------------------------------- laws


@pytest.mark.parametrize(
    "truth",
    [warp(right=14, down=-9), warp(scale=1.2, right=5), warp(scale=0.85, turn=4, down=11), warp(turn=-4.5, right=-10)],
    ids=["shift", "larger", "smaller and turned", "turned"],
)
def test_a_known_warp_is_found_to_two_pixels(pair, truth):
    found = align.estimate(pair[0], warped(pair[1], truth), span=SPAN)
    assert found.sure
    assert not found.problem
    assert error(found.matrix, truth) < 2


def test_infrared_of_another_size_and_view_is_found(pair):
    part = pair[1][..., 40:200, 60:270]
    small = torch.nn.functional.interpolate(part, (96, 126), mode="bilinear", antialias=True)
    truth = resizing((160, 210), (96, 126)) @ np.array([[1, 0, -60], [0, 1, -40], [0, 0, 1.0]])
    found = align.estimate(pair[0], small)
    assert found.sure
    inner = grid((160, 210)) + np.array([60, 40])
    assert np.linalg.norm(moved(found.matrix, inner) - moved(truth, inner), axis=1).mean() < 2


def test_polarity_changes_nothing(pair):
    truth = warp(right=8, turn=2)
    image = warped(pair[1], truth)
    first, second = (align.estimate(pair[0], one, span=SPAN) for one in (image, 1 - image))
    assert np.allclose(first.matrix, second.matrix, atol=0.02)


def test_another_scene_is_refused_and_says_why(pair, other):
    found = align.estimate(pair[0], other, span=SPAN)
    assert not found.sure
    assert "no alignment found" in found.problem
    assert "chance" in found.problem


@pytest.mark.parametrize("model", ["shift", "similarity", "affine", "homography"])
def test_a_model_leaves_out_what_it_cannot_say(pair, model):
    truth = warp(right=6, down=4) if model == "shift" else warp(scale=1.1, turn=2)
    found = align.near(pair[0], warped(pair[1], truth), warp(right=3) if model == "shift" else warp(1.08), model)
    assert found.sure
    assert error(found.matrix, truth) < 2
    if model == "shift":
        assert np.allclose(found.matrix[:2, :2], np.eye(2), atol=1e-9)
    if model in ("shift", "similarity"):
        assert abs(found.matrix[0, 0] - found.matrix[1, 1]) < 1e-9
    if model != "homography":
        assert np.allclose(found.matrix[2], [0, 0, 1], atol=1e-12)


def test_the_shift_of_an_alignment_is_what_infrared_has_to_move(pair):
    found = align.near(pair[0], warped(pair[1], warp(right=7, down=-5)), np.eye(3), "shift")
    assert found.shift == pytest.approx((-7, 5), abs=1)


@pytest.mark.parametrize(
    ("image", "problem"),
    [
        (torch.rand(1, 1, 20, 300), "too small"),
        (torch.full((1, 1, 64, 64), 0.3), "blank"),
        (torch.full((1, 1, 64, 64), math.nan), "no numbers"),
    ],
)
def test_what_nothing_can_be_aligned_by_is_refused_in_one_line(pair, image, problem):
    for images in ((pair[0], image), (image, pair[1])):
        with pytest.raises(IrvisError, match=problem) as caught:
            align.estimate(*images)
        assert "\n" not in str(caught.value)


def test_extreme_shapes_are_aligned_or_refused(pair):
    found = align.estimate(pair[0], pair[1][..., 100:140, :])
    assert found.matrix.shape == (3, 3)


def test_a_registered_pair_is_not_said_to_be_shifted_and_a_shifted_one_is(pair):
    assert align.misalignment(*pair) is None
    shift = align.misalignment(pair[0], warped(pair[1], warp(right=12, down=-8)))
    assert shift == pytest.approx((-12, 8), abs=2)


def test_a_blank_or_unlike_image_is_not_said_to_be_shifted(pair, other):
    assert align.misalignment(pair[0], torch.zeros_like(pair[1])) is None
    assert align.misalignment(pair[0], other) is None


# --------------------------------------------------------------------------------------- geometry


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(-20, 20), min_size=8, max_size=8))
def test_small_changes_move_the_corners_by_their_basis(parameters):
    parameters = np.array(parameters)
    corners = grid(SIZE, 2)
    assert np.allclose(moved(change(parameters, SIZE), corners) - corners, basis(corners, SIZE) @ parameters, atol=1e-6)


@settings(deadline=None, max_examples=40)
@given(st.floats(0.3, 3), st.floats(-40, 40), st.floats(-90, 90), st.floats(-90, 90))
def test_a_similarity_has_no_changes_beyond_one(scale, turn, right, down):
    matrix = warp(scale, turn, right, down)
    assert np.allclose(changes(matrix, SIZE)[4:], 0, atol=1e-6)
    points = grid(SIZE, 4)
    assert np.allclose(similarity(points, moved(matrix, points)), matrix, atol=1e-7)


def test_three_points_on_a_line_give_no_homography():
    line = np.array([[0, 0], [1, 1], [2, 2], [5, 0.0]])
    with pytest.raises(IrvisError, match="on one line"):
        through(line, line)


# ------------------------------------------------------------------------------------------- warp


def test_whole_pixel_placements_keep_every_number(pair):
    values = pair[1][0, 0].numpy()
    shift = np.array([[1, 0, -30], [0, 1, -20], [0, 0, 1.0]])
    laid = values_over(values, shift, SIZE)
    assert np.array_equal(laid[20:, 30:], values[:-20, :-30])
    assert np.isnan(laid[:20]).all()
    assert np.isnan(laid[:, :30]).all()
    image, seen = laid_over(pair[1], shift, SIZE)
    assert torch.allclose(image[..., 20:, 30:], pair[1][..., :-20, :-30], atol=1e-4)
    assert torch.equal(seen[0, 0] > 0, torch.from_numpy(np.isfinite(laid)))


def test_a_hole_spreads_to_its_neighbours_only_between_pixels():
    values = np.arange(36, dtype=np.float32).reshape(6, 6)
    values[2, 3] = np.nan
    assert np.isnan(values_over(values, np.eye(3), (6, 6))).sum() == 1
    half = np.array([[1, 0, 0.5], [0, 1, 0], [0, 0, 1.0]])
    assert np.isnan(values_over(values, half, (6, 6))[2, 2:4]).all()


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 14), st.integers(1, 14), st.integers(0, 2**20))
def test_the_overlap_is_the_largest_rectangle(height, width, seed):
    seen = torch.rand(height, width, generator=torch.Generator().manual_seed(seed)) > 0.3
    left, top, wide, high = overlap(seen[None, None].float())
    assert seen[top : top + high, left : left + wide].all()
    best = max(
        (b - a) * (d - c)
        for a in range(height)
        for b in range(a, height + 1)
        for c in range(width)
        for d in range(c, width + 1)
        if seen[a:b, c:d].all()
    )
    assert wide * high == best


def test_placements_go_with_crops_scales_and_the_way_back():
    matrix = warp(1.2, 5, 10, -4)
    there = places(matrix, SIZE)
    assert np.allclose(places(cut(matrix, 30, 20, (50, 60)), (50, 60)), there[20:70, 30:90])
    assert np.allclose(cut(there, 30, 20, (50, 60)), there[20:70, 30:90])
    twice = places(at_scale(matrix, SIZE, (480, 640)), (480, 640))
    assert np.allclose(twice.reshape(240, 2, 320, 2, 2).mean((1, 3)), there, atol=1e-9)
    points = np.array([[40.0, 50], [200, 100]])
    assert np.allclose(back(matrix, moved(matrix, points), SIZE), points)
    assert np.allclose(back(there, moved(matrix, points), SIZE), points)
    assert np.isnan(back(there, np.array([[-500.0, 0]]), SIZE)).all()


def test_a_window_fills_its_part_of_the_visible_image():
    there = places(window((10, 20, 30, 40), (80, 60)), (100, 100))
    seen = inside(there, (80, 60))
    assert seen[20:60, 10:40].all()
    assert seen.sum() == 30 * 40


# ----------------------------------------------------------------------------------- real cameras


def test_real_pairs_with_marks_come_within_a_few_pixels(real_data):
    from scipy.io import loadmat

    from irvis import io

    folder = real_data / "cameras" / "Matching_VIS_IR"
    for number in (1, 7):
        visible = luma(io.read_visible(folder / "vi" / f"VI_{number:02d}.png")[0])
        infrared = io.read_infrared(folder / "ir" / f"VI_{number:02d}.png", color="gray")
        marks = loadmat(folder / "landmarks" / f"VIS_IR_{number}.mat")["Landmarks"][0, 0]
        there, here = (np.asarray(marks[key], float) - 1 for key in ("LMmov", "LMfix"))
        found = align.estimate(visible, infrared, span=SPAN)
        assert found.sure
        assert np.linalg.norm(here - there, axis=1).mean() > 25
        assert np.linalg.norm(moved(found.matrix, here) - there, axis=1).mean() < 3


def test_an_alignment_of_real_scenes_that_differ_is_refused(real_data):
    from irvis import io

    folder = real_data / "test" / "MSRS27"
    names = sorted(path.name for path in (folder / "vi").iterdir())
    visible = luma(io.read_visible(folder / "vi" / names[0])[0])
    assert not align.estimate(visible, io.read_infrared(folder / "ir" / names[-1]), span=SPAN).sure


def test_an_aligner_is_plain_data(pair):
    import pickle

    aligner = align.Aligner(model="similarity")
    assert pickle.loads(pickle.dumps(aligner)) == aligner
    placement = aligner(pair[0].expand(-1, 3, -1, -1), warped(pair[1], warp(right=5)))
    assert json.dumps(placement.tolist())
