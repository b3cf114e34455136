"""A board that two cameras see tells how they stand: rendered with known lenses, it must give these back."""

import math
import sys
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from irvis import IrvisError
from irvis.align import board as boards
from irvis.align.board import calibrated
from irvis.align.corners import Board, alike, named, parse
from irvis.align.lens import Lens
from irvis.align.rig import Rig, places
from irvis.align.rig_file import load, save
from irvis.filters import gaussian

cv2 = pytest.importorskip("cv2")

SIZE, OTHER = (360, 480), (240, 320)
LENSES = (
    Lens(intrinsics=np.array([[540.0, 0, 243], [0, 543, 174], [0, 0, 1]]), distortion=(-0.18, 0.05, 0.001, -0.0005, 0)),
    Lens(intrinsics=np.array([[420.0, 0, 165], [0, 418, 118], [0, 0, 1]]), distortion=(-0.25, 0.08, -0.001, 0.0008, 0)),
)
TURN, SHIFT = cv2.Rodrigues(np.array([0.02, -0.03, 0.015]))[0], np.array([-0.06, 0.01, 0.005])
TILTS = [(0.35, 0, 0.05), (-0.35, 0.1, 0), (0, 0.4, 0.1), (0.1, -0.4, -0.1), (0.3, 0.3, 0.1), (-0.3, -0.3, 0),
         (0.05, 0.05, 0.2), (-0.25, 0.3, -0.2)]  # fmt: skip
CHESS, CIRCLES = parse("9x6:25"), parse("circles:4x11:15")


def poses(board: Board) -> list[tuple[np.ndarray, np.ndarray]]:
    """How the board stands to the visible camera in each pair, filling much of the picture."""
    random, middle, long = np.random.default_rng(0), board.places.mean(0), np.ptp(board.places, 0).max()
    result = []
    for number, tilt in enumerate(TILTS):
        turn, z = cv2.Rodrigues(np.array(tilt))[0], long * (2.6 + 0.3 * (number % 4))
        result.append((turn, np.array([*(random.uniform(-0.05, 0.05, 2) * z), z]) - turn @ middle))
    return result


@cache
def rays(number: int, times: int) -> np.ndarray:
    """Where each part of a pixel looks, by inverting OpenCV's distortion step by step."""
    lens, (height, width) = LENSES[number], (SIZE, OTHER)[number]
    x, y = np.meshgrid(*((np.arange(side * times) + 0.5) / times - 0.5 for side in (width, height)))
    seen = (np.stack([x.ravel(), y.ravel()], 1) - lens.intrinsics[:2, 2]) / lens.intrinsics.diagonal()[:2]
    found, (k1, k2, p1, p2, k3) = seen.copy(), lens.distortion
    for _ in range(15):
        a, b = found.T
        r = a * a + b * b
        slant = np.stack([2 * p1 * a * b + p2 * (r + 2 * a * a), p1 * (r + 2 * b * b) + 2 * p2 * a * b], 1)
        found = (seen - slant) / (1 + r * (k1 + r * (k2 + r * k3)))[:, None]
    return np.c_[found, np.ones(len(found))]


def picture(board: Board, turn: np.ndarray, shift: np.ndarray, number: int) -> np.ndarray:
    """The board as a camera sees it, 0.15 and 0.85 on gray."""
    times, (height, width) = 3, (SIZE, OTHER)[number]
    way = rays(number, times)
    far = turn[:, 2] @ shift / (way @ turn[:, 2])
    x, y = (((way * far[:, None]) - shift) @ turn).T[:2] / (board.step / 1000)
    wide, high = board.places.max(0)[:2] / (board.step / 1000)
    if board.kind == "chess":
        dark = (np.floor(x) + np.floor(y)) % 2 > 0
        dark &= (x > -1) & (y > -1) & (x < wide + 1) & (y < high + 1)
    else:
        dark = np.any([(x - a) ** 2 + (y - b) ** 2 < 0.36 for a, b in board.places[:, :2] / (board.step / 1000)], 0)
    paper = (x > -3) & (y > -3) & (x < wide + 3) & (y < high + 3)
    shown = np.where(paper, np.where(dark, 0.15, 0.85), 0.5)
    return shown.reshape(height, times, width, times).mean((1, 3))


@cache
def pairs(board: Board) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Infrared is inverted, of a quarter of the contrast, blurred and noisy."""
    random, result = np.random.default_rng(1), {}
    for number, (turn, shift) in enumerate(poses(board)):
        seen = picture(board, turn, shift, 0)
        felt = picture(board, TURN @ turn, TURN @ shift + SHIFT, 1)
        seen, felt = (torch.from_numpy(one)[None, None].float() for one in (seen, 0.5 - 0.25 * (felt - 0.5)))
        noise = (torch.from_numpy(random.normal(0, 0.005, (1, 1, *size))).float() for size in (SIZE, OTHER))
        result[str(number)] = (seen + next(noise)).clamp(0, 1), (gaussian(felt, 0.8) + next(noise)).clamp(0, 1)
    return result


def errors(rig: Rig, distance: float) -> np.ndarray:
    """Pixels of infrared between where the rig and where the true cameras see what is `distance` metres away."""
    x, y = np.meshgrid(np.arange(0, SIZE[1], 24), np.arange(0, SIZE[0], 24))
    way = rays(0, 1).reshape(*SIZE, 3)[y.ravel(), x.ravel()]
    lens = LENSES[1]
    true = cv2.projectPoints(way * distance, cv2.Rodrigues(TURN)[0], SHIFT, lens.intrinsics, np.array(lens.distortion))[
        0
    ].reshape(-1, 2)
    seen = ((true >= 0) & (true <= np.array(OTHER[::-1]) - 1)).all(1)
    return np.linalg.norm(places(rig, distance)[y.ravel(), x.ravel()] - true, axis=1)[seen]


@cache
def made(board: Board) -> Rig:
    shown = pairs(board) | {"empty": (torch.full((1, 1, *SIZE), 0.5), pairs(board)["0"][1])}
    return calibrated(named(board), [*pairs(board), "empty"], lambda name: shown[name], focal=24.0)


@pytest.mark.parametrize("board", [CHESS, CIRCLES])
def test_a_rendered_board_gives_back_both_lenses_and_how_they_stand(board):
    rig = made(board)
    assert (rig.used, rig.refused) == (tuple("01234567"), ("empty",))
    found = rig.calibration
    for lens, true in ((found.visible, LENSES[0]), (found.infrared, LENSES[1])):
        np.testing.assert_allclose(lens.intrinsics.diagonal(), true.intrinsics.diagonal(), rtol=0.015)
        np.testing.assert_allclose(lens.intrinsics[:2, 2], true.intrinsics[:2, 2], atol=5)
    np.testing.assert_allclose(found.translation, SHIFT, atol=0.006)
    assert np.degrees(np.linalg.norm(cv2.Rodrigues(found.rotation @ TURN.T)[0])) < 0.8
    assert max(found.reprojection) < 0.2
    assert rig.residual < 0.5
    true = np.median([(turn @ board.places.mean(0) + shift)[2] for turn, shift in poses(board)])
    assert rig.distance == pytest.approx(true, rel=0.02)
    assert (rig.visible, rig.infrared, rig.focal) == (SIZE, OTHER, 24.0)


@pytest.mark.parametrize("board", [CHESS, CIRCLES])
@pytest.mark.parametrize("distance", [0.4, 1.0, 4.0, 1e5])
def test_at_any_distance_the_rig_takes_pixels_where_the_true_cameras_see_them(board, distance):
    off = errors(made(board), distance)
    assert len(off) > 50
    assert off.mean() < 0.8
    assert np.percentile(off, 90) < 1.5


def test_a_rig_of_a_board_survives_its_file(tmp_path):
    save(made(CHESS), tmp_path / "rig.json")
    assert repr(load(tmp_path / "rig.json")) == repr(made(CHESS))


# --------------------------------------------------------------------------- exact corners, without pictures


@pytest.fixture
def corners(monkeypatch):
    """Pictures that hold a number: the corners are found there exactly, in the pair 7 far off, in 8 not at all."""

    def find(opencv, image, board):
        name, camera = int(image[0, 0, 0, 0]), int(image[0, 0, 0, 1])
        if name >= len(TILTS):
            return None
        turn, shift = poses(board)[name]
        if camera:
            turn, shift = TURN @ turn, TURN @ shift + SHIFT
        lens = LENSES[camera]
        seen = cv2.projectPoints(
            board.places, cv2.Rodrigues(turn)[0], shift, lens.intrinsics, np.array(lens.distortion)
        )[0].reshape(-1, 2)
        return seen + np.random.default_rng(3).normal(0, 12, seen.shape) if (name, camera) == (7, 1) else seen

    def read(name):
        blank = torch.zeros(1, 1, *SIZE), torch.zeros(1, 1, *OTHER)
        for camera, image in enumerate(blank):
            image[0, 0, 0, :2] = torch.tensor([float(name), float(camera)])
        return blank

    monkeypatch.setattr(boards, "corners", find)
    return read


def test_exact_corners_give_exact_cameras_and_a_picture_that_does_not_fit_is_left_out(corners):
    rig = calibrated("9x6:25", [str(number) for number in range(9)], corners)
    assert (rig.used, rig.refused) == (tuple("0123456"), ("7", "8"))
    assert errors(rig, 3.0).max() < 0.02
    assert rig.residual < 0.01


def test_fewer_than_three_usable_pairs_are_refused(corners):
    with pytest.raises(IrvisError, match=r"9x6:25.* in 2 of 4 pairs, 3 are needed"):
        calibrated("9x6:25", ["0", "1", "8", "9"], corners)


def test_pictures_of_other_sizes_are_refused(corners):
    def read(name):
        visible, infrared = corners(name)
        return visible, infrared[..., :-1] if name == "2" else infrared

    with pytest.raises(IrvisError, match="2 has another size"):
        calibrated("9x6:25", ["0", "1", "2"], read)


def test_the_same_view_again_and_again_tells_no_lens(corners):
    try:
        rig = calibrated("9x6:25", ["0", "0", "0"], corners)
    except IrvisError:
        return
    assert np.isfinite(rig.matrix).all()


def test_without_opencv_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(IrvisError, match=r"pip install 'irvis\[align\]'"):
        calibrated("9x6:25", ["0"], lambda name: pairs(CHESS)[name])


# ------------------------------------------------------------------------------------------ words and order


def test_a_board_is_named_by_its_corners_and_millimetres():
    assert parse("9x6:25") == Board(kind="chess", columns=9, rows=6, step=25.0)
    assert (
        parse("circles:11x4:20.5") == parse("circles:4x11:20.5") == Board(kind="circles", columns=4, rows=11, step=20.5)
    )
    np.testing.assert_allclose(parse("3x3:10").places[[0, 1, 3]], [[0, 0, 0], [0.01, 0, 0], [0, 0.01, 0]])
    np.testing.assert_allclose(parse("circles:4x5:10").places[[1, 4]], [[0.02, 0, 0], [0.01, 0.01, 0]])


@given(st.one_of(st.text(max_size=15), st.from_regex(r"(circles:)?\d*x\d*:[\d.]*", fullmatch=True)))
@settings(max_examples=200, deadline=None)
def test_any_other_text_is_refused_with_an_example(text):
    try:
        board = parse(text)
    except IrvisError as refusal:
        told = str(refusal)
    else:
        told = "9x6:25"
        assert min(board.columns, board.rows) >= 3
        assert 0 < board.step < math.inf
    assert "9x6:25" in told


@given(columns=st.integers(3, 7), rows=st.integers(3, 7), turn=st.integers(0, 3), angle=st.floats(-0.7, 0.7))
@settings(max_examples=60, deadline=None)
def test_a_checkerboard_found_upside_down_is_put_in_the_order_of_the_other_camera(columns, rows, turn, angle):
    board = Board(kind="chess", columns=columns, rows=rows, step=10.0)
    like = board.places[:, :2] * 1000
    spin = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    seen = like @ spin.T
    if columns != rows:
        turn = 2 * (turn % 2)
    found = np.rot90(seen.reshape(rows, columns, 2), turn).reshape(-1, 2)
    np.testing.assert_allclose(alike(found, like, board), seen)
