"""Numbers that are no measurement: found where nothing marks them, told, and in no range, map or spot."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from irvis import IrvisError, io
from irvis.cli import main
from irvis.io.infrared import measure
from irvis.thermal import Range, Sensing
from irvis.thermal.asked import parse_nodata

HEIGHT, WIDTH = 32, 40
DEGREES = np.linspace(20, 35, HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH)
BORDER = np.zeros((HEIGHT, WIDTH), bool)
BORDER[:2] = True
CELSIUS = Sensing(unit="celsius", keep=True)


def saved(path, values):
    tifffile.imwrite(path, values)
    return path


def with_border(values, nodata):
    return np.where(BORDER, np.asarray(nodata, values.dtype), values)


CASES = {
    "-9999 in float": with_border(DEGREES, -9999),
    "the least float": with_border(DEGREES, -3.4e38),
    "the greatest float": with_border(DEGREES, 3.4e38),
    "NaN": with_border(DEGREES, np.nan),
    "infinity": with_border(DEGREES, -np.inf),
    "-9999 in int16": with_border((10 * DEGREES).astype(np.int16), -9999),
    "-32768 in int16": with_border((10 * DEGREES).astype(np.int16), -32768),
    "0 in uint16": with_border((100 * DEGREES + 27315).astype(np.uint16), 0),
    "65535 in uint16": with_border((100 * DEGREES + 27315).astype(np.uint16), 65535),
}


@pytest.mark.parametrize("values", CASES.values(), ids=CASES)
def test_what_was_never_measured_is_found_told_and_left_out_of_the_range(tmp_path, values):
    found = measure(saved(tmp_path / "t.tif", values), Sensing())
    np.testing.assert_array_equal(np.isnan(found.raster.samples[..., 0]), BORDER)
    assert found.empty
    assert ["6% of its pixels are" in note and "taken as no data" in note for note in found.notes] == [True]
    with io.noting():
        gray = io.read_infrared(tmp_path / "t.tif", range=Range.parse("0%,100%"))[0, 0].numpy()
    assert gray[~BORDER].max() == 1
    assert np.unique(gray[~BORDER]).size > 100


@pytest.mark.parametrize(
    "values",
    [
        np.arange(0, 65536, 51, dtype=np.uint16)[: HEIGHT * WIDTH].reshape(HEIGHT, WIDTH),
        np.where(BORDER, np.uint16(0), np.uint16(65535)),
        with_border((1000 * DEGREES - 25000).clip(0, 65535).astype(np.uint16), 0),
        np.linspace(-9999, 9999, HEIGHT * WIDTH, dtype=np.float32).reshape(HEIGHT, WIDTH),
        with_border(DEGREES, 0),
        with_border((10 * DEGREES).astype(np.uint8), 0),
    ],
    ids=["a ramp of 16 bits", "a mask", "black among dark", "floats that reach it", "0 C", "8 bits"],
)
def test_the_same_values_are_numbers_where_they_do_not_stand_apart(tmp_path, values):
    found = measure(saved(tmp_path / "t.tif", values), Sensing())
    assert not found.notes
    assert not found.empty
    np.testing.assert_array_equal(found.raster.samples[..., 0], values)


def test_below_absolute_zero_nothing_was_measured(tmp_path):
    odd = saved(tmp_path / "t.tif", with_border(DEGREES, -300))
    assert measure(odd, CELSIUS).notes[0].startswith("6% of its pixels are below absolute zero")
    assert not measure(odd, Sensing()).notes
    kelvin = saved(tmp_path / "k.tif", with_border(DEGREES + 273.15, 0))
    assert measure(kelvin, Sensing(kelvin_per_count=1)).empty


def test_the_user_has_the_last_word(tmp_path):
    values = with_border(DEGREES, -9999)
    values[-1, -1] = 21.5
    path = saved(tmp_path / "t.tif", values)
    everything = measure(path, Sensing(nodata="none"))
    assert not everything.empty
    assert everything.raster.samples.min() == -9999
    own = measure(path, Sensing(nodata=21.5))
    assert np.isnan(own.raster.samples[-1, -1, 0])
    assert own.raster.samples[0, 0, 0] == -9999
    assert (parse_nodata("-9999"), parse_nodata("none"), parse_nodata("1e30")) == (-9999, "none", 1e30)
    for text in ("nan", "inf", "much", ""):
        with pytest.raises(IrvisError, match="no nodata value"):
            parse_nodata(text)


def test_nodata_is_in_no_map_and_no_spot_and_the_visible_image_shows_there(tmp_path, capsys):
    path = saved(tmp_path / "t.tif", with_border(DEGREES, -9999))
    Image.new("RGB", (WIDTH, HEIGHT), (200, 40, 30)).save(tmp_path / "v.png")
    words = ["--infrared-unit", "celsius", "--temperature-sidecar", "--hottest", "1", "--spot", "1,0"]
    with pytest.raises(SystemExit) as stop:
        main(["fuse", str(tmp_path / "v.png"), str(path), "-o", str(tmp_path / "o.png"), "-m", "infrared", *words])
    assert not stop.value.code
    told = capsys.readouterr()
    assert told.err.count("-9999: taken as no data") == 1
    assert "spot 1,0: nothing measured" in told.out
    assert "35.0 °C" in told.out
    native = tifffile.imread(tmp_path / "o.native.celsius.tiff")
    np.testing.assert_array_equal(np.isnan(native), BORDER)
    assert np.nanmin(tifffile.imread(tmp_path / "o.celsius.tiff")) >= 20
    assert np.abs(np.asarray(Image.open(tmp_path / "o.png"))[0, 20].astype(int) - (200, 40, 30)).max() < 90


@pytest.mark.parametrize("span", ["40000,50000", "0,7", "40C,50C"])
def test_a_range_beside_all_numbers_is_an_error_that_names_both(tmp_path, span):
    counts = saved(tmp_path / "t.tif", (100 * DEGREES + 27315).astype(np.uint16))
    if not span.endswith("C"):
        with pytest.raises(IrvisError, match=r"no pixel lies in the range .*infrared runs from 29315 to 30815"):
            io.read_infrared(counts, range=Range.parse(span))
        return
    with pytest.raises(IrvisError, match=r"no pixel lies in the range 40 to 50 C: infrared runs from 20 to 35 C"):
        io.read_infrared(counts, range=Range.parse(span), sensing=Sensing(kelvin_per_count=0.01))
