"""Runtimes: the same picture from whatever runs the core, or one line that says why it cannot."""

import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import irvis
from irvis import IrvisError, creation
from irvis.demo import embedded
from irvis.io import IrvisWarning
from irvis.runtime import backends, calibration, substitutes

SIZES = ((1, 96, 128), (2, 131, 97), (1, 40, 50), (1, 7, 200))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """One cache folder for the whole run, not the user's."""
    monkeypatch.setenv("IRVIS_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


def pair(batch: int, height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(height)
    return torch.rand(batch, 3, height, width, generator=generator), torch.rand(
        batch, 1, height, width, generator=generator
    )


def made(name: str, runtime: str, precision: str = "fp32", **facts: object) -> irvis.Fuser:
    """A fuser; random weights are the same every time."""
    if runtime in substitutes.EXTRAS:
        pytest.importorskip(runtime)
    torch.manual_seed(0)
    return creation.create(name, runtime=runtime, precision=precision, **facts)


@pytest.mark.parametrize("runtime", ["collapsed", "openvino", "onnxruntime"])
@torch.inference_mode()
def test_a_runtime_gives_the_same_picture_at_any_size_and_in_batches(runtime):
    plain, other = made("encdec", "torch", weights="tiny"), made("encdec", runtime, weights="tiny")
    for shape in SIZES:
        images = pair(*shape)
        torch.testing.assert_close(other(*images), plain(*images), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("encdec", {"width": 4, "domain": "rgb", "scale": 2, "padding": "zero", "activation": "silu"}),
        pytest.param("maefuse", creation.find("maefuse").small, marks=pytest.mark.slow),
        pytest.param("laplacian", {}, marks=pytest.mark.slow),
    ],
    ids=str,
)
@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
@torch.inference_mode()
def test_networks_of_every_kind_and_plain_functions_run_in_a_runtime(name, options, runtime):
    plain, other = (made(name, each, weights=None, **options) for each in ("torch", runtime))
    for shape in ((1, 128, 160), (1, 150, 200)):
        images = pair(*shape)
        torch.testing.assert_close(other(*images), plain(*images), rtol=0, atol=1e-4)


@pytest.mark.parametrize("runtime", ["torch", "collapsed", "openvino"])
@torch.inference_mode()
def test_bfloat16_stays_within_half_a_gray_level_on_average(runtime):
    if not _can_bfloat16(runtime):
        pytest.skip("no bf16 here")
    fuser = made("encdec", runtime, "bf16", weights="tiny", strict=True)
    street = embedded(size=(96, 128))[0]
    plain, images = creation.create("encdec", weights="tiny"), (street.visible, street.infrared)
    error = (fuser(*images) - plain(*images)).abs() * 255
    assert float(error.mean()) < 0.5
    assert float(error.max()) < 8
    assert fuser(*images).dtype == torch.float32


def _can_bfloat16(runtime: str) -> bool:
    if runtime != "openvino":
        return True
    openvino = pytest.importorskip("openvino")
    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


@pytest.mark.slow
@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
@torch.inference_mode()
def test_eight_bits_keep_the_picture(runtime, monkeypatch):
    if runtime == "openvino":
        pytest.importorskip("nncf")
    monkeypatch.setattr(calibration, "COUNT", 3)
    fuser = made("encdec", runtime, "int8", weights="tiny")
    street = embedded(size=(192, 256))[0]
    plain = made("encdec", "torch", weights="tiny")(street.visible, street.infrared)
    noise = (fuser(street.visible, street.infrared) - plain).square().mean()
    assert 0 < float(noise) < 1e-3  # PSNR above 30 dB


@torch.inference_mode()
def test_a_converted_network_is_kept_found_again_and_made_anew_where_the_file_is_damaged(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("IRVIS_CACHE", str(tmp_path))
    images = pair(1, 96, 128)
    first = made("max", "openvino")(*images)
    (kept,) = tmp_path.iterdir()
    with monkeypatch.context() as patch:
        patch.setattr("irvis.runtime.graphs._made", lambda source: pytest.fail("it was converted already"))
        torch.testing.assert_close(made("max", "openvino")(*images), first)
    content = kept.read_bytes()
    kept.write_bytes(content[:100])
    monkeypatch.setattr("irvis.runtime.graphs._made", lambda source: content)
    torch.testing.assert_close(made("max", "openvino")(*images), first)
    assert kept.read_bytes() == content


@torch.inference_mode()
def test_the_allowed_error_is_kept_in_a_runtime_too(tmp_path: Path):
    torch.manual_seed(0)
    core = creation.find("encdec").build(width=4)
    file = tmp_path / "w.safetensors"
    irvis_header = {"method": "encdec", "options": '{"width": 4}'}
    save_file({name: weight * 1.5 for name, weight in core.state_dict().items()}, file, irvis_header)
    plain = creation.create("encdec", weights=file)
    fuser = creation.create("encdec", weights=file, runtime="collapsed", error=0.05)
    images = pair(1, 96, 128)
    assert 0 < float((fuser(*images) - plain(*images)).abs().max()) <= 0.05


def test_what_cannot_be_had_is_one_line(monkeypatch):
    for words, facts in (
        ("int8 is for networks", {"precision": "int8"}),
        ("int8 is for networks", {"precision": "int8", "runtime": "collapsed"}),
        ("any runtime but torch", {"error": 0.1}),
        ("must not be negative", {"error": -1.0, "runtime": "collapsed"}),
    ):
        with pytest.raises(IrvisError, match=words):
            creation.create("encdec", **facts)
    with pytest.raises(IrvisError, match="no rewritten form"):
        creation.create("average", runtime="collapsed")
    monkeypatch.setattr(substitutes, "find_spec", lambda name: None)
    with pytest.raises(IrvisError, match="openvino cannot be had here"):
        creation.create("encdec", runtime="openvino", strict=True)


def test_without_openvino_the_rewritten_network_takes_its_place_with_a_notice(monkeypatch):
    monkeypatch.setattr(substitutes, "find_spec", lambda name: None)
    with pytest.warns(IrvisWarning, match=r"pip install 'irvis\[openvino\]'\): collapsed"):
        fuser = creation.create("encdec:tiny", runtime="openvino")
    images = pair(1, 64, 96)
    torch.testing.assert_close(fuser(*images), creation.create("encdec:tiny")(*images), rtol=0, atol=1e-5)


@pytest.mark.parametrize("runtime", ["torch", "openvino"])
def test_half_precision_that_would_be_emulated_gives_way_to_fp32_with_a_notice(monkeypatch, runtime):
    monkeypatch.setattr(substitutes, "native", lambda device: ("fp32",))
    with pytest.warns(IrvisWarning, match="no bf16 of its own"):
        fuser = made("encdec", runtime, "bf16", weights="tiny")
    images = pair(1, 64, 96)
    torch.testing.assert_close(fuser(*images), creation.create("encdec:tiny")(*images), rtol=0, atol=1e-4)


def test_strict_emulates_in_torch_and_refuses_elsewhere(monkeypatch):
    monkeypatch.setattr(substitutes, "native", lambda device: ("fp32",))
    assert isinstance(creation.create("encdec:tiny", precision="bf16", strict=True).core, backends.Autocast)
    with pytest.raises(IrvisError, match="bf16 cannot be had here"):
        made("encdec", "openvino", "bf16", weights="tiny", strict=True)


def test_automatic_precision_is_the_one_that_was_measured_fastest(monkeypatch):
    monkeypatch.setattr(substitutes, "native", lambda device: ("bf16", "fp32"))
    for quick in ("bf16", "fp32"):
        monkeypatch.setattr(substitutes, "fastest", lambda candidates, run, quick=quick: quick)
        core = creation.create("encdec:tiny", precision="auto").core
        assert isinstance(core, backends.Autocast) == (quick == "bf16")
    assert substitutes.fastest(["fp32"], lambda _: pytest.fail("one candidate is not measured")) == "fp32"
    naps = {"bf16": 0.004, "fp32": 0.0}
    assert substitutes.fastest(["bf16", "fp32"], lambda precision: lambda: time.sleep(naps[precision])) == "fp32"


def test_automatic_takes_the_fastest_that_is_here(monkeypatch):
    encdec, average, maefuse = (creation.find(name) for name in ("encdec", "average", "maefuse"))
    monkeypatch.setattr(backends, "find_spec", lambda name: name == "openvino")
    assert backends.automatic(encdec, "cpu") == backends.automatic(maefuse, "cpu") == "openvino"
    assert backends.automatic(encdec, "cuda:1") == "compiled"
    monkeypatch.setattr(backends, "find_spec", lambda name: None)
    assert backends.automatic(encdec, "cpu") == "collapsed"
    assert backends.automatic(maefuse, "cpu") == backends.automatic(average, "cuda") == "torch"


def test_calibration_pairs_are_of_a_size_that_the_core_can_take(monkeypatch):
    monkeypatch.setattr(calibration, "COUNT", 3)
    fuser = creation.create("encdec", weights="tiny")
    for visible, infrared in calibration.pairs(fuser):
        assert visible.shape == infrared.shape
        assert visible.shape[2] % 32 == visible.shape[3] % 32 == 0
