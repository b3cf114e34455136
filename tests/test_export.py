"""A fusion as one file gives the fuser's pictures at sizes and batches that it was not made with, or is not kept."""

import copy
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import irvis
from irvis.cli import main
from irvis.fuser import Fuser
from irvis.methods import METHODS
from irvis.registry import Spec
from irvis.runtime import export as exporting
from irvis.runtime import parity
from irvis.runtime.export import export
from irvis.runtime.layered import LayeredNetwork
from irvis.runtime.linear import SMALLEST, LinearNetwork
from irvis.runtime.onnx_graph import onnx_of

onnx = pytest.importorskip("onnx", reason="needs pip install onnx onnxscript onnxruntime")
onnxruntime = pytest.importorskip("onnxruntime", reason="needs pip install onnx onnxscript onnxruntime")
pytest.importorskip("onnxscript", reason="needs pip install onnx onnxscript onnxruntime")

ROOT = Path(__file__).parents[1]
SIZES = ((1, 1, 1), (3, 53, 70), (1, 150, 99), (2, 64, 96))


@pytest.fixture(scope="module")
def truth() -> Fuser:
    return irvis.create("encdec", weights="tiny")


@pytest.fixture(scope="module")
def exported(truth, tmp_path_factory) -> tuple[Path, parity.Report]:
    """The tiny network, rewritten, as an ONNX file."""
    path = tmp_path_factory.mktemp("exported") / "fusion.onnx"
    fuser = exporting.rewritten(truth)
    assert isinstance(fuser.core, LayeredNetwork)
    facts = exporting.provenance(truth.method, "tiny")
    return path, export(fuser, path, "onnx", facts=facts, truth=truth)


def small(name: str, **options: object) -> Fuser:
    torch.manual_seed(0)
    return irvis.create(name, weights=None, **{**METHODS[name].small, **options})


def command(*words: object) -> int:
    try:
        main(["export", *map(str, words)])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


@torch.no_grad()
def differs(run: parity.Run, fuser: Fuser, batch: int, height: int, width: int) -> float:
    generator = torch.Generator().manual_seed(height)
    visible, infrared = (torch.rand(batch, c, height, width, generator=generator) for c in (3, 1))
    found = torch.from_numpy(run(visible.numpy(), infrared.numpy()))
    assert found.shape == visible.shape
    return float((found - fuser(visible, infrared)).abs().max())


@pytest.mark.slow
def test_a_file_gives_the_fusers_pictures_at_sizes_and_batches_it_was_not_made_with(exported, truth):
    path, _ = exported
    run = parity.in_onnxruntime(path)
    for size in SIZES:
        assert differs(run, truth, *size) < 1e-5


@pytest.mark.slow
def test_the_report_holds_odd_sizes_batches_and_the_smallest_and_none_that_was_traced(exported):
    _, report = exported
    assert report.within
    assert report.smallest == 1
    sizes = {(row.batch, row.height, row.width) for row in report.rows}
    assert len(sizes) >= 5
    assert exporting.TRACED not in sizes
    assert (1, 1, 1) in sizes
    assert any(batch > 1 and height % 2 and width % 2 for batch, height, width in sizes)
    assert all(0 <= row.mean <= row.maximum <= 1e-5 for row in report.rows)


@pytest.mark.slow
def test_a_file_says_what_it_is_and_nothing_of_the_machine_that_made_it(exported):
    path, _ = exported
    model = onnx.load(path)
    told = {entry.key: entry.value for entry in model.metadata_props}
    facts = METHODS["encdec"].weights["tiny"]
    assert told["irvis.method"] == "encdec"
    assert json.loads(told["irvis.options"])["width"] == 8
    assert told["irvis.sha256"] == facts.sha256
    assert told["irvis.licence"] == facts.licence
    assert told["irvis.version"] == irvis.__version__
    assert told["irvis.smallest"] == "1"
    assert str(ROOT).encode() not in path.read_bytes()
    assert b"site-packages" not in path.read_bytes()


@pytest.mark.slow
def test_batch_height_and_width_are_free_in_the_file(exported):
    graph = onnx.load(exported[0]).graph
    axes = {
        tensor.name: [axis.dim_param or axis.dim_value for axis in tensor.type.tensor_type.shape.dim]
        for tensor in (*graph.input, *graph.output)
    }
    free = ["height", "width"]
    assert axes == {"visible": ["batch", 3, *free], "infrared": ["batch", 1, *free], "fused": ["batch", 3, *free]}


@pytest.mark.slow
def test_the_script_of_the_page_fuses_without_irvis(exported, tmp_path, monkeypatch):
    (script,) = re.findall(r"```py\n(.*?)```", (ROOT / "docs" / "learn" / "export.md").read_text(), re.DOTALL)
    assert "irvis" not in script
    assert len([line for line in script.splitlines() if line]) <= 15
    random = np.random.default_rng(0)
    for name, shape in (("visible.png", (45, 70, 3)), ("infrared.png", (45, 70))):
        Image.fromarray(random.integers(0, 256, shape, dtype=np.uint8)).save(tmp_path / name)
    (tmp_path / "fusion.onnx").write_bytes(exported[0].read_bytes())
    monkeypatch.chdir(tmp_path)
    exec(script, {})
    ours = irvis.fuse(tmp_path / "visible.png", tmp_path / "infrared.png", "encdec:tiny")
    apart = np.abs(np.asarray(ours, np.int16) - np.asarray(Image.open("fused.png"), np.int16))
    assert apart.max() <= 1


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_openvino_reads_the_same_graph(precision, exported, truth, tmp_path, monkeypatch):
    openvino = pytest.importorskip("openvino", reason="needs pip install openvino")
    monkeypatch.setattr(exporting, "onnx_of", lambda *_: exported[0].read_bytes())
    path = tmp_path / "fusion.xml"
    report = export(truth, path, "openvino", precision=precision)
    assert report.within
    assert sorted(file.name for file in tmp_path.iterdir()) == ["fusion.bin", "fusion.xml"]
    model = openvino.Core().read_model(path)
    assert model.get_rt_info(["irvis", "method"]).astype(str) == "encdec"
    assert model.get_rt_info(["irvis", "smallest"]).astype(str) == "1"
    for size in SIZES:
        assert differs(parity.in_openvino(path), truth, *size) < {"fp32": 1e-5, "fp16": 1 / 255}[precision]


def test_the_command_prints_the_comparison_and_writes_the_file(tmp_path, capsys):
    assert command("average:weight=0.3", "--to", "onnx", "-o", tmp_path / "a" / "average.onnx", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["kept"]
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["average.onnx"]
    assert len(told["rows"]) >= 5
    run = parity.in_onnxruntime((tmp_path / "a" / "average.onnx").read_bytes())
    assert differs(run, irvis.create("average", weight=0.3), 2, 31, 7) < 1e-6


def test_a_graph_that_differs_is_not_kept(tmp_path, monkeypatch, capsys):
    """A core that takes another way for pictures more than 300 pixels wide: a graph holds one way."""

    def broad(luma: torch.Tensor, infrared: torch.Tensor) -> torch.Tensor:
        return luma if luma.shape[-1] > 300 else infrared.clone()

    fuser = irvis.create("max")
    fuser.core = broad
    monkeypatch.setattr(irvis.creation, "create", lambda *_, **__: fuser)
    assert command("max", "--to", "onnx", "-o", tmp_path / "max.onnx") == 1
    assert "was not written" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_what_has_no_graph_is_refused_in_one_line_and_leaves_nothing(tmp_path):
    fuser, path = irvis.create("average"), tmp_path / "average.onnx"
    windowed = copy.copy(fuser)
    windowed.spec = Spec(domain="luma", window=64)
    with pytest.raises(irvis.IrvisError, match="holds no tiles"):
        export(windowed, path, "onnx")
    with pytest.raises(irvis.IrvisError, match="export fit=any"):
        export(small("maefuse", fit="resize"), path, "onnx")
    with pytest.raises(irvis.IrvisError, match="fp16 is for --to openvino"):
        export(fuser, path, "onnx", precision="fp16")
    with pytest.raises(irvis.IrvisError, match=r"ends in \.onnx"):
        export(fuser, tmp_path / "average.xml", "onnx")
    fuser.core = lambda luma, infrared: luma * float(infrared.mean())
    with pytest.raises(irvis.IrvisError, match="average: no graph of this serves all sizes"):
        export(fuser, path, "onnx")
    assert list(tmp_path.iterdir()) == []
    path.touch()
    with pytest.raises(irvis.IrvisError, match="exists"):
        export(fuser, path, "onnx")


def test_a_core_alone_has_a_graph_too():
    """For runtimes that replace the core: a function of a plane and infrared."""
    model = onnx_of(METHODS["max"].build, (torch.rand(2, 1, 40, 60), torch.rand(2, 1, 40, 60)))
    plane, infrared = (np.random.default_rng(0).random((3, 1, 7, 9), dtype=np.float32) for _ in range(2))
    assert np.array_equal(parity.in_onnxruntime(model)(plane, infrared), np.maximum(plane, infrared))


def test_a_graph_pads_and_crops_sizes_between_the_multiples_as_the_fuser_does():
    fuser = irvis.create("max")
    fuser.spec = replace(fuser.spec, multiple=32)
    run = parity.in_onnxruntime(onnx_of(exporting.Graph(fuser), parity.pair(*exporting.TRACED)))
    for size in ((1, 97, 61), (2, 32, 1)):
        assert differs(run, fuser, *size) < 1e-6


def test_graphs_never_tile_even_where_the_fuser_does(truth):
    fuser = copy.copy(truth)
    fuser.tile, fuser.spec = 8, replace(truth.spec, budget=100)
    assert exporting.whole(fuser).tile is None
    assert exporting.whole(fuser).spec.budget is None
    assert fuser.tile == 8


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(METHODS))
def test_every_method_is_exported(name, tmp_path):
    assert export(small(name), tmp_path / "method.onnx", "onnx").within


def test_a_blur_that_goes_with_the_size_is_refused_in_one_line(tmp_path):
    with pytest.raises(irvis.IrvisError, match=r"enhance=true blurs by a share of the picture's size") as refusal:
        export(irvis.create("hmsd-gf", enhance=True), tmp_path / "method.onnx", "onnx")
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "method.onnx").exists()


@pytest.mark.slow
def test_the_smallest_size_keeps_openvino_from_pictures_that_spoil_the_next(tmp_path):
    """OpenVINO 2026.4 gives wrong pictures with attention once it has begun with a picture of a single patch."""
    pytest.importorskip("openvino", reason="needs pip install openvino")
    truth, path = small("maefuse"), tmp_path / "maefuse.xml"
    report = export(truth, path, "openvino")
    assert report.within
    run = parity.in_openvino(path)
    for size in ((1, report.smallest, report.smallest), (2, 53, 70)):
        assert differs(run, truth, *size) < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(METHODS["encdec"].weights))
def test_all_weights_are_exported_as_they_run_fastest(name, tmp_path):
    truth = irvis.create("encdec", weights=name)
    report = export(exporting.rewritten(truth), tmp_path / "network.onnx", "onnx", truth=truth)
    assert report.within


@pytest.mark.slow
def test_filter_banks_are_exported_from_the_least_size_that_they_take(tmp_path):
    truth = small("encdec")
    banks = copy.deepcopy(truth)
    banks.core = LinearNetwork(truth.core, 0.0)
    report = export(banks, tmp_path / "banks.onnx", "onnx", truth=truth)
    assert report.within
    assert report.smallest == SMALLEST - 32 + 1
