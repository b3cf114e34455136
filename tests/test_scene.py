"""Laws of the synthetic scenes: reproducible, any size, and a truth that holds in the pictures."""

import dataclasses
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from irvis.data.scene import Conditions, Scene, random_conditions, scene

SEEDS = [seed if seed < 2 else pytest.param(seed, marks=pytest.mark.slow) for seed in range(5)]
Mask = np.ndarray[Any, np.dtype[np.bool_]]
NIGHT = Conditions()


@cache
def drawn(seed: int, size: tuple[int, int] = (480, 640), conditions: Conditions = NIGHT) -> Scene:
    return scene(seed, size, conditions)


def luma(visible: np.ndarray) -> np.ndarray:
    result: np.ndarray = visible @ np.array([0.299, 0.587, 0.114], np.float32)
    return result


def grown(mask: Mask, pixels: int) -> Mask:
    for _ in range(pixels):
        padded = np.pad(mask, 1)
        mask = mask | padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, :-2] | padded[1:-1, 2:]
    return mask


def ring(mask: Mask) -> Mask:
    return grown(mask, 9) & ~grown(mask, 2)


def step(image: np.ndarray, inside: np.ndarray, outside: np.ndarray) -> float:
    return float(image[inside].mean() - image[outside].mean())


def blobs(mask: np.ndarray) -> list[np.ndarray]:
    """Connected parts of a mask, found by growing seeds inside it."""
    left, parts = mask.copy(), []
    while left.any():
        part = np.zeros_like(left)
        part[np.unravel_index(int(left.argmax()), left.shape)] = True
        while True:
            wider = grown(part, 4) & left
            if (wider == part).all():
                break
            part = wider
        parts.append(part)
        left &= ~part
    return parts


def assert_well_formed(made: Scene, size: tuple[int, int]) -> None:
    assert made.visible.shape == (*size, 3)
    for plane in (made.infrared, made.sign, made.letters, made.people, made.depth):
        assert plane.shape == size
    for image in (made.visible, made.infrared):
        assert image.dtype == np.float32
        assert np.isfinite(image).all()
        assert image.min() >= 0.0
        assert image.max() <= 1.0
    for mask in (made.sign, made.letters, made.people):
        assert mask.dtype == np.bool_
    assert made.depth.dtype == np.float32
    assert (made.depth > 0.0).all()
    assert not (made.letters & ~made.sign).any()
    assert not (made.people & made.sign).any()


def test_the_same_seed_size_and_conditions_give_the_same_arrays() -> None:
    first, second = (scene(3, (96, 120), Conditions(rain=0.5, smoke=0.5)) for _ in range(2))
    for field in dataclasses.fields(Scene):
        np.testing.assert_array_equal(getattr(first, field.name), getattr(second, field.name))


def test_different_seeds_give_different_streets() -> None:
    masks = [drawn(seed, (64, 80)).people for seed in range(4)]
    assert all((masks[0] != mask).any() for mask in masks[1:])


def test_weather_and_light_never_move_anything() -> None:
    night, foggy_day = drawn(2, (96, 128)), drawn(2, (96, 128), Conditions(darkness=0.0, fog=0.7))
    np.testing.assert_array_equal(night.people, foggy_day.people)
    np.testing.assert_array_equal(night.depth, foggy_day.depth)


@pytest.mark.parametrize("size", [(16, 16), (33, 70), (70, 33), (16, 200), (200, 17)])
def test_small_and_odd_sizes_are_drawn(size: tuple[int, int]) -> None:
    assert_well_formed(scene(1, size), size)


@settings(max_examples=8, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 10_000),
    height=st.integers(16, 90),
    width=st.integers(16, 120),
    drawn_conditions=st.integers(0, 1000),
    reflected=st.booleans(),
)
def test_any_size_seed_and_weather_is_drawn(
    seed: int, height: int, width: int, drawn_conditions: int, reflected: bool
) -> None:
    conditions = random_conditions(drawn_conditions)
    if reflected:
        conditions = dataclasses.replace(conditions, spectrum="near-infrared")
    assert_well_formed(scene(seed, (height, width), conditions), (height, width))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_sign_is_inside_the_frame_and_its_letters_are_large(seed: int) -> None:
    made = drawn(seed)
    assert_well_formed(made, (480, 640))
    rows, columns = np.nonzero(made.sign)
    assert rows.min() > 0
    assert rows.max() < 479
    assert columns.min() > 0
    assert columns.max() < 639
    board = (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
    assert made.sign.sum() > 0.95 * board, "something hides the sign"
    assert np.ptp(np.nonzero(made.letters)[0]) + 1 >= 14


@pytest.mark.parametrize("seed", SEEDS)
def test_letters_show_in_the_visible_and_not_in_the_thermal_picture(seed: int) -> None:
    made = drawn(seed)
    board = made.sign & ~grown(made.letters, 2)
    inner = made.letters & ~grown(~made.letters, 1)
    assert abs(step(luma(made.visible), inner, board)) > 0.2
    assert abs(step(made.infrared, inner, board)) < 0.015


@pytest.mark.parametrize("seed", SEEDS)
def test_people_show_in_the_thermal_picture_and_hardly_in_the_dark(seed: int) -> None:
    made = drawn(seed)
    around = ring(made.people)
    thermal, visible = step(made.infrared, made.people, around), step(luma(made.visible), made.people, around)
    assert thermal > 0.22
    assert abs(visible) < 0.2
    assert abs(visible) < 0.6 * thermal


@pytest.mark.parametrize("seed", SEEDS)
def test_two_whole_pedestrians_are_in_the_frame(seed: int) -> None:
    made = drawn(seed)
    border = np.ones_like(made.people)
    border[1:-1, 1:-1] = False
    whole = [part for part in blobs(made.people) if part.sum() >= 300 and not (part & border).any()]
    assert len(whole) >= 2


def test_fog_takes_distant_contrast_from_the_visible_more_than_from_the_infrared() -> None:
    clear, foggy = (drawn(4, (240, 320), Conditions(darkness=0.1, noise=0.0, fog=fog)) for fog in (0.0, 0.8))
    far = (clear.depth > 18.0) & (clear.depth < 90.0)
    near = clear.depth < 9.0

    def kept(name: str, where: np.ndarray) -> float:
        before, after = (getattr(made, name)[where].std() for made in (clear, foggy))
        return float(after / before)

    assert kept("visible", far) < 0.5 * kept("visible", near)
    assert kept("visible", far) < 0.5 * kept("infrared", far)


def test_smoke_hides_people_from_the_visible_camera_only() -> None:
    clear, smoky = (drawn(6, (240, 320), Conditions(darkness=0.3, noise=0.0, smoke=s)) for s in (0.0, 1.0))
    touched = np.abs(luma(clear.visible) - luma(smoky.visible)) > 0.08
    assert 0.02 < touched.mean() < 0.6
    assert np.abs(clear.infrared - smoky.infrared)[touched].mean() < 0.08


def test_rain_and_snow_fall_over_the_whole_visible_picture() -> None:
    clear = drawn(5, (120, 160))
    for conditions in (Conditions(rain=0.8), Conditions(snow=0.8)):
        assert np.abs(drawn(5, (120, 160), conditions).visible - clear.visible).mean() > 0.02


def test_glare_brightens_the_visible_picture_and_leaves_the_infrared_alone() -> None:
    dull, bright = (drawn(5, (120, 160), Conditions(noise=0.0, glare=glare)) for glare in (0.0, 1.0))
    assert bright.visible.mean() > dull.visible.mean() + 0.01
    np.testing.assert_array_equal(bright.infrared, dull.infrared)


def test_darkness_darkens_the_visible_picture() -> None:
    levels = [drawn(5, (120, 160), Conditions(darkness=darkness)).visible.mean() for darkness in (0.0, 0.5, 1.0)]
    assert levels[0] > levels[1] > levels[2]


def test_without_noise_two_cameras_are_clean_and_noise_grows_with_its_setting() -> None:
    clean, usual, loud = (drawn(5, (120, 160), Conditions(noise=noise)) for noise in (0.0, 1.0, 4.0))
    for name in ("visible", "infrared"):
        errors = [np.abs(getattr(made, name) - getattr(clean, name)).mean() for made in (usual, loud)]
        assert 0.0 < errors[0] < errors[1]


@pytest.mark.parametrize("darkness", [0.0, 0.8])
def test_vegetation_is_brighter_in_the_near_infrared_than_in_the_visible(darkness: float) -> None:
    made = drawn(6, (240, 320), Conditions(darkness=darkness, noise=0.0, spectrum="near-infrared"))
    day = drawn(6, (240, 320), Conditions(darkness=0.0, noise=0.0)).visible
    green = (day[..., 1] > day[..., 0] + 0.02) & (day[..., 1] > day[..., 2] + 0.02) & ~made.sign
    assert green.sum() > 500
    assert made.infrared[green].mean() > luma(made.visible)[green].mean() + 0.15
    assert made.infrared[green].mean() > made.infrared[np.isinf(made.depth)].mean() + 0.15


def test_ink_partly_vanishes_in_the_near_infrared() -> None:
    made = drawn(0, (480, 640), Conditions(spectrum="near-infrared"))
    board = made.sign & ~made.letters
    visible = abs(step(luma(made.visible), made.letters, board))
    assert abs(step(made.infrared, made.letters, board)) < 0.3 * visible


@pytest.mark.parametrize("name", ["darkness", "fog", "smoke", "rain", "snow", "glare", "noise"])
@pytest.mark.parametrize("value", [-0.1, 4.5, float("nan")])
def test_numbers_out_of_range_are_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        Conditions(**{name: value})  # type: ignore[arg-type]


def test_a_size_out_of_range_and_a_negative_seed_are_refused() -> None:
    with pytest.raises(ValueError, match="size"):
        scene(0, (8, 640))
    with pytest.raises(ValueError, match="seed"):
        scene(-1, (32, 32))


def test_random_conditions_cover_day_night_and_all_weather() -> None:
    many = [random_conditions(seed) for seed in range(200)]
    assert many[0] == random_conditions(0)
    assert min(made.darkness for made in many) < 0.2
    assert max(made.darkness for made in many) > 0.9
    for name in ("fog", "smoke", "rain", "snow"):
        share = np.mean([getattr(made, name) > 0.0 for made in many])
        assert 0.02 < share < 0.4
