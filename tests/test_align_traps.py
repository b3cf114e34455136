"""Pairs that lead an alignment astray: refused, or placed as closely as is stated; never wrong in silence."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from align_pairs import by_matrix, pixels, shapes
from irvis import align
from irvis.align.geometry import grid, moved
from irvis.align.overlays import overlays
from irvis.align.rivals import rival
from irvis.color import luma
from irvis.data.scene import scene

SIZE = (240, 320)
SPAN = align.Range(scales=(1.0,), angles=(0.0,))
Change = Callable[[Tensor], Tensor]
MOVE = np.array([[1, 0, 36], [0, 1, -10], [0, 0, 1.0]])
"""Visible pixels to infrared ones."""


def plane(values: np.ndarray, seed: int) -> Tensor:
    noisy = values + np.random.default_rng(seed).normal(0, 0.02, values.shape)
    return torch.from_numpy(noisy.clip(0, 1)).float()[None, None]


def turned(degrees: float) -> np.ndarray:
    """About the middle."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    middle = np.array([[1, 0, (SIZE[1] - 1) / 2], [0, 1, (SIZE[0] - 1) / 2], [0, 0, 1]])
    return middle @ np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]]) @ np.linalg.inv(middle)


def repeated(across: float, down: float, truth: np.ndarray = MOVE) -> tuple[Tensor, Tensor]:
    """Openings in a wall, dark for one camera and bright for the other; 0: bars that run through."""
    x, y = np.moveaxis(pixels(SIZE), -1, 0)
    open_there = np.ones(SIZE, bool)
    if across:
        open_there &= x % across < across * 0.4
    if down:
        open_there &= y % down < down * 0.4
    moved_there = by_matrix(plane(0.25 + 0.5 * open_there, 2), np.linalg.inv(truth), SIZE)
    return plane(0.7 - 0.4 * open_there, 1), moved_there


def beams() -> tuple[Tensor, Tensor]:
    """Stripes of any widths that all run one way: a move along them changes nothing."""
    levels = np.random.default_rng(0).random((40, 1)).repeat(6, 0) * np.ones(SIZE[1])
    return plane(levels, 1), plane(1 - levels, 2)


def marked(image: Tensor) -> Tensor:
    """With a frame, a cross and lines of text burnt in."""
    drawn, (height, width) = image.clone(), SIZE
    for top, left, high, wide in (
        (12, 12, 3, 60), (12, 12, 40, 3), (height - 15, width - 72, 3, 60), (height - 52, width - 15, 40, 3),
        (height // 2, width // 2 - 30, 3, 60), (height // 2 - 30, width // 2, 60, 3),
    ):  # fmt: skip
        drawn[..., top : top + high, left : left + wide] = 1.0
    letters = torch.from_numpy(np.random.default_rng(9).random((4, 30)) < 0.5)
    text = letters.repeat_interleave(4, 0).repeat_interleave(4, 1)
    drawn[..., 20:36, 90:210] = torch.where(text, torch.ones(()), drawn[..., 20:36, 90:210])
    return drawn


def boxed(image: Tensor) -> Tensor:
    """With black bars above and below."""
    drawn = image.clone()
    drawn[..., :30, :] = 0
    drawn[..., -30:, :] = 0
    return drawn


def off(found: align.Alignment, truth: np.ndarray) -> float:
    """Root mean square of visible pixels, over what infrared shows."""
    places = grid(SIZE)
    ends = moved(truth, places)
    seen = ((ends >= 0) & (ends < [SIZE[1], SIZE[0]])).all(1)
    return float(np.sqrt(((moved(np.linalg.inv(found.matrix), ends) - places) ** 2).sum(1)[seen].mean()))


def unalike(change: Change = lambda image: image) -> tuple[Tensor, Tensor]:
    """Two scenes, the same done to both pictures."""
    return change(shapes(1)[0]), change(shapes(2)[1])


@pytest.mark.parametrize(
    ("pair", "why"),
    [
        (lambda: repeated(48, 40), "about as well"),
        pytest.param(lambda: repeated(33, 0), "about as well", marks=pytest.mark.slow),
        (beams, "about as well"),
        (lambda: unalike(marked), "chance"),
        pytest.param(lambda: unalike(boxed), "chance", marks=pytest.mark.slow),
        pytest.param(lambda: (shapes(3)[0], shapes(3)[1].flip(3)), "chance", marks=pytest.mark.slow),
    ],
    ids=["facade", "fence", "beams", "one drawing on two scenes", "one border on two scenes", "mirrored"],
)
def test_what_leads_an_alignment_astray_is_refused_with_the_reason(pair, why):
    found = align.estimate(*pair(), span=SPAN)
    assert not found.sure
    assert why in found.problem


def test_a_pair_that_is_turned_further_than_is_searched_is_refused_or_right():
    visible, infrared = shapes(3)
    truth = turned(15)
    found = align.estimate(visible, by_matrix(infrared, np.linalg.inv(truth), SIZE), span=SPAN)
    assert not found.sure or off(found, truth) <= found.error


@pytest.mark.parametrize("drawn", [marked, boxed], ids=["text and frames", "borders"])
def test_what_is_fixed_in_both_pictures_is_ignored_where_the_scenes_moved(drawn):
    visible, infrared = shapes(3)
    pair = drawn(visible), drawn(by_matrix(infrared, np.linalg.inv(MOVE), SIZE))
    assert overlays(*pair) is not None
    found = align.estimate(*pair, span=SPAN)
    assert found.sure, found.problem
    assert off(found, MOVE) <= found.error


def test_pictures_of_one_scene_hold_no_overlay():
    visible, infrared = scene(3, (96, 128)).tensors()
    assert overlays(luma(visible), infrared) is None


def test_a_rival_is_told_with_its_distance_and_one_scene_has_none():
    facade = rival(*repeated(48, 40), MOVE, None)
    assert facade is not None
    right, down = (abs(step) for step in facade)
    assert min(right % 48, 48 - right % 48) < 3
    assert min(down % 40, 40 - down % 40) < 3
    visible, infrared = shapes(3)
    assert rival(visible, infrared, np.eye(3), None) is None
