"""Readers of thermal cameras' files: exact counts, what else the files say, and one clear line for bad ones."""

import struct
import sys
import tracemalloc
from datetime import UTC, datetime, timedelta
from itertools import islice

import numpy as np
import pytest
import tifffile
from PIL import Image
from scipy import ndimage

import thermal_files as files
from irvis import IrvisError, cameras
from irvis.cameras import layouts, radiometric

COUNTS = files.scene()
RAW = "cameras/radiometric/raw"


def parsed(data):
    found = cameras.parse(data)
    assert found is not None
    return found


# ----------------------------------------------------------------------------------- FLIR records


@pytest.mark.parametrize("header", ["<", ">"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind", ["raw", "png", "png_right"])
def test_counts_come_out_exactly_whatever_the_byte_orders(header, order, kind):
    np.testing.assert_array_equal(parsed(files.flir_record(COUNTS, order, header, kind)).counts, COUNTS)


def test_counts_as_jpeg_ls_come_out_exactly():
    codec = pytest.importorskip("imagecodecs", reason="JPEG-LS needs the extra thermal")
    data = codec.jpegls_encode(COUNTS)
    np.testing.assert_array_equal(parsed(files.flir_record(COUNTS, kind=data)).counts, COUNTS)
    with pytest.raises(IrvisError, match="JPEG-LS"):
        parsed(files.flir_record(COUNTS[:-1], kind=data))
    with pytest.raises(IrvisError, match="cut short"):
        parsed(files.flir_record(COUNTS, kind=data[: len(data) // 2]))
    with pytest.raises(IrvisError, match="damaged"):
        parsed(files.flir_record(COUNTS, kind=data[: len(data) // 2] + data[-2:]))


def test_jpeg_ls_without_its_library_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    head = b"\xff\xd8\xff\xf7" + struct.pack(">HBHHB3x", 11, 16, *COUNTS.shape, 1) + b"\xff\xd9"
    with pytest.raises(IrvisError, match=r"pip install 'irvis\[thermal\]'"):
        parsed(files.flir_record(COUNTS, kind=head))


@pytest.mark.parametrize("order", ["<", ">"])
def test_facts_of_a_record_are_read(order):
    extra = (
        (0x21, files.tools_block(order)),
        (0x22, files.palette_block()),
        (0x2A, files.alignment_block()),
        (0x99, b"unknown"),
    )
    found = parsed(files.flir_record(COUNTS, order, extra=extra))
    assert found.model == "FLIR Test"
    assert [(m.kind, m.points, m.label) for m in found.measurements] == [
        ("spot", (5, 7), "1"),
        ("area", (2, 3, 10, 8), "box"),
    ]
    assert found.alignment == radiometric.Alignment(1.5, 6, -4, (0, 0, 31, 23))
    assert found.palette is not None
    assert found.palette.name == "Test"
    assert found.palette.colours.tolist() == [[0, 0, 0], [255, 255, 255], [254, 0, 0]]
    assert found.taken == datetime(2013, 4, 12, 9, 24, 1, 131000, UTC)
    assert found.taken.utcoffset() == timedelta(hours=2)


@pytest.mark.parametrize("order", ["<", ">"])
def test_constants_are_read_with_their_units(order):
    found = parsed(files.flir_record(COUNTS, order)).constants
    assert found is not None
    assert (found.r1, found.b, found.f, found.o) == (15000, 1400, 1, -5000)
    expected = {"r2": 0.0125, "emissivity": 0.95, "distance": 2, "reflected": 20, "atmospheric": 17, "humidity": 0.5}
    expected |= {"window_temperature": 22, "window_transmission": 0.98, "alpha1": 0.006569, "beta2": -0.00667, "x": 1.9}
    for name, value in expected.items():
        assert getattr(found, name) == pytest.approx(value, abs=2e-5), name


def test_humidity_in_percent_is_a_fraction():
    camera = files.camera_block(scene=(*files.SCENE[:7], 50.0))
    assert parsed(files.flir_record(COUNTS, camera=camera)).constants.humidity == 0.5


def test_a_record_without_constants_gives_counts_and_says_why_there_is_no_temperature():
    for camera in (b"", bytes(100), files.camera_block(constants=dict.fromkeys(files.CONSTANTS, 0))):
        found = parsed(files.flir_record(COUNTS, camera=camera))
        np.testing.assert_array_equal(found.counts, COUNTS)
        assert found.constants is None
        with pytest.raises(IrvisError, match="holds no Planck constants"):
            cameras.celsius(found)


def test_impossible_constants_in_a_file_leave_its_counts_and_can_be_replaced():
    camera = files.camera_block(scene=(0.0, *files.SCENE[1:]))
    found = parsed(files.flir_record(COUNTS, camera=camera))
    with pytest.raises(IrvisError, match="emissivity"):
        cameras.celsius(found)
    assert cameras.celsius(found, emissivity=0.9).shape == COUNTS.shape


# ------------------------------------------------------------------------------- radiometric JPEG


def test_pieces_of_a_record_may_come_in_any_order_among_other_segments():
    pieces = files.flir_segments(files.flir_record(COUNTS))
    other = files.segment(0xE1, b"Exif\0\0nothing")
    np.testing.assert_array_equal(parsed(files.jpeg([other, *pieces[::-1], other])).counts, COUNTS)


def test_a_missing_or_repeated_piece_is_one_clear_line():
    pieces = files.flir_segments(files.flir_record(COUNTS))
    with pytest.raises(IrvisError, match=r"piece 1 of 0 to \d+ is missing"):
        parsed(files.jpeg([pieces[0], *pieces[2:]]))
    with pytest.raises(IrvisError, match="contradict"):
        parsed(files.jpeg([pieces[0], *pieces]))


def test_a_jpeg_cut_short_anywhere_in_its_record_is_one_clear_line():
    data = files.jpeg(files.flir_segments(files.flir_record(COUNTS)))
    end = data.rindex(b"FLIR\0\x01")
    for length in range(400, end, 150):
        with pytest.raises(IrvisError, match="cut short"):
            parsed(data[:length])


def test_a_file_without_a_thermal_record_is_none_and_an_error_where_one_is_required(tmp_path):
    plain = tmp_path / "plain.jpg"
    plain.write_bytes(files.jpeg([]))
    Image.fromarray(COUNTS).save(tmp_path / "counts.png")
    assert cameras.read(plain) is None
    assert cameras.read(tmp_path / "counts.png") is None
    with pytest.raises(IrvisError, match=r"plain.jpg holds no thermal record"):
        cameras.required(plain)
    with pytest.raises(IrvisError, match="no such file"):
        cameras.read(tmp_path / "missing.jpg")


def test_a_record_without_a_thermal_image_is_an_error_that_names_the_file(tmp_path):
    path = tmp_path / "odd.jpg"
    path.write_bytes(files.jpeg(files.flir_segments(files.record([(0x20, files.camera_block())]))))
    with pytest.raises(IrvisError, match=r"odd.jpg: the FLIR record inside holds no thermal image"):
        cameras.read(path)


# ------------------------------------------------------------------------------------------ photo


def photographed(data, **alignment):
    extra = [(0x0E, files.photo_block(data))]
    extra += [(0x2A, files.alignment_block(**alignment))] if alignment else []
    return parsed(files.flir_record(COUNTS, extra=extra))


def test_a_photo_of_ycbcr_planes_gets_its_colours_back():
    rgb = np.zeros((48, 64, 3), np.uint8)
    rgb[:24], rgb[24:, :32], rgb[24:, 32:] = (200, 40, 30), (30, 160, 60), (128, 128, 128)
    photo = photographed(files.ycbcr_png(rgb)).photo
    np.testing.assert_allclose(photo.astype(int), rgb, atol=3)


def test_a_photo_as_jpeg_is_taken_as_it_is():
    photo = photographed(files.jpeg([])).photo
    assert photo.shape == (48, 64, 3)
    np.testing.assert_allclose(photo.mean((0, 1)), (120, 60, 20), atol=3)


def test_a_damaged_photo_leaves_the_counts():
    for bad in (b"no picture", files.jpeg([])[:200], files.png_bomb(60000, 60000)):
        found = photographed(bad)
        np.testing.assert_array_equal(found.counts, COUNTS)
        with pytest.raises(IrvisError, match="photo inside cannot be decoded"):
            _ = found.photo
    assert parsed(files.flir_record(COUNTS)).photo is None


def test_the_thermal_window_is_scaled_and_shifted_as_the_camera_says():
    """64 x 48 photo, 32 x 24 counts: a scale of 1.6 leaves 40 x 30 of its pixels, 3 right of and 2 above the centre."""
    left, top, width, height = cameras.thermal_window(photographed(files.jpeg([]), scale=1.6, x=3, y=-2))
    np.testing.assert_allclose((left, top, width, height), (15, 7, 40, 30), atol=1e-4)
    assert cameras.thermal_window(photographed(files.jpeg([]))) is None
    assert cameras.thermal_window(photographed(files.jpeg([]), scale=0.0)) is None


# ------------------------------------------------------------------------------------ bad records


def test_a_truncated_record_is_one_clear_line():
    data = files.flir_record(COUNTS)
    for length in (0, 3, 63, 100, 200, len(data) // 2, len(data) - 1):
        with pytest.raises(IrvisError, match=r"damaged header|cut short"):
            cameras.parse(data[:length]) if length > 3 else cameras.flir.parse_record(data[:length])


def test_a_record_whose_image_is_larger_than_its_bytes_takes_no_memory():
    for size, words in (((4096, 4096), "only 1536 are there"), ((65535, 65535), "impossible"), ((0, 7), "impossible")):
        data = files.record([(1, files.raw_block(COUNTS, size=size))])
        tracemalloc.start()
        with pytest.raises(IrvisError, match=words):
            parsed(data)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
        tracemalloc.stop()


@pytest.mark.parametrize("size", [(32, 24), (30000, 30000)])
def test_a_png_of_another_size_or_kind_is_refused(size):
    gray = files.ycbcr_png(np.zeros((24, 32, 3), np.uint8))
    for bad in (files.png_bomb(*size), gray, b"\x89PNG\r\n\x1a\n"):
        with pytest.raises(IrvisError, match="PNG of thermal counts"):
            parsed(files.flir_record(COUNTS, kind=bad))


def test_constant_counts_are_refused():
    with pytest.raises(IrvisError, match="all 768 thermal counts are 7000"):
        parsed(files.flir_record(np.full_like(COUNTS, 7000)))


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        (np.array([[-5, 7]]), "from -5 to 7"),
        (np.array([[5, 70000]]), "from 5 to 70000"),
        (np.array([[5.0, 7.0]]), "must be integers"),
        (np.zeros((0, 4), int), "must be"),
        (np.zeros(4, int), "must be"),
    ],
)
def test_counts_that_no_camera_writes_are_refused(counts, words):
    with pytest.raises(IrvisError, match=words):
        radiometric.checked(counts)


# -------------------------------------------------------------------------------------- sequences


def sequence(path, records):
    path.write_bytes(b"".join(records))
    return path


def test_frames_come_in_order_with_their_times(tmp_path):
    scenes = [files.scene(seed=seed) for seed in range(3)]
    kinds = ("raw", "png", "raw")
    path = sequence(
        tmp_path / "a.seq", [files.flir_record(s, header="<", kind=k) for s, k in zip(scenes, kinds, strict=True)]
    )
    found = list(cameras.frames(path))
    for frame, scene in zip(found, scenes, strict=True):
        np.testing.assert_array_equal(frame.counts, scene)
        assert frame.taken is not None
    np.testing.assert_array_equal(cameras.read(path).counts, scenes[0])


def test_the_mark_of_a_frame_among_counts_begins_no_frame(tmp_path):
    marked = COUNTS.copy()
    marked[3, 4:6] = np.frombuffer(b"FFF\0", np.uint16)
    path = sequence(tmp_path / "a.seq", [files.flir_record(marked), files.flir_record(COUNTS)])
    assert len(list(cameras.frames(path))) == 2


def test_padding_between_and_after_frames_is_skipped(tmp_path):
    path = sequence(tmp_path / "a.seq", [files.flir_record(COUNTS), bytes(40), files.flir_record(COUNTS), bytes(90)])
    assert len(list(cameras.frames(path))) == 2


def test_frames_before_a_damaged_one_are_given_and_then_one_clear_line(tmp_path):
    good = files.flir_record(COUNTS)
    damaged = {
        "cut short": good[:-100],
        "damaged header": b"XXX\0" + good[4:],
        "all 768": files.flir_record(np.full_like(COUNTS, 9)),
    }
    for words, bad in damaged.items():
        path = sequence(tmp_path / "a.seq", [good, bad])
        frames = cameras.frames(path)
        np.testing.assert_array_equal(next(frames).counts, COUNTS)
        with pytest.raises(IrvisError, match=rf"a.seq: frame 1.*{words}"):
            next(frames)


def test_one_frame_at_a_time_is_in_memory(tmp_path):
    big = files.flir_record(files.scene(300, 400))
    path = sequence(tmp_path / "long.seq", [big] * 40)
    tracemalloc.start()
    assert sum(1 for _ in cameras.frames(path)) == 40
    assert tracemalloc.get_traced_memory()[1] < 8 * len(big)
    tracemalloc.stop()


def test_a_file_that_is_no_sequence_has_no_frames(tmp_path):
    path = tmp_path / "a.jpg"
    path.write_bytes(files.jpeg([]))
    with pytest.raises(IrvisError, match="no SEQ, CSQ or FFF"):
        next(cameras.frames(path))


# -------------------------------------------------------------------------------------------- DJI


def test_dji_counts_are_read_and_no_temperature_is_guessed():
    counts = files.scene(120, 160)
    found = parsed(files.dji_jpeg(counts))
    np.testing.assert_array_equal(found.counts, counts)
    assert found.model == "ZH20T"
    with pytest.raises(IrvisError, match="no Planck constants"):
        cameras.celsius(found)
    with pytest.raises(IrvisError, match="need Planck constants"):
        cameras.celsius(found, emissivity=0.9)


def test_a_dji_picture_may_be_enlarged():
    counts = files.scene(120, 160)
    np.testing.assert_array_equal(parsed(files.dji_jpeg(counts, (320, 240))).counts, counts)


def test_dji_counts_of_no_known_size_are_one_clear_line():
    with pytest.raises(IrvisError, match=r"unknown DJI layout: 117 counts beside a picture of 64 x 48"):
        parsed(files.dji_jpeg(files.scene(9, 13), (64, 48)))


def test_segments_like_djis_in_another_makers_picture_are_no_counts():
    assert cameras.parse(files.jpeg([files.segment(0xE3, COUNTS.tobytes())])) is None


def test_a_dji_file_with_a_flir_record_keeps_its_temperature():
    facts = files.xmp(b'<x drone-dji="" tiff:Model="XT2" FLIR:CentralTemperature="34"/>')
    camera = files.camera_block(model=b"")
    data = files.jpeg([facts, *files.flir_segments(files.flir_record(COUNTS, camera=camera))])
    found = parsed(data)
    assert (found.model, found.stated.centre) == ("XT2", 34.0)
    assert cameras.celsius(found).shape == COUNTS.shape


# ---------------------------------------------------------------------------------------- layouts


@pytest.mark.parametrize("side", ["top", "bottom"])
@pytest.mark.parametrize("layout", [one for one in layouts.LAYOUTS if one.side is None], ids=lambda one: one.name)
def test_telemetry_rows_are_found_and_cut_off(layout, side):
    counts = files.scene(layout.height - layout.extra, layout.width)
    telemetry = np.zeros((layout.extra, layout.width), np.uint16)
    telemetry[0, :40] = np.random.default_rng(1).integers(0, 65536, 40)
    frame = np.concatenate((telemetry, counts) if side == "top" else (counts, telemetry))
    found = layouts.split(frame)
    np.testing.assert_array_equal(found.radiometric.counts, counts)
    np.testing.assert_array_equal(found.telemetry, telemetry)
    assert layouts.split(frame, "top").radiometric.counts.shape == counts.shape


def test_a_frame_of_two_cameras_gives_the_upper_part_as_kelvin():
    """512 x 484: 384 rows of kelvin times 16, then 100 rows of something else."""
    kelvin = 290 + files.scene(384, 512) / 4000
    words = np.concatenate(((kelvin * 16).astype(np.uint16), np.zeros((100, 512), np.uint16)))
    found = layouts.split(words).radiometric
    np.testing.assert_array_equal(found.counts, words[:384])
    np.testing.assert_allclose(cameras.celsius(found), words[:384] / 16 - 273.15, atol=1e-3)


def test_a_lepton_frame_is_a_temperature_only_if_its_step_is_said():
    frame = np.concatenate((files.scene(120, 160) + np.uint16(15315), np.zeros((2, 160), np.uint16)))
    with pytest.raises(IrvisError, match="does not say whether its counts are linear"):
        cameras.celsius(layouts.split(frame).radiometric)
    degrees = cameras.celsius(layouts.split(frame, kelvin_per_count=0.01).radiometric)
    np.testing.assert_allclose(degrees, frame[:120] / 100 - 273.15, atol=1e-3)


def test_a_stacked_frame_gives_its_picture_and_its_temperatures():
    """256 x 384 YUYV: 192 rows of picture, then 192 of kelvin times 64."""
    picture = np.random.default_rng(0).integers(0, 256, (192, 256), np.uint8)
    kelvin = 290 + files.scene(192, 256) / 1000
    counts = np.round(kelvin * 64).astype(np.uint16)
    words = np.concatenate((picture | np.uint16(0x8000), counts))
    for frame in (words, words.view(np.uint8).reshape(384, 256, 2)):
        found = layouts.split(frame)
        np.testing.assert_array_equal(found.picture, picture)
        np.testing.assert_array_equal(found.radiometric.counts, counts)
        np.testing.assert_allclose(cameras.celsius(found.radiometric), kelvin - 273.15, atol=0.01)


def test_a_frame_of_no_known_camera_is_one_clear_line():
    with pytest.raises(IrvisError, match=r"no known camera writes frames of 33 x 20.*640x514 \(Boson 640\)"):
        layouts.split(np.zeros((20, 33), np.uint16))
    with pytest.raises(IrvisError, match="must be"):
        layouts.split(np.zeros((20, 33, 3), np.uint8))


def test_headless_bytes_must_fill_their_size_exactly():
    for order in "<>":
        data = COUNTS.astype(order + "u2").tobytes()
        np.testing.assert_array_equal(layouts.from_bytes(data, 32, 24, order), COUNTS)
    with pytest.raises(IrvisError, match="1536 bytes are no 32 x 25"):
        layouts.from_bytes(COUNTS.tobytes(), 32, 25)


def test_fourteen_bits_in_the_high_end_of_sixteen_come_down():
    low = files.scene() >> np.uint16(2)
    np.testing.assert_array_equal(layouts.right_aligned(low), low)
    np.testing.assert_array_equal(layouts.right_aligned(low << np.uint16(2)), low)
    with pytest.raises(IrvisError, match="are no 14-bit counts"):
        layouts.right_aligned(np.array([[20001, 20002]], np.uint16))


# ------------------------------------------------------------------------------------- real files


@pytest.mark.parametrize("name", ["DJI_XT-2", "Flir_E40", "H20T_2", "T640", "ax8", "flir_example"])
def test_counts_of_a_camera_file_are_exact(real_data, name):
    folder = real_data / "cameras" / "radiometric"
    truth = tifffile.imread(folder / "decoded16" / f"{name}.tiff")
    np.testing.assert_array_equal(cameras.required(folder / "raw" / f"{name}.jpg").counts, truth)


def test_a_real_sequence_has_two_frames(real_data):
    """The truth numbers them 0 and 2, since the mark of a frame occurs among the counts of the first."""
    folder = real_data / "cameras" / "radiometric"
    found = list(cameras.frames(folder / "raw" / "SampleSEQ.seq"))
    for frame, number in zip(found, (0, 2), strict=True):
        truth = tifffile.imread(folder / "decoded16" / f"SampleSEQ.seq_frame{number}.tiff")
        np.testing.assert_array_equal(frame.counts, truth)
    assert (found[1].taken - found[0].taken).total_seconds() == pytest.approx(3.967)


@pytest.mark.parametrize(
    ("name", "photo"), [("T640", "T640.jpg"), ("ax8", "ax8.jpg"), ("flir_example", "flir_example.jpg")]
)
def test_the_photo_inside_is_the_one_that_others_took_out(real_data, name, photo):
    found = cameras.required(real_data / RAW / f"{name}.jpg").photo
    truth = np.asarray(Image.open(real_data / "cameras" / "FLIR_radiometric_pairs" / "vi" / photo))
    np.testing.assert_array_equal(found, truth)


def edges(picture):
    return ndimage.gaussian_filter(abs(ndimage.gaussian_laplace(picture.astype(float), 1.5)), 1.5)[96:384, 32:446]


@pytest.mark.parametrize("name", ["ax8", "flir_example"])
def test_the_window_lays_the_photos_edges_on_those_that_the_camera_drew(real_data, name):
    """Its saved pictures carry the photo's edges over the thermal image; a shift of 6 pixels or 4 % fits worse."""
    path = real_data / RAW / f"{name}.jpg"
    found = cameras.required(path)
    left, top, width, height = cameras.thermal_window(found)
    drawn = Image.open(path).convert("L")

    def fit(shift=0, scale=1.0):
        x, y = left + width * (1 - scale) / 2 + shift, top + height * (1 - scale) / 2 + shift
        box = (x, y, x + width * scale, y + height * scale)
        photo = Image.fromarray(found.photo).convert("L").transform(drawn.size, Image.Transform.EXTENT, box, 2)
        return np.corrcoef(edges(np.asarray(photo)).ravel(), edges(np.asarray(drawn)).ravel())[0, 1]

    assert fit() > 0.8
    assert fit() > max(fit(6), fit(-6), fit(scale=1.04), fit(scale=0.96)) + 0.05


# ----------------------------------------------------------------------------------------- fuzzing


def mutated(data, random):
    """Some bytes changed, a piece cut out or doubled, or the end cut off; headers more often than pixels."""
    data = bytearray(data)
    for _ in range(int(random.integers(1, 6))):
        reach = len(data) if random.random() < 0.5 else min(len(data), 600)
        at = int(random.integers(0, max(reach, 1)))
        length = int(random.integers(1, 40))
        kind = random.integers(0, 5)
        if kind == 0:
            data[at : at + 4] = random.choice([0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 0x100]).tobytes()[:4]
        elif kind == 1:
            data[at : at + length] = b""
        elif kind == 2:
            data[at:at] = data[at : at + length]
        elif kind == 3 and random.random() < 0.3:
            del data[at:]
        else:
            data[at : at + 1] = bytes([random.integers(0, 256)])
    return bytes(data)


def seeds():
    """A small valid file of each kind."""
    photo = (0x0E, files.photo_block(files.jpeg([])))
    extra = [(0x21, files.tools_block()), (0x22, files.palette_block()), (0x2A, files.alignment_block()), photo]
    return {
        "jpeg_raw": files.jpeg(files.flir_segments(files.flir_record(COUNTS, extra=extra))),
        "jpeg_png": files.jpeg(files.flir_segments(files.flir_record(COUNTS, ">", kind="png", extra=extra))),
        "sequence": files.flir_record(COUNTS, header="<") + files.flir_record(COUNTS, ">", kind="png"),
        "dji": files.dji_jpeg(files.scene(48, 64)),
    }


def consume(data, path):
    """What a reader says of a file after all that it offers was asked for; empty if nothing is wrong."""
    path.write_bytes(data)
    try:
        is_record = data[:4] in (b"FFF\0", b"AFF\0")
        found = list(islice(cameras.frames(path), 5)) if is_record else [cameras.read(path)]
        for one in found:
            if one is not None:
                _ = one.photo
                cameras.thermal_window(one)
                cameras.celsius(one)
    except IrvisError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("kind", ["jpeg_raw", "jpeg_png", "sequence", "dji"])
def test_no_damage_breaks_a_reader_other_than_by_one_clear_line(kind, tmp_path):
    data, random = seeds()[kind], np.random.default_rng(0)
    for _ in range(300):
        assert "\n" not in consume(mutated(data, random), tmp_path / "fuzzed")


def test_no_frame_breaks_the_layouts_other_than_by_one_clear_line():
    random, known = np.random.default_rng(0), layouts.LAYOUTS
    for number in range(300):
        one, top = known[number % len(known)], [1, 2, 65536][number % 7 % 3]
        words = random.integers(0, top, (one.height + (number % 11 == 0), one.width), np.uint16)
        said = ""
        try:
            cameras.celsius(layouts.split(words, kelvin_per_count=[None, 0.01, -1.0][number % 13 % 3]).radiometric)
            layouts.right_aligned(words)
        except IrvisError as error:
            said = str(error)
        assert "\n" not in said
