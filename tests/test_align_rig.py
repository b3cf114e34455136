"""Rigs: what they take to what, which pictures they refuse, and their file, whole or an error."""

import json
import math
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irvis import IrvisError
from irvis.align.alignment import Alignment
from irvis.align.geometry import grid, moved, resizing
from irvis.align.lens import Lens, bent, straight
from irvis.align.rig import Calibration, Rig, from_alignment, from_two, places, plane
from irvis.align.rig_file import load, save

VISIBLE, INFRARED = (480, 640), (240, 320)
MATRIX = np.array([[0.5, 0.01, -3.0], [-0.01, 0.5, 2.0], [0, 1e-6, 1]])
BENT = (-0.2, 0.06, 0.001, -0.0005, -0.01)


def rig(**facts) -> Rig:
    usual = dict(visible=VISIBLE, infrared=INFRARED, matrix=MATRIX, distance=None, residual=0.8, model="auto")
    return Rig(**(usual | dict(used=("a", "b"), refused=("c",), made="2025-12-31") | facts))


def turned(x: float, y: float, z: float) -> np.ndarray:
    """A rotation by small angles about the three axes, one after the other."""
    result = np.eye(3)
    for axis, angle in enumerate((x, y, z)):
        one, two = [n for n in range(3) if n != axis]
        step = np.eye(3)
        step[one, one] = step[two, two] = math.cos(angle)
        step[one, two], step[two, one] = -math.sin(angle), math.sin(angle)
        result = step @ result
    return result


def calibration(visible=(0.0,) * 5, infrared=(0.0,) * 5) -> Calibration:
    return Calibration(
        visible=Lens(intrinsics=np.array([[700.0, 0, 322], [0, 702, 238], [0, 0, 1]]), distortion=visible),
        infrared=Lens(intrinsics=np.array([[350.0, 0, 158], [0, 349, 121], [0, 0, 1]]), distortion=infrared),
        rotation=turned(0.02, -0.03, 0.01), translation=(-0.06, 0.01, 0.004), reprojection=(0.1, 0.2, 0.2),
    )  # fmt: skip


def calibrated(distance: float = 2.0, **lenses) -> Rig:
    both = calibration(**lenses)
    return rig(matrix=plane(both, distance), distance=distance, calibration=both)


def same(one: Rig, other: Rig) -> bool:
    return repr(one) == repr(other)


# ------------------------------------------------------------------------------------------------- planes


@pytest.mark.parametrize("distance", [0.5, 2.0, 30.0, math.inf])
def test_a_calibrated_rig_takes_a_point_in_space_from_one_picture_to_the_other(distance):
    both, seen = calibration(), grid(VISIBLE, 5)
    ray = np.c_[seen, np.ones(len(seen))] @ np.linalg.inv(both.visible.intrinsics).T
    there = ray @ both.rotation.T + (0 if math.isinf(distance) else np.array(both.translation) / distance)
    expected = there @ both.infrared.intrinsics.T
    got = moved(calibrated().matrix_at(distance), seen)
    np.testing.assert_allclose(got, expected[:, :2] / expected[:, 2:], atol=1e-8)


def test_without_distortion_places_are_the_matrix():
    for one in (rig(), calibrated()):
        expected = moved(one.matrix, grid(VISIBLE, 2)).reshape(2, 2, 2)
        np.testing.assert_allclose(places(one)[:: VISIBLE[0] - 1, :: VISIBLE[1] - 1], expected, atol=1e-9)


def test_places_of_a_resized_picture_are_those_of_the_whole_one_between_its_pixels():
    whole, half = places(calibrated(visible=BENT)), places(calibrated(visible=BENT), None, (240, 320))
    between = (whole[::2, ::2] + whole[1::2, ::2] + whole[::2, 1::2] + whole[1::2, 1::2]) / 4
    np.testing.assert_allclose(half, between, atol=1e-3)
    np.testing.assert_allclose(
        places(rig(), None, (240, 320))[0, 0], moved(MATRIX @ resizing((240, 320), VISIBLE), np.zeros((1, 2)))[0]
    )


def test_lenses_bend_as_opencv_bends():
    opencv = pytest.importorskip("cv2")
    lens, ways = (
        Lens(intrinsics=calibration().visible.intrinsics, distortion=BENT),
        np.random.default_rng(0).uniform(-0.4, 0.4, (50, 2)),
    )
    pinhole = np.c_[ways, np.ones(50)] @ lens.intrinsics.T[:, :2]
    seen = opencv.projectPoints(np.c_[ways, np.ones(50)], np.zeros(3), np.zeros(3), lens.intrinsics, np.array(BENT))[0]
    np.testing.assert_allclose(bent(lens, pinhole), seen.reshape(-1, 2), atol=1e-6)


@given(
    st.lists(st.floats(-0.3, 0.3), min_size=3, max_size=3), st.lists(st.floats(-0.005, 0.005), min_size=2, max_size=2)
)
@settings(max_examples=60, deadline=None)
def test_straightening_undoes_bending_wherever_the_lens_sees(radial, slanted):
    lens = Lens(intrinsics=calibration().visible.intrinsics, distortion=(radial[0], radial[1], *slanted, radial[2]))
    pinhole = grid(VISIBLE, 5)
    seen = bent(lens, pinhole)
    back = straight(lens, np.nan_to_num(seen, nan=-1e4))
    known = np.isfinite(seen).all(1) & np.isfinite(back).all(1)
    assert known[12], "the middle is always seen"
    np.testing.assert_allclose(back[known], pinhole[known], atol=1e-5)


def test_where_the_polynomial_of_a_lens_turns_back_nothing_is_seen():
    lens = Lens(intrinsics=np.array([[100.0, 0, 0], [0, 100, 0], [0, 0, 1]]), distortion=(-0.3, 0.0, 0.0, 0.0, 0.0))
    fold = 100 * math.sqrt(1 / 0.9)
    got = bent(lens, np.array([[fold - 1, 0], [fold + 1, 0]]))
    assert np.isfinite(got[0]).all()
    assert np.isnan(got[1]).all()


# --------------------------------------------------------------------------------------- other distances


def test_two_rigs_at_known_distances_know_every_other_one():
    both = calibration()
    both = replace(both, translation=(-0.06, 0.01, 0.0), rotation=turned(0, 0, 0.01))
    far, near = (rig(matrix=plane(both, z), distance=z, residual=None) for z in (8.0, 1.5))
    found = from_two(near, far)
    np.testing.assert_allclose(found.parallax, (350 * -0.06, 349 * 0.01), rtol=1e-6)
    for distance in (0.7, 3.0, math.inf):
        np.testing.assert_allclose(found.matrix_at(distance), plane(both, distance), atol=1e-6)
    assert found.residual == pytest.approx(0, abs=1e-9)


def test_what_two_rigs_differ_by_beyond_a_shift_is_in_the_residual():
    near, far = rig(distance=1.0, matrix=np.diag([0.52, 0.52, 1.0])), rig(distance=5.0, matrix=np.diag([0.5, 0.5, 1.0]))
    assert from_two(near, far).residual > 5


@pytest.mark.parametrize(("near", "far"), [(None, 2.0), (2.0, None), (2.0, 2.0), (3.0, 2.0)])
def test_parallax_needs_two_known_distances_the_nearer_first(near, far):
    with pytest.raises(IrvisError, match="two known distances"):
        from_two(rig(distance=near), rig(distance=far))


def test_another_distance_without_parallax_is_refused_with_a_way_out():
    assert rig(distance=2.0).matrix_at(2.0) is not None
    for one in (rig(), rig(distance=2.0)):
        with pytest.raises(IrvisError, match="checkerboard"):
            one.matrix_at(5.0)
    for impossible in (0.0, -1.0, math.nan):
        with pytest.raises(IrvisError, match="impossible"):
            calibrated().matrix_at(impossible)


# ------------------------------------------------------------------------------------------ what it fits


def test_other_sizes_and_another_zoom_are_refused_and_told():
    rig(focal=24.0).fits(VISIBLE, INFRARED, 24.2)
    rig().fits(VISIBLE, INFRARED, 35.0)
    with pytest.raises(IrvisError, match=r"visible pictures of 640x480, this one is 641x480"):
        rig().fits((480, 641), INFRARED)
    with pytest.raises(IrvisError, match=r"infrared pictures of 320x240, this one is 320x256"):
        rig().fits(VISIBLE, (256, 320))
    with pytest.raises(IrvisError, match=r"24 mm.*35 mm"):
        rig(focal=24.0).fits(VISIBLE, INFRARED, 35.0)


def test_an_alignment_that_is_not_sure_makes_no_rig():
    facts = dict(matrix=MATRIX, visible=VISIBLE, infrared=INFRARED, model="auto", agreeing=9, looked_at=10)
    made = from_alignment(Alignment(**facts, confidence=9.0, residual=math.inf), used=("a",), distance=3.0)
    assert (made.residual, made.distance, made.used) == (None, 3.0, ("a",))
    with pytest.raises(IrvisError, match="no alignment found"):
        from_alignment(Alignment(**facts, confidence=0.1, residual=1.0), used=("a",))


@pytest.mark.parametrize(
    "facts",
    [
        {"matrix": np.zeros((3, 3))}, {"matrix": np.eye(3) * np.nan}, {"matrix": np.diag([1.0, -1, 1])},
        {"visible": (0, 5)}, {"infrared": (5, 10**9)}, {"distance": 0.0}, {"distance": math.inf}, {"residual": -1.0},
        {"residual": math.nan}, {"focal": -1.0}, {"parallax": (1.0, 2.0)}, {"made": "yesterday"},
        {"calibration": calibration()}, {"calibration": calibration(), "distance": 2.0},
    ],
)  # fmt: skip
def test_an_impossible_rig_is_refused(facts):
    with pytest.raises(IrvisError):
        rig(**facts)


# ---------------------------------------------------------------------------------------------- the file

RIGS = [rig(), rig(distance=2.0, parallax=(20.5, -1.25), focal=24.0), calibrated(visible=BENT, infrared=BENT)]


@pytest.mark.parametrize("made", RIGS)
def test_a_file_gives_back_the_rig_to_the_last_digit(made, tmp_path):
    save(made, tmp_path / "new" / "rig.json")
    assert same(load(tmp_path / "new" / "rig.json"), made)
    assert json.loads((tmp_path / "new" / "rig.json").read_text())["irvis-rig"] == 1


@given(numbers=st.lists(st.floats(-1e3, 1e3), min_size=8, max_size=8), names=st.lists(st.text(max_size=9), max_size=3))
@settings(max_examples=60, deadline=None)
def test_any_rig_survives_its_file(numbers, names, tmp_path_factory):
    matrix = np.append(np.array(numbers) * [1, 1, 1, 1, 1, 1, 1e-7, 1e-7], 1.0).reshape(3, 3)
    path = tmp_path_factory.mktemp("rig") / "rig.json"
    try:
        made = rig(matrix=matrix, used=tuple(names))
    except IrvisError:
        return
    save(made, path)
    assert same(load(path), made)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"irvis-rig": 2}, "version 2"), ({"irvis-rig": True}, "version"), ({"more": 1}, "unknown key more"),
        ({"matrix": [[1, 0, 0], [0, 1, 0]]}, "matrix"), ({"matrix": [[1, 0, 0], [0, 1, 0], [0, 0, "1"]]}, "matrix"),
        ({"matrix": [[0, 0, 0], [0, 1, 0], [0, 0, 1]]}, "matrix"), ({"visible": [480, 640]}, "visible"),
        ({"visible": {"height": 480.5, "width": 640}}, "visible height"), ({"distance": -1}, "distance"),
        ({"used": "a"}, "used"), ({"made": "today"}, "made"), ({"calibration": {}}, "calibration"),
        ({"distance": 10**400}, "distance"), ({"residual": False}, "residual"),
    ],
)  # fmt: skip
def test_a_file_with_something_else_in_it_is_refused_by_name(change, told, tmp_path):
    path = tmp_path / "rig.json"
    save(rig(), path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(IrvisError, match=told) as refusal:
        load(path)
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "no rig",
        "{",
        "\x00",
        "[" * 100_000,
        '{"irvis-rig": NaN}',
        '{"irvis-rig": 1, "irvis-rig": 1}',
        "9" * 9000,
    ],
)
def test_what_is_no_rig_is_said_to_be_none(text, tmp_path):
    path = tmp_path / "rig.json"
    path.write_text(text)
    with pytest.raises(IrvisError, match="is no rig"):
        load(path)


def test_a_file_that_is_not_there_and_one_that_cannot_be_written_are_told(tmp_path):
    with pytest.raises(IrvisError, match="No such file"):
        load(tmp_path / "rig.json")
    (tmp_path / "file").write_text("")
    with pytest.raises(IrvisError, match="cannot be written"):
        save(rig(), tmp_path / "file" / "rig.json")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_a_damaged_file_is_a_rig_or_a_clear_refusal(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("rig") / "rig.json"
    save(RIGS[2], path)
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        where = data.draw(st.integers(0, len(raw) - 1))
        kind = data.draw(st.sampled_from(["change", "cut", "insert"]))
        piece = data.draw(st.sampled_from([b"9", b"-", b"e9", b"]", b"null", b'"', b"\xff", b"{}", b",", b"true"]))
        raw[where : where + {"change": len(piece), "cut": 30, "insert": 0}[kind]] = b"" if kind == "cut" else piece
    path.write_bytes(raw)
    with suppress(IrvisError):
        places(load(path), None, (6, 8))
