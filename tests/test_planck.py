"""Counts to degrees C: the formula's own laws, what cameras printed on their screens, another implementation."""

from dataclasses import replace

import numpy as np
import pytest

from irvis import IrvisError, cameras
from irvis.cameras import planck

CONSTANTS = planck.Constants(r1=15000.0, b=1400.0, f=1.0, o=-5000.0, r2=0.0125)
TEMPERATURES = np.linspace(-20, 150, 35)
HARD = {"emissivity": 0.6, "distance": 30.0, "reflected": 40.0, "atmospheric": 5.0, "humidity": 0.9}
WINDOW = {"window_transmission": 0.8, "window_temperature": 60.0}


@pytest.mark.parametrize("conditions", [{}, HARD, WINDOW, HARD | WINDOW])
def test_counts_of_a_temperature_give_that_temperature(conditions):
    constants = planck.with_conditions(CONSTANTS, **conditions)
    np.testing.assert_allclose(
        planck.celsius(planck.counts(TEMPERATURES, constants), constants), TEMPERATURES, atol=1e-4
    )


def test_a_black_body_close_by_follows_planck_alone():
    counts = np.array([12000.0, 15000.0, 20000.0])
    kelvin = 1400 / np.log(15000 / (0.0125 * (counts - 5000)) + 1)
    np.testing.assert_allclose(planck.celsius(counts, CONSTANTS), kelvin - 273.15, rtol=1e-6)


def test_hotter_objects_give_more_counts_under_any_conditions():
    for conditions in ({}, HARD, WINDOW):
        assert (np.diff(planck.counts(TEMPERATURES, planck.with_conditions(CONSTANTS, **conditions))) > 0).all()


def test_surroundings_as_warm_as_the_object_hide_emissivity_distance_and_window():
    """Whatever is reflected, radiated by air or glass is then what the object lacks."""
    black = planck.counts(np.array([25.0]), CONSTANTS)
    warm = {"reflected": 25.0, "atmospheric": 25.0, "window_temperature": 25.0}
    gray = planck.with_conditions(CONSTANTS, emissivity=0.5, distance=50.0, window_transmission=0.7, **warm)
    np.testing.assert_allclose(planck.counts(np.array([25.0]), gray), black)


def test_a_lower_emissivity_makes_the_same_counts_of_a_hot_object_hotter():
    counts = planck.counts(np.array([80.0]), CONSTANTS)
    degrees = [planck.celsius(counts, replace(CONSTANTS, emissivity=e))[0] for e in (1.0, 0.9, 0.7, 0.5)]
    assert degrees == sorted(degrees)


def test_air_is_clear_at_no_distance_and_lets_less_through_the_longer_and_moister_its_path():
    assert planck.transmission(CONSTANTS) == 1
    by_distance = [planck.transmission(replace(CONSTANTS, distance=d)) for d in (0.5, 2, 10, 50)]
    assert by_distance == sorted(by_distance, reverse=True)
    dry, moist = (planck.transmission(replace(CONSTANTS, distance=10, humidity=h)) for h in (0.1, 0.9))
    assert moist < dry < 1


def test_conditions_that_play_no_part_may_be_anything():
    """Some cameras leave what they do not use at zero kelvin."""
    empty = replace(CONSTANTS, reflected=-273.15, atmospheric=-300.0, window_temperature=-273.15)
    np.testing.assert_array_equal(
        planck.celsius(np.array([15000]), empty), planck.celsius(np.array([15000]), CONSTANTS)
    )


def test_counts_below_what_the_surroundings_give_are_no_temperature():
    bright = planck.with_conditions(CONSTANTS, emissivity=0.1, reflected=100.0)
    degrees = planck.celsius(np.array([6000, 40000]), bright)
    assert np.isnan(degrees[0])
    assert np.isfinite(degrees[1])
    with pytest.raises(IrvisError, match="no temperature above absolute zero"):
        planck.celsius(np.array([6000]), bright)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"r1": 0.0}, "R1 must be above 0, not 0"),
        ({"r2": -1.0}, "R2"),
        ({"b": float("nan")}, "B must be above 0, not nan"),
        ({"o": float("inf")}, "o must be finite"),
        ({"emissivity": 0.0}, "emissivity.*--emissivity"),
        ({"emissivity": 1.2}, "emissivity"),
        ({"window_transmission": 0.0}, "window transmission.*--window-transmission"),
        ({"humidity": 1.5}, "humidity"),
        ({"distance": -1.0}, "distance"),
        ({"emissivity": 0.9, "reflected": -280.0}, "reflected temperature must lie above -273.15"),
        ({"distance": 1.0, "atmospheric": -273.15}, "atmospheric"),
        ({"window_transmission": 0.9, "window_temperature": -400.0}, "window temperature"),
        ({"distance": 1e7}, "shorter --distance"),
        ({"distance": 5.0, "atmospheric": 3000.0}, "impossible"),
    ],
)
def test_impossible_constants_are_one_clear_line(wrong, words):
    with pytest.raises(IrvisError, match=words) as refused:
        planck.celsius(np.array([15000, 16000]), replace(CONSTANTS, **wrong))
    assert "\n" not in str(refused.value)


def test_only_the_scene_can_be_replaced():
    assert planck.with_conditions(CONSTANTS, emissivity=0.5, distance=None) == replace(CONSTANTS, emissivity=0.5)
    with pytest.raises(IrvisError, match=r"'r1' is no condition.*emissivity"):
        planck.with_conditions(CONSTANTS, r1=1.0)


def test_tlinear_counts_are_kelvin_times_a_step():
    counts = np.array([[29315, 30315]], np.uint16)
    np.testing.assert_allclose(cameras.linear_celsius(counts, 0.01), [[20, 30]], atol=1e-4)
    np.testing.assert_allclose(cameras.linear_celsius(np.array([[2931, 3731]]), 0.1), [[19.95, 99.95]], atol=1e-4)


@pytest.mark.parametrize("step", [0.0, -0.01, float("nan")])
def test_an_impossible_step_is_refused(step):
    with pytest.raises(IrvisError, match="kelvin per count is impossible"):
        cameras.linear_celsius(np.array([[29315, 30315]]), step)


def test_counts_that_would_be_colder_than_any_scene_are_not_linear():
    with pytest.raises(IrvisError, match=r"colder than -193 C.*not linear"):
        cameras.linear_celsius(np.array([[8000, 8001]]), 0.01)


# ------------------------------------------------------------------------ what the cameras printed


def degrees(real_data, name):
    return cameras.celsius(cameras.required(real_data / "cameras" / "radiometric" / "raw" / name))


def test_the_spot_of_an_e40_reads_what_its_screen_shows(real_data):
    """20.9 C, in the saved picture; emissivity 0.95, 2 m and an external window of 98 % are beside it."""
    assert round(float(degrees(real_data, "Flir_E40.jpg")[60, 80]), 1) == 20.9


def test_the_extremes_of_an_ax8_read_what_its_screen_shows(real_data):
    """Max 25.5, min 24.3 C, of the area (1, 1) with 78 x 58 pixels that the record holds."""
    area = degrees(real_data, "ax8.jpg")[1:59, 1:79]
    assert (round(float(area.min()), 1), round(float(area.max()), 1)) == (24.3, 25.5)


def test_the_maximum_of_a_t640_reads_what_its_screen_shows(real_data):
    """Max 199 F, of the area (64, 98) with 313 x 279 pixels that the record holds."""
    area = degrees(real_data, "T640.jpg")[98:377, 64:377]
    assert round(float(area.max()) * 1.8 + 32) == 199


def test_the_centre_of_an_xt2_reads_what_its_metadata_say(real_data):
    """Whole degrees, cut off."""
    radiometric = cameras.required(real_data / "cameras" / "radiometric" / "raw" / "DJI_XT-2.jpg")
    assert int(cameras.celsius(radiometric)[255:257, 319:321].mean()) == radiometric.stated.centre == 34


@pytest.mark.parametrize("name", ["Flir_E40.jpg", "T640.jpg", "ax8.jpg"])
def test_stated_extremes_agree_within_a_degree_with_the_colour_bar_or_the_picture(real_data, name):
    """Kelvin, in the maker note. The ends of the colour bar in an E40 and a T640, where the hottest is cut off."""
    radiometric = cameras.required(real_data / "cameras" / "radiometric" / "raw" / name)
    kelvin = cameras.celsius(radiometric) + 273.15
    assert kelvin.min() - 1 <= radiometric.stated.minimum <= radiometric.stated.maximum <= kelvin.max() + 1


@pytest.mark.parametrize("name", ["Flir_E40.jpg", "T640.jpg", "ax8.jpg", "flir_example.jpg"])
@pytest.mark.parametrize("scene", [{}, {"emissivity": 0.7, "reflected_apparent_temperature": 300.0}])
def test_flyr_agrees_where_no_air_is_between(real_data, name, scene):
    """Beyond that flyr halves the path of the air, which the formula does not: 0.15 K at most in these files."""
    flyr = pytest.importorskip("flyr", reason="an independent implementation: pip install flyr (EUPL, tests only)")
    path = real_data / "cameras" / "radiometric" / "raw" / name
    theirs = flyr.unpack(str(path)).adjust_metadata(object_distance=0.0, **scene).celsius
    reflected = scene["reflected_apparent_temperature"] - 273.15 if scene else None
    ours = cameras.celsius(
        cameras.required(path), distance=0.0, emissivity=scene.get("emissivity"), reflected=reflected
    )
    np.testing.assert_allclose(ours, theirs, atol=2e-3)
