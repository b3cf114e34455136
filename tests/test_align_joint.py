"""Many pairs of one rig: they share a transform, those that do not are found out, and it says how good it is."""

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from align_pairs import by_matrix, shapes
from irvis import IrvisError
from irvis.align import joint
from irvis.align.alignment import Alignment
from irvis.align.geometry import grid, moved
from irvis.align.joint import together
from irvis.align.search import Range

SIZE, OTHER = (240, 320), (180, 240)
TRUTH = np.array([[0.7, 0.02, 6.0], [-0.02, 0.7, 4.0], [0, 0, 1]])
NARROW = Range(scales=(0.95, 1.07, 1.2), angles=(0.0,))
WRONG = TRUTH @ np.array([[1, 0, 25.0], [0, 1, -20], [0, 0, 1]])


@cache
def pair(name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Of "3" the third scene; "3 moved": the cameras were knocked; "3 blank": nothing to see; "3/4": unrelated."""
    scene, _, how = name.partition(" ")
    first, _, second = scene.partition("/")
    visible, infrared = shapes(int(first), SIZE)[0], shapes(int(second or first), SIZE)[1]
    if how == "blank":
        return visible, torch.zeros(1, 1, *OTHER)
    if how == "large":
        return visible, infrared
    return visible, by_matrix(infrared, np.linalg.inv(WRONG if how == "moved" else TRUTH), OTHER)


def off(alignment: Alignment, truth: np.ndarray = TRUTH) -> float:
    """Pixels of visible."""
    there = grid(SIZE, 5)
    return float(np.linalg.norm(moved(alignment.matrix, there) - moved(truth, there), axis=1).mean()) / 0.7


def test_pairs_together_find_the_transform_they_share_and_leave_out_those_that_do_not():
    found = together(["1", "2", "3 moved", "4", "5 blank", "6/7"], pair, span=NARROW)
    assert found.used == ("1", "2", "4")
    assert list(found.refused) == ["5 blank", "6/7", "3 moved"]
    assert "blank" in found.refused["5 blank"]
    assert "px from that of most pairs" in found.refused["3 moved"]
    assert found.alignment.sure
    assert off(found.alignment) < 0.5
    assert found.alignment.residual < 0.5
    assert len(found.each) == 3
    assert max(found.each) < 1.0
    assert (found.alignment.visible, found.alignment.infrared) == (SIZE, OTHER)


def test_one_pair_is_a_rig_too():
    found = together(["1"], pair, span=NARROW)
    assert off(found.alignment) < 0.7
    assert found.each == (found.alignment.residual,)


def test_pairs_of_other_sizes_are_refused():
    with pytest.raises(IrvisError, match=r"same sizes.*1 is 320x240 with 240x180, 2 large is 320x240 with 320x240"):
        together(["1", "2 large"], pair, span=NARROW)


def test_no_sure_pair_is_a_refusal():
    with pytest.raises(IrvisError, match="none of the 2 pairs"):
        together(["1/2", "3 blank"], pair, span=NARROW)


# ------------------------------------------------------------------------- who agrees, without any picture


def alignments(*shifts: float, width: int = 640) -> dict[str, Alignment]:
    common = Alignment(
        matrix=np.eye(3), visible=(480, width), infrared=(480, width), model="auto", confidence=5.0, agreeing=9,
        looked_at=10, residual=0.5,
    )  # fmt: skip
    matrices = (np.array([[1, 0, shift], [0, 1, 0], [0, 0, 1.0]]) for shift in shifts)
    return {str(number): replace(common, matrix=matrix) for number, matrix in enumerate(matrices)}


def test_the_pair_most_agree_with_is_where_it_starts_and_up_to_four_pixels_always_agree():
    first, used, why = joint._agreeing(alignments(0.0, 1.0, 3.5, -2.0, 80.0, 300.0))
    assert first in ("0", "1")
    assert used == ("0", "1", "2", "3")
    assert list(why) == ["4", "5"]


def test_a_wide_scatter_widens_the_limit_but_never_past_sixteen_pixels_at_640():
    assert joint._agreeing(alignments(0, 6, -6, 9, -9, 12))[1] == tuple("012345")
    assert "3" not in joint._agreeing(alignments(0, 1, 15, 17.5, -2))[1]
    assert "3" in joint._agreeing(alignments(0, 14, -14, 30, -30, width=1280))[1]


@pytest.mark.parametrize("shifts", [(0, 50), (0, 50, 100, 150), (0, 1, 50, 51, 100, 101)])
def test_pairs_of_which_no_more_than_half_agree_make_no_rig(shifts):
    with pytest.raises(IrvisError, match="contradict"):
        joint._agreeing(alignments(*shifts))


def test_what_is_not_finite_is_far():
    one = alignments(0.0, 0.0)
    one["1"] = replace(one["1"], matrix=np.array([[1, 0, 0], [0, 1, 0], [-1.0, 0, 1]]))
    assert joint._apart(one["0"], one["1"]) > 1e4
    assert math.isfinite(joint._apart(one["0"], one["1"]))
