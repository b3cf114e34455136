"""Segmentation, reading and tracking as metrics."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

import irvis
from irvis.data.scene import scene
from irvis.evaluate.tasks import legibility, running, sections, segmentation, tracking
from irvis.evaluate.tasks.boxes import boxes
from irvis.types import RGB


def saved(path, nodes, output, initial=(), meta=()):
    """An ONNX network of a picture (1, 3, 16, 16)."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    graph = helper.make_graph(
        nodes, "tiny", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 16, 16])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, output)], list(initial),
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    for key, value in meta:
        model.metadata_props.add(key=key, value=value)
    onnx.save(model, path)
    return path


@pytest.fixture
def segmenter(tmp_path):
    """Classes: red, green, blue, whatever is strongest."""
    pytest.importorskip("onnxruntime")
    from onnx import helper

    return saved(tmp_path / "s.onnx", [helper.make_node("Identity", ["x"], ["y"])], [1, 3, 16, 16])


def half(size: int = 16) -> RGB:
    """Left half red, right half green."""
    image = torch.zeros(1, 3, size, size)
    image[:, 0, :, : size // 2] = image[:, 1, :, size // 2 :] = 1
    return image


def masks(folder, values, name: str = "a"):
    folder.mkdir(exist_ok=True)
    Image.fromarray(np.asarray(values, np.uint8)).save(folder / f"{name}.png")
    return folder


def test_a_segmenter_gives_every_pixel_its_class_at_the_size_of_the_picture(segmenter, tmp_path):
    asked = segmentation.Asked(network=segmenter, masks=tmp_path, feeding=segmentation.feeding("mean=none"))
    found = segmentation.network(asked)(half(32))
    assert found.shape == (32, 32)
    assert (found[:, :15] == 0).all()
    assert (found[:, 17:] == 1).all()


def test_intersection_over_union_by_hand():
    """Class 0 is there twice, found once; class 1 is there twice, found thrice; the last pixel does not count."""
    truth, found = np.array([[0, 0, 1, 1, 255]]), np.array([[0, 1, 1, 1, 1]])
    counts = segmentation.counted(found, truth, 3)[None]
    values = segmentation.measures(counts, ["a", "b", "c"], np.ones((1, 1)))
    assert values["IoU a"].item() == pytest.approx(1 / 2)
    assert values["IoU b"].item() == pytest.approx(2 / 3)
    assert values["mIoU"].item() == pytest.approx(7 / 12)
    assert "IoU c" not in values


def test_label_pictures_that_are_missing_of_another_size_or_of_another_list_are_one_line(tmp_path):
    folder = masks(tmp_path / "m", np.full((4, 6), 7))
    for name, size, said in (
        ("b", (4, 6), "holds no label picture of b"),
        ("a", (4, 5), "is 6×4, and the pair is 5×4"),
        ("a", (4, 6), "labels class 7, and the segmenter has 2"),
    ):
        with pytest.raises(irvis.IrvisError, match=said):
            segmentation.read(folder, name, ["x", "y"], size)
    Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(folder / "a.png")
    with pytest.raises(irvis.IrvisError, match="is in colours"):
        segmentation.read(folder, "a", ["x", "y"], (4, 6))


def test_a_network_that_is_no_segmenter_or_no_reader_is_one_line(tmp_path):
    pytest.importorskip("onnxruntime")
    from onnx import helper

    flat = saved(tmp_path / "f.onnx", [helper.make_node("Flatten", ["x"], ["y"])], [1, 768])
    with pytest.raises(irvis.IrvisError, match=r"its output \(1×768\) is none of a segmenter"):
        segmentation.network(segmentation.Asked(network=flat, masks=tmp_path))
    with pytest.raises(irvis.IrvisError, match="does not name its characters"):
        legibility.network(flat)


def test_of_repeated_characters_one_is_read_and_nothing_parts_two():
    assert legibility.decoded(np.array([0, 1, 1, 0, 1, 2, 2, 0]), ["", "a", "b"]) == "aab"


def test_characters_that_are_right_by_hand():
    """KITTEN read as SITTING: three edits of six; STOP read rightly, in small letters and with a space."""
    assert legibility.distance("KITTEN", "SITTING") == 3
    texts = {
        "a": [legibility.Line(box=(0, 0, 9, 9), text="Kitten")],
        "b": [legibility.Line(box=(0, 0, 9, 9), text="STOP")],
    }
    values = legibility.measures({"a": ["SITTING"], "b": ["st op"]}, texts, np.ones((1, 2)))
    assert values["characters"].item() == pytest.approx(7 / 10)
    assert values["texts"].item() == pytest.approx(1 / 2)


def test_texts_are_read_from_a_table_and_what_is_wrong_with_it_is_one_line(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("pair,left,top,right,bottom,text\nx/a,1,2,30,12,CITY HALL\n")
    found = legibility.read(path, ["x/a", "b"])
    assert found == {"x/a": [legibility.Line(box=(1, 2, 30, 12), text="CITY HALL")]}
    head = "pair,left,top,right,bottom,text\n"
    for text, said in (
        ("name,text\na,b\n", "the first line names pair"),
        (f"{head}c,1,2,3,4,A\n", "line 2: there is no pair c"),
        (f"{head}b,1,2,x,4,A\n", "line 2: .* numbers of pixels"),
        (f"{head}b,5,2,3,4,A\n", "line 2: an empty box"),
    ):
        path.write_text(text)
        with pytest.raises(irvis.IrvisError, match=said):
            legibility.read(path, ["x/a", "b"])


def test_the_sign_of_a_scene_says_what_its_text_is():
    from irvis.data.scene import furniture

    assert scene(3, (48, 64)).text in (*furniture.WORDS, *furniture.SHORT_WORDS)


def moved(*places: float) -> list:
    """A box at these columns, frame by frame; None: it is not there."""
    return [boxes([[x, 0, x + 10, 10]], [0]) if x is not None else boxes() for x in places]


def test_a_track_that_is_found_throughout_is_neither_lost_nor_switched():
    counts = tracking.counts(moved(0, 2, 4, 6), moved(0, 2, 4, 6))
    assert (counts.boxes, counts.found, counts.lost, counts.switches) == (4, 4, 0, 0)


def test_a_track_that_is_not_found_once_is_lost_and_goes_on_after_a_short_wait():
    counts = tracking.counts(moved(0, None, 2, 3), moved(0, 1, 2, 3))
    assert (counts.found, counts.lost, counts.switches) == (3, 1, 0)


def test_a_track_that_comes_back_after_too_long_has_switched():
    there = [0.5 * n for n in range(8)]
    seen = [there[0], *[None] * 5, there[6], there[7]]
    counts = tracking.counts(moved(*seen), moved(*there))
    assert (counts.found, counts.lost, counts.switches) == (3, 1, 1)


def test_two_that_cross_keep_their_numbers_by_class():
    frames = [boxes([[x, 0, x + 10, 10], [20 - x, 0, 30 - x, 10]], [0, 1]) for x in range(0, 21, 4)]
    numbers = [one.tolist() for one in tracking.tracked(frames)]
    assert numbers == [[0, 1]] * 6


def test_finds_that_are_not_sure_are_not_tracked():
    weak = [boxes(one.corners, one.classes, [0.1]) for one in moved(0, 1)]
    assert tracking.counts(weak, moved(0, 1)).found == 0


def test_parts_of_a_task_that_are_missing_are_one_line(tmp_path):
    nothing = dict(detect=None, labels=None, detector="", alarms=1.0, segment=None, masks=None, segmenter="", text=None,
                   texts=None)  # fmt: skip
    for given, said in (
        ({"labels": tmp_path}, "give it with --detect"),
        ({"masks": tmp_path}, "give it with --segment"),
        ({"segment": tmp_path}, "needs label pictures"),
        ({"text": tmp_path}, "go together"),
    ):
        with pytest.raises(irvis.IrvisError, match=said):
            running.asked(**nothing | given)


def test_a_section_orders_by_its_measure_and_compares_with_the_better_camera(tmp_path):
    drawn = {
        name: {"m": np.array([value, value, value])}
        for name, value in (("visible", 0.2), ("infrared", 0.4), ("x", 0.5))
    }
    rows, better = sections.compared(drawn, list("abcde"), "m")
    assert better == "infrared"
    assert rows["x"]["Δ m"] == pytest.approx((0.1, 0.1, 0.1))
    one = sections.Section(name="n", heading="N", legend="", rows=rows, most="m")
    assert [row[0] for row in one.table] == ["", "x", "infrared", "visible"]
    assert one.table[1][2] == "+0.100 ± 0.000 *"
    one.write(tmp_path)
    assert "x,m,0.5,0.5,0.5" in (tmp_path / "n.csv").read_text()


def test_the_verb_segments_tracks_and_keeps_what_it_found(segmenter, tmp_path, monkeypatch):
    from irvis import cli, io
    from irvis.evaluate import evaluation

    monkeypatch.setattr(evaluation, "_figures", lambda *_: {})  # other tests draw them
    for n in range(2):
        io.write(tmp_path / "p" / "vi" / f"{n}.png", half(32))
        io.write(tmp_path / "p" / "ir" / f"{n}.png", torch.full((1, 1, 32, 32), 0.5))
        masks(tmp_path / "m", [[0] * 16 + [1] * 16] * 32, str(n))
    words = ["evaluate", str(tmp_path / "p"), "-m", "average", "--metrics", "EN", "-o", str(tmp_path / "out"),
             "--workers", "1", "--segment", str(segmenter), "--segmenter", "mean=none"]  # fmt: skip
    assert status(cli, [*words, "--masks", str(tmp_path / "m")]) == 0
    lines = (tmp_path / "out" / "segmentation.csv").read_text().splitlines()
    assert any(line.startswith("visible,mIoU,1.0") for line in lines)
    assert "## Segmentation" in (tmp_path / "out" / "report.md").read_text()
    kept = json.loads((tmp_path / "out" / "segmentation" / "0.json").read_text())
    assert np.array(kept["visible"][1]).sum() == 32 * 32
    assert status(cli, [*words, "--masks", str(tmp_path / "none")]) == 1


def status(cli, words: list[str]) -> int:
    try:
        cli.main(words)
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0
