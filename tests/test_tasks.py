"""Detectors as metrics: layouts of outputs, labels, scores, and the verb."""

import json

import numpy as np
import pytest
import torch

import irvis
from irvis.evaluate.entries import Entry
from irvis.evaluate.tasks import detection, detector, labels, layouts, looking, scoring
from irvis.evaluate.tasks.boxes import boxes, overlap, without_doubles
from irvis.types import Pair

SIZE = 64, 96
CELLS = len(layouts.grid(SIZE))
CORNERS = [20.0, 10.0, 60.0, 50.0]
CENTRE = [40.0, 30.0, 40.0, 40.0]
SHARES = [40 / 96, 30 / 64, 40 / 96, 40 / 64]


def rows(count: int, row: list[float]) -> np.ndarray:
    """One output whose third row says something."""
    output = np.zeros((1, count, len(row)), np.float32)
    output[0, 2] = row
    return output


def raw_yolox() -> np.ndarray:
    x, y, stride = layouts.grid(SIZE)[2]
    offsets = [40 / stride - x, 30 / stride - y, *np.log([40 / stride] * 2)]
    return rows(CELLS, [*offsets, 0.9, 0, 1])


OUTPUTS = {
    "raw YOLOX": ("yolox", {"output": raw_yolox()}),
    "decoded YOLOX": ("yolox", {"output": rows(CELLS, [*CENTRE, 0.9, 0, 1]) + np.eye(CELLS, 7)[None] * 90}),
    "YOLOv5": ("yolov5", {"output0": rows(3 * CELLS, [*CENTRE, 0.9, 0, 1])}),
    "YOLOv8 and YOLO11": ("yolov8", {"output0": rows(CELLS, [*CENTRE, 0, 0.9]).transpose(0, 2, 1)}),
    "RT-DETR of Ultralytics": ("queries", {"output0": rows(300, [*SHARES, 0, 0, 0.9])}),
    "with its suppression": ("corners", {"output0": rows(300, [*CORNERS, 0.9, 1])}),
    "YOLOv7 with its suppression": ("batched", {"output": rows(4, [0, *CORNERS, 1, 0.9])[0]}),
    "RT-DETR's logits": ("detr", {"logits": rows(300, [-9, 2.2]) - 5 * (np.arange(300) != 2)[:, None],
                                  "pred_boxes": rows(300, SHARES)}),
    "RT-DETR of its authors": ("lists", {"labels": rows(300, [1])[..., 0].astype(np.int64), "boxes": rows(300, CORNERS),
                                         "scores": rows(300, [0.9])[..., 0]}),
    "SSD of torchvision": ("lists", {"boxes": rows(9, CORNERS)[0], "scores": rows(9, [0.9])[0, :, 0],
                                     "labels": rows(9, [1])[0, :, 0].astype(np.int64)}),
    "SSD of TensorFlow": ("lists", {
        "detection_boxes:0": rows(9, [10 / 64, 20 / 96, 50 / 64, 60 / 96]), "num_detections:0": np.ones(1, np.float32),
        "detection_classes:0": rows(9, [1])[..., 0], "detection_scores:0": rows(9, [0.9])[..., 0]}),
}  # fmt: skip


@pytest.mark.parametrize("kind", OUTPUTS)
def test_every_layout_is_recognised_and_gives_corners_scores_and_classes(kind):
    layout, outputs = OUTPUTS[kind]
    assert layouts.recognise(outputs, SIZE) == layout
    found = layouts.LAYOUTS[layout](outputs, SIZE)
    corners = found.corners[2] * ([96, 64, 96, 64] if np.abs(found.corners).max() <= 2 else 1)
    if kind != "decoded YOLOX":  # where the other rows are filled
        np.testing.assert_allclose(corners, CORNERS, atol=1e-3)
    if isinstance(found, layouts.Listed):
        assert (found.scores[2], found.classes[2]) == (pytest.approx(0.9), 1)
    else:
        assert found.scores[2].argmax() == found.scores.shape[1] - 1
        assert found.scores[2].max() == pytest.approx(0.9, abs=1e-3)


def test_an_unknown_output_is_named_with_what_could_be_said():
    with pytest.raises(irvis.IrvisError, match=r"none that is known \(a 1×7×7×7\); say what it is .*yolox"):
        layouts.recognise({"a": np.zeros((1, 7, 7, 7))}, SIZE)


def test_options_that_are_none_are_refused():
    assert detector.feeding("colour=bgr, white=255") == detector.Feeding(colour="bgr", white=255.0)
    for text, said in (("color=bgr", "there is no color"), ("fit=middle", "fit is one of"), ("white=w", "a number")):
        with pytest.raises(irvis.IrvisError, match=said):
            detector.feeding(text)


@pytest.mark.parametrize("fit", ["corner", "centre", "stretch"])
def test_a_picture_is_given_whole_and_its_boxes_lead_back(fit):
    image = torch.zeros(1, 3, 50, 100)
    image[..., 10:20, 60:80] = 1
    pixels, scale, offset = detector.fitted(image, (64, 64), detector.Feeding(fit=fit, white=1))
    rows_, columns = np.nonzero(pixels[0, 0] > 0.7)
    middle = (np.array([columns.mean(), rows_.mean()]) + 0.5 - offset) / scale
    np.testing.assert_allclose(middle, [70, 15], atol=1)


def test_of_finds_that_overlap_the_surest_of_each_class_stays():
    found = boxes([[0, 0, 10, 10], [1, 0, 11, 10], [0, 0, 10, 10], [30, 0, 40, 10]], [0, 0, 1, 0], [0.5, 0.9, 0.4, 0.1])
    assert without_doubles(found, 0.5).scores.tolist() == [0.9, 0.4, 0.1]
    assert overlap(found.corners[:1], found.corners[1:2]).item() == pytest.approx(90 / 110)


def test_average_precision_by_hand():
    """Found: right .9, wrong .8, right .7, of two labels: 51 recalls with precision 1, 50 with 2/3."""
    truth = [boxes([[0, 0, 10, 10], [50, 0, 60, 10]], [0, 0])]
    found = [boxes([[0, 0, 10, 10], [80, 0, 90, 10], [50, 0, 60, 10]], [0, 0, 0], [0.9, 0.8, 0.7])]
    counted = scoring.count(found, truth, 0, 0.5)
    assert scoring.precision(counted).item() == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert scoring.recall(counted, 0).item() == 0.5
    assert scoring.recall(counted, 1).item() == 1


def test_labels_that_do_not_count_are_neither_found_nor_missed():
    truth = [boxes([[0, 0, 10, 10], [50, 0, 60, 10]], [0, 0], [1, 0])]
    found = [boxes([[50, 0, 60, 10], [0, 0, 10, 10]], [0, 0], [0.9, 0.8])]
    assert scoring.precision(scoring.count(found, truth, 0, 0.5)).item() == pytest.approx(1)
    assert np.isnan(scoring.precision(scoring.count(found, truth, 1, 0.5))).all()
    small = scoring.count(found, truth, 0, 0.5, scoring.SIZES["large"])
    assert (small.hits.size, small.labels.sum()) == (0, 0)


def test_a_picture_drawn_twice_counts_as_two():
    truth = [boxes([[0, 0, 10, 10]], [0]), boxes([[0, 0, 10, 10]], [0])]
    found = [boxes([[0, 0, 10, 10]], [0], [0.9]), boxes()]
    counted = scoring.count(found, truth, 0, 0.5)
    drawn = scoring.precision(counted, np.array([[1.0, 1], [2, 0], [0, 2]]))
    assert drawn.tolist() == pytest.approx([51 / 101, 1, 0])


def written(folder, kind: str):
    """The same box, a person's, on picture n1, in each form."""
    if kind == "yolo":
        (folder / "n1.txt").write_text("0 0.5 0.5 0.2 0.4\n")
    elif kind == "voc":
        box = "<xmin>40</xmin><ymin>15</ymin><xmax>60</xmax><ymax>35</ymax>"
        size = "<size><width>100</width><height>50</height></size>"
        (folder / "n1.xml").write_text(
            f"<annotation>{size}<object><name>person</name><bndbox>{box}</bndbox></object></annotation>"
        )
    else:
        tree = {
            "images": [{"id": 5, "file_name": "x/n1.jpg", "width": 100, "height": 50}],
            "categories": [{"id": 7, "name": "person"}],
            "annotations": [{"image_id": 5, "category_id": 7, "bbox": [40, 15, 20, 20]}],
        }
        (folder / "all.json").write_text(json.dumps(tree))
    return folder


@pytest.mark.parametrize("kind", ["yolo", "voc", "coco"])
def test_labels_say_the_same_in_every_form(tmp_path, kind):
    found = labels.read(written(tmp_path, kind), {"n1": (50, 100)}, ["car", "person"] if kind != "yolo" else ["person"])
    np.testing.assert_allclose(found["n1"].corners, [[40, 15, 60, 35]])
    assert found["n1"].classes.tolist() == [int(kind != "yolo")]


@pytest.mark.parametrize("kind", ["voc", "coco"])
def test_labels_of_another_size_or_of_unknown_classes_are_refused(tmp_path, kind):
    folder = written(tmp_path, kind)
    with pytest.raises(irvis.IrvisError, match="labels a picture of 100×50, and the pair is 100×60"):
        labels.read(folder, {"n1": (60, 100)}, ["person"])
    with pytest.raises(irvis.IrvisError, match="labels 'person', which the detector does not know"):
        labels.read(folder, {"n1": (50, 100)}, ["car"])


def test_labels_that_are_missing_or_no_labels_are_refused(tmp_path):
    written(tmp_path, "yolo")
    with pytest.raises(irvis.IrvisError, match=r"holds no labels .* of n2"):
        labels.read(tmp_path, {"n1": (50, 100), "n2": (50, 100)}, ["person"])
    for text, said in (
        ("0 1 2", "five numbers"),
        ("0 40 20 10 5", "shares of the picture"),
        ("9 .5 .5 .1 .1", "class 9"),
    ):
        (tmp_path / "n1.txt").write_text(text)
        with pytest.raises(irvis.IrvisError, match=said):
            labels.read(tmp_path, {"n1": (50, 100)}, ["person"])


def test_day_and_night_are_told_by_names():
    told = {"00004N": "night", "00537D": "day", "night/img2": "night", "campus-day-3": "day", "today": "", "BIRD": ""}
    assert {name: detection.light_of(name) for name in told} == told


@pytest.fixture
def network(tmp_path):
    """A detector that finds one person wherever the picture's corner is bright: of YOLOv8's layout, 64×64."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

    cells = len(layouts.grid((64, 64)))
    mask = np.zeros((1, 5, cells), np.float32)
    mask[0, 4, 0] = 1
    base = np.zeros((1, 5, cells), np.float32)
    base[0, :4, 0] = [32, 32, 20, 20]
    constants = [numpy_helper.from_array(array, name) for name, array in (("mask", mask), ("base", base))]
    nodes = [
        helper.make_node("ReduceMax", ["images"], ["level"], keepdims=0),
        helper.make_node("Mul", ["mask", "level"], ["scores"]),
        helper.make_node("Add", ["base", "scores"], ["output0"]),
    ]
    graph = helper.make_graph(
        nodes, "tiny", [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 64, 64])],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, [1, 5, cells])], constants,
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    model.metadata_props.add(key="names", value="{0: 'person'}")
    onnx.save(model, tmp_path / "tiny.onnx")
    return tmp_path / "tiny.onnx"


def test_a_detector_finds_in_pixels_of_the_picture(network):
    pytest.importorskip("onnxruntime")
    finder = detector.load(network)
    assert (finder.feeding.layout, list(finder.classes)) == ("yolov8", ["person"])
    found = finder(torch.ones(1, 3, 128, 128))
    np.testing.assert_allclose(found.corners, [[44, 44, 84, 84]], atol=1e-4)
    assert found.scores.tolist() == [1]


def test_a_file_that_is_no_network_is_one_line(tmp_path):
    pytest.importorskip("onnxruntime")
    (tmp_path / "x.onnx").write_text("no network")
    with pytest.raises(irvis.IrvisError, match="no ONNX network that runs here"):
        detector.load(tmp_path / "x.onnx")
    with pytest.raises(irvis.IrvisError, match="there is no such file"):
        detector.load(tmp_path / "y.onnx")


def test_the_verb_writes_the_table_of_detection_boxes_and_latex(network, tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime")
    from irvis import cli, io
    from irvis.evaluate import evaluation

    monkeypatch.setattr(evaluation, "_figures", lambda *_: {})  # other tests draw them
    for side in ("vi", "ir", "boxes"):
        (tmp_path / "pairs" / side).mkdir(parents=True)
    for n in range(2):
        image = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(n))
        for side in ("vi", "ir"):
            io.write(tmp_path / "pairs" / side / f"{n}N.png", image)
        (tmp_path / "pairs" / "boxes" / f"{n}N.txt").write_text("0 0.5 0.5 0.3125 0.3125\n")
    words = ["evaluate", str(tmp_path / "pairs" / "vi"), str(tmp_path / "pairs" / "ir"), "-m", "average", "--metrics",
             "EN,SD", "-o", str(tmp_path / "out"), "--workers", "1", "--latex", "--detect", str(network)]  # fmt: skip
    assert run(cli, [*words, "--labels", str(tmp_path / "pairs" / "boxes")]) == 0
    page = (tmp_path / "out" / "report.md").read_text()
    assert "## Detection" in page
    assert "2 labels of" in page
    lines = (tmp_path / "out" / "detection.csv").read_text().splitlines()
    assert any(line.startswith("average,AP50 night,1.0") for line in lines)
    table = (tmp_path / "out" / "table.tex").read_text()
    assert r"\toprule" in table
    assert r"\boldmath$" in table
    assert run(cli, [*words[:-2], "--labels", str(tmp_path / "pairs" / "boxes")]) == 1


def run(cli, words: list[str]) -> int:
    """The exit status of the command line, run in this process."""
    try:
        cli.main(words)
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_without_labels_what_either_camera_shows_surely_is_the_truth_once():
    one, same, other = [0, 0, 10, 10], [0, 1, 10, 11], [40, 0, 50, 10]
    found = {
        "visible": {"a": boxes([one, other], [0, 0], [0.9, 0.1])},
        "infrared": {"a": boxes([same, other], [0, 2], [0.8, 0.5])},
    }
    truth = detection.agreed(found, ["a"])["a"]
    assert truth.corners.tolist() == [one, other]
    assert truth.classes.tolist() == [0, 2]


def test_a_detector_sees_the_infrared_picture_without_the_colours_of_the_visible_one():
    red = torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1).expand(1, 3, 8, 8)
    pair, entry = (
        Pair("a", red, torch.full((1, 1, 8, 8), 0.5)),
        Entry(name="infrared", kind="control", source="infrared"),
    )
    assert looking.seen(entry, pair, (), "cpu").unique().tolist() == [0.5]
