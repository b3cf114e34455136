import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from irvis.errors import IrvisError
from irvis.thermal import Range, to_unit

PERCENT = Range(1.0, 99.0, "percent")
RANGES = [
    PERCENT,
    Range(0.0, 100.0, "percent"),
    Range(-3.0, 1e9),
    Range(0.0, 1.0),
    Range(10.0, 90.0, "percent", "equalised"),
    Range(-3.0, 1e9, "counts", "equalised"),
    Range(1.0, 99.0, "percent", "contrast-limited"),
    Range(0.0, 1.0, "celsius", "contrast-limited"),
]
IMAGES = st.one_of(
    arrays(np.uint16, array_shapes(min_dims=2, max_dims=2, max_side=12)),
    arrays(np.float32, array_shapes(min_dims=2, max_dims=2, max_side=12)),
)


def test_counts_and_percentiles_are_told_apart_by_their_percent_signs():
    assert Range.parse("7000,9000") == Range(7000.0, 9000.0, "counts")
    assert Range.parse("1%,99%") == Range(1.0, 99.0, "percent")
    assert Range.parse(" -20.5 , 1e3 ") == Range(-20.5, 1000.0, "counts")


def test_degrees_and_curves_are_written_behind_the_numbers():
    assert Range.parse("20C,40C") == Range(20.0, 40.0, "celsius")
    assert Range.parse("-5C, 40°C") == Range(-5.0, 40.0, "celsius")
    assert Range.parse("7000,9000,equalised") == Range(7000.0, 9000.0, "counts", "equalised")
    assert Range.parse("equalised") == Range(0.0, 100.0, "percent", "equalised")
    assert Range.parse("contrast-limited") == Range(1.0, 99.0, "percent", "contrast-limited")


@pytest.mark.parametrize(
    "text",
    [
        " ",
        "20C,40",
        "20C,40%",
        "C,40C",
        "40C,20C",
        "equalised,1%,99%",
        "1%,99%,bright",
        "7000,equalised",
        ",",
        "7000",
        "a,b",
        "1,2,3",
        "1%,99",
        "1,99%",
        "9000,7000",
        "5,5",
        "-1%,99%",
        "1%,101%",
        "nan,1",
        "0,inf",
        "1%%,99%",
        "7000;9000",
        "50%,50%",
        "%,%",
    ],
)
def test_nonsense_is_one_line_that_says_what_to_do(text: str):
    with pytest.raises(IrvisError, match=r"^[^\n]+\.$"):
        Range.parse(text)


@pytest.mark.parametrize("text", ["", "7000", "hot,cold", "1%,99"])
def test_a_text_that_is_no_range_is_answered_with_both_spellings(text: str):
    with pytest.raises(IrvisError, match=r'"7000,9000".*"1%,99%"'):
        Range.parse(text)


def test_counts_map_the_range_to_0_and_1_and_clip_outside():
    counts = np.array([[0, 7000, 7500, 8000, 9000, 65535]], np.uint16)
    assert to_unit(counts, Range(7000.0, 9000.0)).tolist() == [[0, 0, 0.25, 0.5, 1, 1]]


def test_percentiles_are_those_of_the_image():
    counts = np.arange(101, dtype=np.uint16)[None]  # percentile p is the count p
    expected = np.clip((np.arange(101) - 10) / 80, 0, 1)[None]
    np.testing.assert_allclose(to_unit(counts, Range(10.0, 90.0, "percent")), expected, atol=1e-7)


def test_pixels_without_a_measurement_are_0_and_do_not_move_the_percentiles():
    clean = np.arange(101, dtype=np.float32)
    holed = np.concatenate([clean, np.float32([np.nan, np.inf, -np.inf])])[None]
    unit = to_unit(holed, PERCENT)[0]
    np.testing.assert_array_equal(unit[:101], to_unit(clean[None], PERCENT)[0])
    assert unit[101:].tolist() == [0, 0, 0]


@pytest.mark.parametrize("value", [0, 7, 65535])
def test_a_constant_image_is_mid_gray_at_percentiles(value: int):
    assert (to_unit(np.full((3, 4), value, np.uint16), PERCENT) == 0.5).all()


def test_a_hot_spot_on_a_constant_image_is_white():
    counts = np.full((20, 20), 100, np.uint16)
    counts[3, 3], counts[4, 4] = 200, 50
    unit = to_unit(counts, PERCENT)
    assert (unit[3, 3], unit[4, 4], unit[0, 0]) == (1, 0, 0.5)


def test_an_image_without_any_measurement_is_black():
    assert (to_unit(np.full((2, 3), np.nan, np.float32), PERCENT) == 0).all()


def test_a_range_of_one_count_far_from_zero_keeps_its_precision():
    counts = np.array([[1e7, 1e7 + 0.5, 1e7 + 1]])
    assert to_unit(counts, Range(1e7, 1e7 + 1)).tolist() == [[0, 0.5, 1]]


@pytest.mark.filterwarnings("error")
@given(IMAGES, st.sampled_from(RANGES))
def test_any_counts_become_finite_float32_in_the_unit_interval(counts: np.ndarray, limits: Range):
    before = counts.copy()
    unit = to_unit(counts, limits)
    assert unit.dtype == np.float32
    assert unit.shape == counts.shape
    assert ((unit >= 0) & (unit <= 1)).all()
    np.testing.assert_array_equal(counts, before)


@given(arrays(np.uint16, (4, 5)))
def test_hotter_is_never_darker(counts: np.ndarray):
    unit = to_unit(counts, PERCENT).ravel()
    assert (np.diff(unit[np.argsort(counts.ravel(), kind="stable")]) >= 0).all()
