"""A flow follows what a matrix leaves, where the images show it, and stays away from where they do not."""

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from align_pairs import by_matrix, pixels, seen_at, shapes
from irvis.align import flow as flows
from irvis.align.flow import Flow, flow

SIZE = (240, 320)
HALF = np.array([[0.5, 0, -0.25], [0, 0.5, -0.25], [0, 0, 1]])


def bend(size: tuple[int, int] = SIZE, most: float = 4.0) -> np.ndarray:
    """(h, w, 2): a wave of half a period over the picture."""
    x, y = np.moveaxis(pixels(size), -1, 0)
    right, down = np.sin(np.pi * x / size[1]) * np.sin(np.pi * y / size[0]), np.sin(np.pi * y / size[0])
    return most * np.stack([right, -down / 2], -1)


def inverse(field: np.ndarray) -> np.ndarray:
    """(h, w, 2): g with g(p) + field(g(p)) = p, step by step."""
    size = field.shape[:2]
    back = pixels(size)
    waves = torch.from_numpy(field).permute(2, 0, 1)[None]
    for _ in range(20):
        unit = torch.from_numpy((2 * back + 1) / np.array(size[::-1]) - 1)[None]
        there = torch.nn.functional.grid_sample(waves, unit, padding_mode="border", align_corners=False)
        back = pixels(size) - there[0].permute(1, 2, 0).numpy()
    return back


@cache
def bent(matrix: bool) -> tuple[Flow, np.ndarray]:
    """A pair whose infrared is bent, and of half the size if there is a matrix; the truth is the flow."""
    visible, infrared = shapes(5, SIZE)
    field = bend()
    warped = seen_at(infrared, inverse(field))
    if matrix:
        return flow(visible, by_matrix(warped, np.linalg.inv(HALF), (120, 160)), HALF), field
    return flow(visible, warped, np.eye(3)), field


@pytest.mark.parametrize("matrix", [False, True])
def test_a_smooth_bend_is_followed(matrix):
    found, truth = bent(matrix)
    before, after = np.linalg.norm(truth, axis=-1).mean(), np.linalg.norm(found.field - truth, axis=-1).mean()
    assert before > 2.0
    assert after < 0.35 * before
    assert found.residual < 1.0


def test_its_places_are_where_the_matrix_takes_the_moved_pixels():
    found, _ = bent(True)
    np.testing.assert_allclose(found.places, (pixels(SIZE) + found.field) / 2 - 0.25, atol=1e-9)


def test_a_pair_that_fits_is_left_alone():
    found = flow(*shapes(6, SIZE), np.eye(3))
    assert np.linalg.norm(found.field, axis=-1).mean() < 0.4


def test_where_nothing_is_to_be_seen_nothing_moves():
    visible, infrared = shapes(5, SIZE)
    for image in (visible, infrared):
        image[..., 160:] = 0.5
    found = flow(visible, seen_at(infrared, inverse(bend())), np.eye(3))
    assert np.linalg.norm(found.field[:, 300:], axis=-1).max() < 0.5
    assert np.linalg.norm(found.field[60:180, 60:120], axis=-1).mean() > 1.0


def test_unrelated_pictures_are_not_torn_apart():
    found = flow(shapes(1, SIZE)[0], shapes(2, SIZE)[1], np.eye(3))
    assert np.linalg.norm(found.field, axis=-1).mean() < 4.0
    assert np.abs(np.diff(found.field, axis=0)).max() < 0.5


def test_cameras_that_do_not_see_the_same_have_no_flow():
    away = np.array([[1, 0, 5000.0], [0, 1, 0], [0, 0, 1]])
    found = flow(*shapes(1, SIZE), away)
    assert not found.field.any()
    assert found.residual == math.inf
    assert found.field.shape == (*SIZE, 2)


@pytest.mark.parametrize("size", [(32, 32), (33, 97), (40, 400)])
def test_any_size_keeps_its_shape(size):
    found = flow(*shapes(1, size), np.eye(3))
    assert found.field.shape == found.places.shape == (*size, 2)
    assert np.isfinite(found.field).all()


# --------------------------------------------------------------------------------------- the field by itself


def samples(moves: np.ndarray, places: np.ndarray) -> flows._Samples:
    count = len(places)
    return flows._Samples(
        places=places, moves=moves, weights=np.ones(count), stiffness=np.tile(np.eye(2), (count, 1, 1)), length=70.0,
        robust=2.0,
    )  # fmt: skip


PLACES = np.stack([part.ravel() for part in np.meshgrid(np.arange(0, 640, 32.0), np.arange(0, 480, 32.0))], 1)


@given(shift=st.tuples(st.floats(-6, 6), st.floats(-6, 6)), wrong=st.integers(0, 60))
@settings(max_examples=15, deadline=None)
def test_a_field_of_blocks_that_agree_is_theirs_whatever_a_fifth_of_them_says(shift, wrong):
    moves = np.tile(shift, (len(PLACES), 1)).astype(float)
    random = np.random.default_rng(wrong)
    moves[random.permutation(len(PLACES))[:wrong]] = random.uniform(-14, 14, (wrong, 2))
    inside = np.array([[320.0, 240], [200, 150], [450, 300]])
    np.testing.assert_allclose(flows._field(samples(moves, PLACES), inside), np.tile(shift, (3, 1)), atol=0.75)


def test_a_field_fades_away_from_its_blocks_and_is_bounded():
    some = samples(np.tile([3.0, 0], (300, 1)), PLACES)
    near, far = flows._field(some, np.array([[320.0, 240], [320 + 2000, 240]]))
    assert near[0] == pytest.approx(3, abs=0.3)
    assert np.abs(far).max() < 1e-9
    long = flows._field(samples(np.tile([60.0, 0], (300, 1)), PLACES), PLACES)
    assert np.linalg.norm(long, axis=1).max() <= flows.BOUND + 1e-9


def test_an_edge_says_nothing_of_moves_along_it():
    """Stiff across only: of the move along x, nothing follows."""
    some = replace(samples(np.tile([5.0, 2.0], (300, 1)), PLACES), stiffness=np.tile(np.diag([0.0, 2.0]), (300, 1, 1)))
    found = flows._field(some, np.array([[320.0, 240]]))[0]
    assert found[0] == pytest.approx(0, abs=1e-9)
    assert found[1] == pytest.approx(2, abs=0.1)
