"""Files of HIKMICRO, InfiRay and UNI-T, and views that were zoomed: what they hold, and one clear line for bad ones."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import thermal_files as files
from irvis import IrvisError, cameras
from irvis.cameras import known
from irvis.cli import main
from irvis.io.infrared import measure
from irvis.io.normalise import show
from irvis.thermal import Range, Sensing

HEIGHT, WIDTH = 48, 64
COUNTS = files.scene(HEIGHT, WIDTH)
KELVIN64 = (COUNTS.astype(int) - 14000 + 64 * 293).astype(np.uint16)
BYTES = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH), dtype=np.uint8)


def fuse(*words):
    """The exit status of `irvis fuse`."""
    with pytest.raises(SystemExit) as stop:
        main(["fuse", *map(str, words)])
    return stop.value.code or 0


FILES = {
    "hik.jpg": files.hikmicro_jpeg(COUNTS),
    "p2pro.jpg": files.ijpeg(KELVIN64),
    "c200.irg": files.irg(COUNTS, photo=files.jpeg([])),
    "unit.bmp": files.uni_t_bmp(BYTES),
}
TRUTH = {"hik.jpg": COUNTS, "p2pro.jpg": KELVIN64, "c200.irg": COUNTS, "unit.bmp": BYTES}
MAKERS = {"hik.jpg": "HIKMICRO", "p2pro.jpg": "InfiRay", "c200.irg": "InfiRay IRG", "unit.bmp": "UNI-T"}


@pytest.mark.parametrize("name", FILES)
def test_counts_of_each_maker_are_found_by_content_and_come_out_exactly(tmp_path, name):
    path = tmp_path / f"any{'.jpg' if name.endswith('jpg') else '.dat'}"
    path.write_bytes(FILES[name])
    found = cameras.read(path)
    np.testing.assert_array_equal(found.counts, TRUTH[name])
    assert MAKERS[name] in found.model


@pytest.mark.parametrize("name", FILES)
def test_the_counts_are_fused_and_not_the_picture_shown(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(FILES[name])
    counts = TRUTH[name].astype(float)
    made = show(measure(path, Sensing()), Range(counts.min(), counts.max()), Sensing()).image
    np.testing.assert_allclose(made, (counts - counts.min()) / np.ptp(counts), atol=1e-6)


@pytest.mark.parametrize("name", FILES)
def test_each_maker_is_fused_on_the_command_line(tmp_path, name):
    (tmp_path / name).write_bytes(FILES[name])
    Image.new("RGB", (WIDTH, HEIGHT), (9, 99, 200)).save(tmp_path / "v.png")
    assert fuse(tmp_path / "v.png", tmp_path / name, "-o", tmp_path / "o.png", "-m", "infrared") == 0
    fused = np.asarray(Image.open(tmp_path / "o.png").convert("L")).astype(float)
    assert np.corrcoef(fused.ravel(), TRUTH[name].ravel())[0, 1] > 0.98


def test_kelvin_of_infiray_files_become_degrees():
    np.testing.assert_allclose(cameras.celsius(cameras.parse(FILES["p2pro.jpg"])), KELVIN64 / 64 - 273.15, atol=1e-4)
    steps = ((b"\xca\xac", 0, 1 / 16), (b"\xca\xac", 1, 0.1), (b"\xba\xab", 0, 0.1), (b"\x04\xa0", 0, 0.1))
    counts = (COUNTS // 5).astype(np.uint16)
    for magic, flag, step in steps:
        found = cameras.parse(files.irg(counts, magic, flag))
        np.testing.assert_allclose(cameras.celsius(found), counts * step - 273.15, atol=1e-3)


def test_an_irg_file_is_read_as_another_program_reads_it():
    other = pytest.importorskip("infiray_irg", reason="an oracle: pip install infiray-irg")
    counts = (COUNTS // 3).astype(np.uint16)
    _, degrees, _ = other.load(files.irg(counts))
    np.testing.assert_allclose(cameras.celsius(cameras.parse(files.irg(counts))), degrees, atol=1e-3)


def test_an_irg_file_gives_its_photo():
    assert cameras.parse(FILES["c200.irg"]).photo.shape == (48, 64, 3)
    assert cameras.parse(files.irg(COUNTS)).photo is None


@pytest.mark.parametrize(("name", "words"), [("hik.jpg", "not published"), ("unit.bmp", "20 and 35 C")])
def test_no_temperature_is_guessed_where_none_is_known(name, words):
    with pytest.raises(IrvisError, match=words):
        cameras.celsius(cameras.parse(FILES[name]))


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_short_anywhere_in_its_counts_is_one_clear_line_and_no_palette(name):
    data, counts = FILES[name], TRUTH[name].tobytes()
    first, last = (
        (len(data) - 530, len(data) - 1) if name == "unit.bmp" else (data.index(counts[:64]), data.index(counts[-64:]))
    )
    for length in np.linspace(first + 64, last, 5).astype(int):
        with pytest.raises(IrvisError, match=r"cut short|only \d+ are there|cannot be read"):
            cameras.parse(data[:length])


@pytest.mark.parametrize(
    "data",
    [
        files.hikmicro_jpeg(COUNTS, claimed=(60000, 60000)),
        files.ijpeg(COUNTS, claimed=(60000, 60000)),
        files.ijpeg(COUNTS, frames=1),
        files.irg(COUNTS, claimed=(60000, 60000)),
    ],
)
def test_impossible_sizes_name_the_maker_and_take_no_memory(data):
    with pytest.raises(
        IrvisError, match=r"this is an? (HIKMICRO|InfiRay|InfiRay IRG) file whose counts cannot be read"
    ):
        cameras.parse(data)


def test_constant_counts_are_refused_whoever_wrote_them():
    flat = np.full_like(COUNTS, 4720)
    for data in (files.hikmicro_jpeg(flat), files.ijpeg(flat), files.irg(flat)):
        with pytest.raises(IrvisError, match="all 3072 thermal counts are 4720"):
            cameras.parse(data)


def test_the_table_of_the_documents_is_that_of_the_readers():
    page = (Path(__file__).parents[1] / "docs" / "learn" / "thermal.md").read_text()
    start, end = "<!-- cameras: made by irvis.cameras.known -->\n", "<!-- end of cameras -->"
    assert page.partition(start)[2].partition(end)[0] == known.table(), "copy irvis.cameras.known.table() into it"


def test_pictures_that_no_thermal_camera_wrote_stay_pictures(tmp_path):
    gray = np.zeros((8, 8), np.uint8)
    Image.fromarray(gray).save(tmp_path / "a.bmp")
    Image.fromarray(gray).save(tmp_path / "a.jpg")
    assert cameras.read(tmp_path / "a.bmp") is None
    assert cameras.read(str(tmp_path / "a.jpg")) is None
    assert cameras.unread_bytes(tmp_path / "a.jpg") == 0


def test_a_picture_that_carries_unknown_counts_is_fused_with_a_word(tmp_path, capsys):
    Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / "v.png")
    words = [tmp_path / "v.png", tmp_path / "t.jpg", "-o", tmp_path / "o.png", "-m", "average"]
    for extra, told in ((b"OTHER" + bytes(range(1, 255)) * 50, True), (b"", False), (files.jpeg([]), False)):
        file = tmp_path / "t.jpg"
        Image.fromarray(BYTES).save(file, quality=95)
        file.write_bytes(file.read_bytes() + extra)
        assert fuse(*words, "--if-exists", "overwrite") == 0
        assert ("bytes beside its picture that irvis cannot read" in capsys.readouterr().err) == told


@pytest.mark.parametrize(("suffix", "maker"), [(".is2", "Fluke"), (".bmt", "Testo"), (".irb", "InfraTec")])
def test_files_of_makers_that_are_not_read_are_named(tmp_path, suffix, maker, capsys):
    Image.new("RGB", (8, 8)).save(tmp_path / "v.png")
    (tmp_path / f"t{suffix}").write_bytes(b"PK\3\4 something")
    assert fuse(tmp_path / "v.png", tmp_path / f"t{suffix}", "-o", tmp_path / "o.png", "-m", "average") == 1
    assert f"is a {maker} file, which irvis does not read" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------- zoom


@pytest.mark.parametrize(("stated", "zoom"), [(1.6, 1.6), (1.0, 1.0), (8.0, 8.0), (0.2, 1.0), (0.0, 1.0), (9.0, 1.0)])
def test_a_zoomed_view_widens_the_window_of_the_whole_thermal_picture(stated, zoom):
    extra = ((0x0E, files.photo_block(files.jpeg([]))), (0x2A, files.alignment_block(3.2, 3, -2)))
    record = files.flir_segments(files.flir_record(files.scene(), extra=extra))
    found = cameras.parse(files.jpeg([files.zoomed(stated), *record]))
    assert found.zoom == pytest.approx(zoom)
    left, top, width, height = cameras.thermal_window(found)
    np.testing.assert_allclose((width, height), (20 * zoom, 15 * zoom), rtol=1e-5)
    np.testing.assert_allclose((left + width / 2, top + height / 2), (35, 22), atol=1e-4)


def test_the_window_of_a_real_zoomed_view_is_where_its_edges_are(real_data):
    """By eye: fuses, terminals and the door of a switchboard lie on their hot edges."""
    found = cameras.read(str(real_data / "cameras/radiometric/raw/T640.jpg"))
    np.testing.assert_allclose(cameras.thermal_window(found), (558.9, 500.2, 1186.2, 889.7), atol=0.1)
    assert cameras.read(real_data / "cameras/radiometric/raw/ax8.jpg").zoom == 1


# ------------------------------------------------------------------------------------------- fuzz


def mutated(data, random, few=12):
    """Some bytes changed, mostly in the first kilobytes, and now and then the end cut off."""
    changed = bytearray(data)
    for _ in range(random.integers(1, few)):
        changed[random.integers(0, random.choice((64, 1024, len(data))))] = random.integers(0, 256)
    return bytes(changed[: random.integers(0, len(data))] if random.random() < 0.2 else changed)


def survives(data, count, seed):
    """A mutation gives counts, no counts, or an IrvisError; never anything else."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        try:
            found = cameras.parse(mutated(data, random))
        except IrvisError:
            continue
        assert found is None or found.counts.dtype == np.uint16


@pytest.mark.parametrize("name", FILES)
def test_some_hundred_mutations_of_each_maker_do_no_harm(name):
    survives(FILES[name], 150, 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_ten_thousand_mutations_of_each_maker_do_no_harm(name):
    survives(FILES[name], 10_000, 2)
