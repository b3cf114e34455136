"""Pairs larger than memory: what is read in parts, written in tiles and fused by windows is what whole files give."""

import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageCms
from PIL.TiffImagePlugin import ImageFileDirectory_v2

import irvis
from irvis import budget, io, streaming, tiling
from irvis.budget import parse_memory
from irvis.cli import main
from irvis.color import gray
from irvis.errors import IrvisError
from irvis.io import big, tiled
from irvis.io.decode import read_raster
from irvis.survey import percentiles
from irvis.thermal import Range
from irvis.types import Meta
from thermal_files import png_bomb

pytestmark = pytest.mark.filterwarnings("error")
AMPLE = 10**9
WINDOW = (64, 96)


def noise(height: int, width: int, bands: int = 1, dtype: str = "uint8", seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    shape = (height, width, bands) if bands > 1 else (height, width)
    if dtype == "float32":
        return random.random(shape, np.float32)
    return random.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def blocks(path: Path) -> np.ndarray:
    return np.concatenate(list(big.opened(path, AMPLE).blocks()))


def message(call: object, *arguments: object, **options: object) -> str:
    with pytest.raises(IrvisError) as caught:
        call(*arguments, **options)  # type: ignore[operator]
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small windows, whatever the memory."""
    monkeypatch.setattr(streaming, "planned", lambda job, memory: WINDOW)


def written(folder: Path, visible: np.ndarray, infrared: np.ndarray, **options: object) -> tuple[Path, Path, Path]:
    paths = folder / "visible.tif", folder / "infrared.tif", folder / "fused.tif"
    colours = {"photometric": "rgb"} if visible.ndim == 3 else {}
    tifffile.imwrite(paths[0], visible, tile=(32, 48), **colours, **options)
    tifffile.imwrite(paths[1], infrared)
    return paths


def whole(paths: tuple[Path, Path, Path], fuser: irvis.Fuser, range: Range | None, color: str = "keep") -> np.ndarray:
    pair = io.read_pair(paths[0], paths[1], range=range)
    with torch.inference_mode():
        fused = fuser(pair.visible, pair.infrared, pair.valid)
    path = paths[2].with_name("whole.tif")
    io.write(path, gray(fused) if color == "gray" or pair.meta.gray else fused, pair.meta)
    return read_raster(path).samples


# ------------------------------------------------------------------------------------------ reading


@pytest.mark.parametrize(("dtype", "bands"), [("uint8", 3), ("uint16", 1), ("uint16", 4), ("float32", 1)])
@pytest.mark.parametrize("layout", [{"tile": (32, 16)}, {"rowsperstrip": 7}, {"rowsperstrip": 61}])
@pytest.mark.parametrize("packed", [{}, {"compression": "zlib"}, {"compression": "zlib", "predictor": 2}])
def test_blocks_are_the_rows_of_the_whole_file(tmp_path, monkeypatch, dtype, bands, layout, packed):
    if dtype == "float32":
        packed = {key: value for key, value in packed.items() if key != "predictor"}  # tifffile writes none of floats
    monkeypatch.setattr(big, "PIECE", 1000)
    pixels, path, rgb = noise(61, 45, bands, dtype), tmp_path / "a.tif", {"photometric": "rgb"} if bands > 1 else {}
    wanted = np.atleast_3d(pixels)[..., : 3 if bands > 2 else 1]
    tifffile.imwrite(path, pixels, **rgb, **layout, **packed, byteorder=">")
    np.testing.assert_array_equal(blocks(path), wanted)
    if bands > 1:
        tifffile.imwrite(
            path, np.moveaxis(pixels, 2, 0), **rgb, **layout, **packed, planarconfig="separate", bigtiff=True
        )
        np.testing.assert_array_equal(blocks(path), wanted)


@pytest.mark.parametrize("codec", ["tiff_lzw", "packbits", "zstd", "lzma", "tiff_deflate"])
@pytest.mark.parametrize("mode", ["L", "RGBA", "I;16"])
def test_what_libtiff_wrote_is_read(tmp_path, codec, mode):
    pixels = noise(50, 40, {"RGB": 3, "RGBA": 4}.get(mode, 1), "uint16" if mode == "I;16" else "uint8")
    path = tmp_path / "a.tif"
    try:
        Pillow.fromarray(pixels).save(path, compression=codec, tiffinfo={278: 9})
    except OSError:
        pytest.skip(f"this Pillow writes no {codec}")
    np.testing.assert_array_equal(blocks(path), read_raster(path).samples)


def test_floats_with_the_floating_point_predictor_are_read(tmp_path):
    """TIFF Technical Note 3: bytes of one significance stand together, the highest first, then differences."""
    pixels = noise(20, 33, dtype="float32")
    planes = pixels.astype(">f4").view(np.uint8).reshape(20, 33, 4).transpose(0, 2, 1).reshape(20, -1)
    packed = np.diff(planes, axis=1, prepend=np.zeros((20, 1), np.uint8)).astype(np.uint8)
    tags, buffer, path = ImageFileDirectory_v2(), BytesIO(), tmp_path / "a.tif"
    for tag, value in {256: 33, 257: 20, 258: 32, 259: 1, 262: 1, 277: 1, 278: 20, 279: 2640, 317: 3, 339: 3}.items():
        tags[tag] = value
    tags[273] = 0
    tags.save(buffer)
    path.write_bytes(buffer.getvalue() + packed.tobytes())
    np.testing.assert_array_equal(blocks(path)[..., 0], pixels)


def test_white_is_zero_is_turned_round(tmp_path):
    pixels = noise(20, 30, dtype="uint16")
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="miniswhite")
    np.testing.assert_array_equal(blocks(tmp_path / "a.tif")[..., 0], 65535 - pixels)


def test_what_cannot_be_read_in_parts_is_decoded_whole_where_it_fits(tmp_path):
    paths = [tmp_path / name for name in ("a.png", "a.jpg", "jpeg.tif", "turned.tif")]
    pixels = Pillow.fromarray(noise(64, 48, 3))
    options = [{}, {}, {"compression": "jpeg"}, {"tiffinfo": {274: 6}}]
    for path, option in zip(paths, options, strict=True):
        pixels.save(path, **option)
        np.testing.assert_array_equal(blocks(path), read_raster(path).samples)
        assert "decoded whole" in message(big.opened, path, 3 * 64 * 48 * 3 - 1)


@pytest.mark.parametrize("packed", [{}, {"compression": "zlib"}])
def test_a_file_that_is_cut_off_or_damaged_is_one_line(tmp_path, packed):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, noise(90, 70), **packed)
    data = path.read_bytes()
    path.write_bytes(data[:-400])
    assert "cut off" in message(big.opened, path, AMPLE)
    path.write_bytes(data[:600] + bytes(len(data) - 600))
    if packed:
        assert str(path) in message(blocks, path)


def test_more_than_four_bands_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", noise(20, 30, 5), photometric="minisblack", planarconfig="contig")
    assert "5 bands" in message(big.opened, tmp_path / "a.tif", AMPLE)


# ------------------------------------------------------------------------------------------ writing


@pytest.mark.parametrize("size", [(1, 1), (512, 512), (530, 560)])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("compressed", [True, False])
def test_rows_written_are_read_by_others(tmp_path, monkeypatch, size, dtype, channels, compressed):
    for limit, is_big in ((10**9, False), (0, True)):
        monkeypatch.setattr(tiled, "BIG", limit)
        pixels, path = np.atleast_3d(noise(*size, channels, dtype)), tmp_path / f"{limit}.tif"
        rows = (pixels[top : top + 37] for top in range(0, size[0], 37))
        shape = tiled.Shape(height=size[0], width=size[1], channels=channels, dtype=pixels.dtype)
        tiled.write(path, rows, shape, Meta(), compressed=compressed)
        np.testing.assert_array_equal(read_raster(path).samples, pixels)
        np.testing.assert_array_equal(blocks(path), pixels)
        with tifffile.TiffFile(path) as tiff:
            page = tiff.pages.first
            assert (tiff.is_bigtiff, page.tile, page.compression) == (is_big, (512, 512), 8 if compressed else 1)


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize("is_big", [False, True])
def test_georeference_resolution_description_and_profile_are_kept(tmp_path, monkeypatch, is_big):
    doubles = {33550: (0.5, 0.5, 0.0), 33922: (0.0, 0.0, 0.0, 500000.0, 4.6e6, 0.0), 34736: (6378137.0,)}
    keys, profile = (1, 1, 0, 1, 1024, 0, 1, 1), ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    tags = [(code, 12, len(value), value, True) for code, value in doubles.items()]
    tags += [(34735, 3, 8, keys, True), (34737, 2, 0, "WGS 84|", True), (42113, 2, 0, "255", True)]
    paths = written(
        tmp_path, noise(100, 130, 3), noise(100, 130), extratags=tags, description="a field", iccprofile=profile,
        resolution=(300, 200), metadata=None,
    )  # fmt: skip
    monkeypatch.setattr(tiled, "BIG", 0 if is_big else tiled.BIG)
    streaming.fuse_files(*paths, irvis.create("average"), memory=AMPLE)
    with tifffile.TiffFile(paths[2]) as tiff:
        found = {tag.code: tag.value for tag in tiff.pages.first.tags}
        assert tiff.is_bigtiff == is_big
    for code, value in doubles.items():
        assert np.atleast_1d(found[code]).tolist() == list(value)
    assert (found[34735], found[34737], found[42113]) == (keys, "WGS 84|", "255")
    assert (found[270], found[282], found[283], found[34675]) == ("a field", (300, 1), (200, 1), profile)


@pytest.mark.usefixtures("windows")
def test_position_and_camera_data_are_kept(tmp_path):
    exif = Pillow.Exif()
    exif[0x8825], exif[0x8769] = {1: "N"}, {0x829A: 0.25}
    paths = written(tmp_path, noise(100, 130, 3), noise(100, 130))
    io.write(paths[0], torch.rand(1, 3, 100, 130), Meta(exif=exif.tobytes()))
    streaming.fuse_files(*paths, irvis.create("average"), memory=AMPLE)
    with Pillow.open(paths[2]) as image:
        kept = image.getexif()
        assert (kept.get_ifd(0x8825)[1], float(kept.get_ifd(0x8769)[0x829A])) == ("N", 0.25)


# -------------------------------------------------------------------------------------- percentiles


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 999), count=st.integers(1, 3000), dtype=st.sampled_from(["uint8", "uint16", "float32"]),
    percents=st.tuples(st.floats(0, 100), st.floats(0, 100)), spread=st.sampled_from([1e-30, 1.0, 1e6, 1e30]),
)  # fmt: skip
def test_counted_percentiles_are_those_of_numpy(seed, count, dtype, percents, spread):
    random = np.random.default_rng(seed)
    values = random.normal(0, 1, count).astype(np.float32) * np.float32(spread)
    if dtype != "float32":
        values = random.integers(0, 2 + seed % 250, count).astype(dtype)
    elif count > 5:
        values[:3] = np.nan, np.inf, 0
    finite = values[np.isfinite(values)].astype(np.float64)
    found = percentiles(lambda: np.array_split(values, 3), percents)
    assert found == tuple(float(np.percentile(finite, percent)) for percent in percents)


def test_without_a_measured_pixel_there_are_no_percentiles():
    assert percentiles(lambda: [np.full(5, np.nan, np.float32)], (1.0, 99.0)) is None


# ------------------------------------------------------------------------------------------- fusing


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize(
    ("name", "options"),
    [("average", {}), ("max", {}), ("laplacian", {"levels": 3}), ("tif", {"window": 9})],
    ids=lambda x: x if isinstance(x, str) else "",
)
@pytest.mark.parametrize(
    ("dtype", "bands"),
    [
        ("uint8", 3),
        ("uint16", 1),
        pytest.param("uint8", 1, marks=pytest.mark.slow),
        pytest.param("uint16", 3, marks=pytest.mark.slow),
    ],
)
def test_the_streamed_picture_of_a_local_method_is_the_whole_one(tmp_path, name, options, dtype, bands):
    paths = written(tmp_path, noise(150, 217, bands, dtype), noise(150, 217, dtype="uint16", seed=1))
    fuser, span = irvis.create(name, **options), Range(2, 98, "percent")
    for color in ("keep", "gray"):
        streaming.fuse_files(*paths, fuser, memory=AMPLE, range=span, color=color)
        fused = read_raster(paths[2]).samples
        assert fused.dtype == dtype
        np.testing.assert_array_equal(fused, whole(paths, fuser, span, color))


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize(("name", "options"), [("encdec", {"width": 4}), ("wavelet", {}), ("gff", {"base_radius": 20})])
def test_where_sums_are_rounded_in_another_order_a_level_may_differ_here_and_there(tmp_path, name, options):
    torch.manual_seed(0)
    paths = written(tmp_path, noise(230, 317, 3), noise(230, 317, dtype="float32"))
    fuser, span = irvis.create(name, weights=None, **options), Range(0.1, 0.9)
    streaming.fuse_files(*paths, fuser, memory=AMPLE, range=span)
    off = np.abs(read_raster(paths[2]).samples.astype(int) - whole(paths, fuser, span))
    assert off.max() <= 1
    assert (off > 0).mean() < 1e-3


@settings(max_examples=10, deadline=None)
@given(height=st.integers(1, 300), width=st.integers(1, 300), rows=st.integers(1, 200), columns=st.integers(1, 200))
def test_any_size_and_any_window_give_the_whole_picture(tmp_path_factory, height, width, rows, columns):
    height, width = min(height, 9 * rows), min(width, 9 * columns)  # 81 windows
    paths = written(tmp_path_factory.mktemp("any"), noise(height, width, 3), noise(height, width))
    fuser = irvis.create("laplacian", levels=3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streaming, "planned", lambda job, memory: (rows, columns))
        streaming.fuse_files(*paths, fuser, memory=AMPLE)
    np.testing.assert_array_equal(read_raster(paths[2]).samples, whole(paths, fuser, None))


@pytest.mark.usefixtures("windows")
def test_a_method_that_sees_everything_is_blended_as_in_memory(tmp_path):
    paths = written(tmp_path, noise(230, 317, 3, "uint16"), noise(230, 317))
    fuser = irvis.create("hmsd-gf", levels=2)
    streaming.fuse_files(*paths, fuser, memory=AMPLE)
    pair = io.read_pair(*paths[:2])
    with torch.inference_mode():
        wanted = tiling.blended(fuser, pair.visible, pair.infrared, fuser.spec, WINDOW)[0].permute(1, 2, 0)
    found = torch.from_numpy(read_raster(paths[2]).samples.astype(np.float32) / 65535)
    torch.testing.assert_close(found, wanted, rtol=0, atol=2e-5)


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize("span", [Range(1, 99, "percent"), Range(7000, 9000)])
@pytest.mark.parametrize("level", [7500.0, np.nan])
def test_flat_and_unmeasured_infrared_is_what_it_is_whole(tmp_path, span, level):
    paths = written(tmp_path, noise(90, 140), np.full((90, 140), level, np.float32))
    fuser = irvis.create("infrared")
    with io.noting():
        streaming.fuse_files(*paths, fuser, memory=AMPLE, range=span)
        np.testing.assert_array_equal(read_raster(paths[2]).samples, whole(paths, fuser, span))


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize("name", ["average", "laplacian"])
@pytest.mark.parametrize("curve", ["2%,98%", "equalised", "5000,30000,equalised"])
def test_what_holds_no_data_and_equalised_ranges_are_as_in_the_whole_picture(tmp_path, name, curve):
    visible, infrared = noise(230, 317, 3), noise(230, 317, dtype="uint16")
    visible[:40, 100:], infrared[150:, :120] = 0, 7
    paths = written(tmp_path, visible, infrared, extratags=[(42113, 2, 0, "0", True)])
    tifffile.imwrite(paths[1], infrared, extratags=[(42113, 2, 0, "7", True)])
    streaming.fuse_files(*paths, irvis.create(name), memory=AMPLE, range=Range.parse(curve))
    fused = read_raster(paths[2]).samples
    np.testing.assert_array_equal(fused, whole(paths, irvis.create(name), Range.parse(curve)))
    assert not fused[:40, 100:].any()
    np.testing.assert_array_equal(fused[170:, :100], visible[170:, :100])


@pytest.mark.usefixtures("windows")
@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        ("float32", -9999, "-9999"),
        ("float32", -3.4e38, "not finite"),
        ("float32", np.nan, "not finite"),
        ("uint16", 0, "0"),
        ("uint16", 65535, "65535"),
        ("uint16", 20000, ""),
    ],
)
def test_untagged_nodata_is_found_and_told_as_in_the_whole_picture(tmp_path, kind, value, told):
    infrared = noise(130, 200, dtype="uint16") % 2000 + 20000
    infrared = infrared.astype(kind)
    infrared[:60, :70] = value
    paths = written(tmp_path, noise(130, 200, 3), infrared)
    fuser, span = irvis.create("average"), Range.parse("1%,99%")
    with io.noting() as notes:
        streaming.fuse_files(*paths, fuser, memory=AMPLE, range=span)
    assert len(notes) == bool(told)
    assert all(f"16% of its pixels are {told}: taken as no data" in note for note in notes)
    with io.noting():
        np.testing.assert_array_equal(read_raster(paths[2]).samples, whole(paths, fuser, span))


def test_ranges_that_need_more_than_counts_are_one_line(tmp_path):
    paths = written(tmp_path, noise(90, 140, 3), noise(90, 140, dtype="uint16"))
    for text in ("20C,40C", "contrast-limited"):
        span = Range.parse(text)
        assert "linear or equalised" in message(
            streaming.fuse_files, *paths, irvis.create("average"), memory=AMPLE, range=span
        )


@pytest.mark.usefixtures("windows")
def test_pseudo_coloured_infrared_is_refused_or_taken_as_gray(tmp_path):
    paths = written(tmp_path, noise(90, 140), noise(90, 140, 3))
    fuser = irvis.create("infrared")
    assert "pseudo-coloured" in message(streaming.fuse_files, *paths, fuser, memory=AMPLE)
    streaming.fuse_files(*paths, fuser, memory=AMPLE, infrared_color="gray")
    wanted = io.read_infrared(paths[1], color="gray")[0, 0].numpy() * 255
    assert np.abs(read_raster(paths[2]).samples[..., 0] - wanted).max() <= 0.51


# ------------------------------------------------------------------------------------ errors, stops


def test_wrong_requests_are_one_line_and_leave_no_file(tmp_path):
    paths, fuser = written(tmp_path, noise(90, 140, 3), noise(90, 140, dtype="uint16")), irvis.create("average")
    assert ".tif" in message(streaming.fuse_files, *paths[:2], tmp_path / "a.png", fuser, memory=AMPLE)
    assert "needs a range" in message(streaming.fuse_files, *paths, fuser, memory=AMPLE)
    few = message(streaming.fuse_files, *paths, fuser, memory=10**6, range=Range(0, 9))
    assert "--memory" in few
    tifffile.imwrite(paths[1], noise(91, 140))
    assert "140x90" in message(streaming.fuse_files, *paths, fuser, memory=AMPLE)
    assert "no such file" in message(streaming.fuse_files, tmp_path / "none.tif", *paths[1:], fuser, memory=AMPLE)
    double = irvis.create("encdec", weights=None, width=2, scale=2)
    assert "another size" in message(streaming.fuse_files, *paths, double, memory=AMPLE)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["infrared.tif", "visible.tif"]


@pytest.mark.usefixtures("windows")
def test_an_interruption_leaves_what_was_there(tmp_path):
    paths = written(tmp_path, noise(230, 317, 3), noise(230, 317))
    paths[2].write_bytes(b"before")

    def stop(done: int, total: int) -> None:
        if done == 9:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        streaming.fuse_files(*paths, irvis.create("average"), memory=AMPLE, show=stop)
    assert paths[2].read_bytes() == b"before"
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("verb", ["fuse", "align"])
def test_a_pair_that_is_larger_than_the_memory_is_refused_before_it_is_decoded(verb, tmp_path, monkeypatch, capsys):
    for name in ("v.png", "i.png"):
        (tmp_path / name).write_bytes(png_bomb(20000, 20000))
    monkeypatch.setattr(budget, "available", lambda: 16 * 10**9)
    words = [verb, str(tmp_path / "v.png"), str(tmp_path / "i.png"), "-o", str(tmp_path / "o.png")]
    with pytest.raises(SystemExit) as end:
        main(words + ["-m", "average"] * (verb == "fuse"))
    assert end.value.code == 1
    told = "".join(capsys.readouterr())
    assert "400 megapixels, fused whole, take up to 38 GB, and 16.0 GB are free" in told
    assert "--memory 2GB" in told
    assert not (tmp_path / "o.png").is_file()


def test_memory_that_is_free_is_told_in_bytes_and_never_above_a_limit_of_the_process():
    free = budget.available()
    assert free is None or 2**24 < free < 2**50


@pytest.mark.usefixtures("windows")
def test_progress_counts_windows(tmp_path):
    paths, seen = written(tmp_path, noise(130, 200, 3), noise(130, 200)), []
    streaming.fuse_files(*paths, irvis.create("average"), memory=AMPLE, show=lambda *counts: seen.append(counts))
    assert seen == [(n, 9) for n in range(1, 10)]


@pytest.mark.parametrize(
    ("text", "count"),
    [("2GB", 2 * 10**9), ("2GiB", 2**31), ("500 mb", 5 * 10**8), ("1.5G", 15 * 10**8), ("70000", 70000)],
)
def test_memory_is_read_as_written(text, count):
    assert parse_memory(text) == count


@pytest.mark.parametrize("text", ["", "GB", "-1GB", "0MB", "2XB", "2 iB", "two"])
def test_no_amount_of_memory_is_one_line(text):
    assert "2GB" in message(parse_memory, text)


def test_only_pictures_over_the_memory_are_streamed(tmp_path):
    paths, fuser = written(tmp_path, noise(400, 500, 3), noise(400, 500)), irvis.create("average")
    assert not streaming.exceeds(*paths[:2], fuser, memory=AMPLE)
    assert streaming.exceeds(*paths[:2], fuser, memory=10**7)


# ------------------------------------------------------------------------------------------- memory

ALONE = """
import sys
from pathlib import Path
import torch
from irvis import budget, creation, streaming
from irvis.thermal import Range
torch.set_num_threads(1)
folder, name, memory = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
files = [folder / f"{kind}.tif" for kind in ("visible", "infrared", "fused")]
method, weights, options = creation.parse(name)
fuser = creation.create(method, weights=weights, **options)
base, peaks = budget._status("VmRSS"), []
plan, forget = streaming.planned, budget._status
def planned(job, memory):  # the probe starts the peak of the process again: keep the one before
    peaks.append(budget._status("VmHWM"))
    return plan(job, memory)
streaming.planned = planned
streaming.fuse_files(*files, fuser, memory=memory, range=Range(7000, 9000), compressed=False)
print(base, max(*peaks, budget._status("VmHWM")))
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="peaks of memory are read from /proc")
@pytest.mark.parametrize(
    ("side", "name", "memory"),
    [
        (4000, "average", 120),
        pytest.param(8000, "average", 250, marks=pytest.mark.slow),
        pytest.param(2000, "encdec:tiny", 200, marks=pytest.mark.slow),
    ],
)
def test_the_memory_stays_within_the_budget(tmp_path, side, name, memory):
    height = 64
    strip = noise(height, side, 3), 7000 + noise(height, side, dtype="uint16") % 2000
    for kind, pixels in zip(("visible", "infrared"), strip, strict=True):
        with (tmp_path / f"{kind}.tif").open("wb") as file:
            buffer = BytesIO()
            colours = {"photometric": "rgb"} if pixels.ndim == 3 else {}
            tifffile.imwrite(buffer, shape=(side, *pixels.shape[1:]), dtype=pixels.dtype, **colours, metadata=None)
            head = len(buffer.getvalue()) - side * pixels[0].nbytes
            file.write(buffer.getvalue()[:head])
            del buffer
            for top in range(0, side, height):
                file.write(pixels[: side - top].tobytes())
    words = [sys.executable, "-c", ALONE, str(tmp_path), name, str(memory * 10**6)]
    base, peak = map(int, subprocess.run(words, capture_output=True, text=True, check=True).stdout.split())
    assert peak - base < memory * 10**6
    assert (tmp_path / "fused.tif").stat().st_size > side * side * 3
