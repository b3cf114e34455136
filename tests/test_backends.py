"""Runtimes: the same picture from whatever runs the core, or one line that says why it cannot."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import irvis
from irvis import IrvisError, registry
from irvis.runtime import backends, calibration

SIZES = ((1, 96, 128), (2, 131, 97), (1, 40, 50), (1, 7, 200))
NETWORKS = (("encdec:tiny", "collapsed"), ("encdec:tiny", "openvino"), ("encdec:tiny", "onnxruntime"))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """One cache folder for the whole run, not the user's."""
    monkeypatch.setenv("IRVIS_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


def pair(batch: int, height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(height)
    return torch.rand(batch, 3, height, width, generator=generator), torch.rand(
        batch, 1, height, width, generator=generator
    )


def made(text: str, runtime: str, precision: str = "fp32", **facts: object) -> irvis.Fuser:
    name, weights, options = registry.parse(text)
    needed = backends.EXTRAS.get(runtime)
    if needed:
        pytest.importorskip(runtime)
    return registry.create(name, weights=weights, runtime=runtime, precision=precision, **facts, **options)


@pytest.mark.parametrize(("text", "runtime"), NETWORKS, ids=str)
@torch.inference_mode()
def test_a_runtime_gives_the_same_picture_at_any_size_and_in_batches(text, runtime):
    plain, other = registry.create("encdec", weights="tiny"), made(text, runtime)
    for shape in SIZES:
        images = pair(*shape)
        torch.testing.assert_close(other(*images), plain(*images), rtol=0, atol=1e-5)


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
@torch.inference_mode()
def test_networks_of_every_kind_and_plain_functions_run_in_a_runtime(runtime):
    for name, options in (
        ("encdec", {"width": 4, "domain": "rgb", "scale": 2}),
        ("encdec", {"width": 4, "padding": "zero", "activation": "silu", "domain": "value"}),
        ("maefuse", registry.find("maefuse").small),
        ("laplacian", {}),
        ("average", {}),
    ):  # fmt: skip
        pytest.importorskip(runtime)
        torch.manual_seed(0)
        plain = registry.create(name, weights=None, **options)
        torch.manual_seed(0)
        other = registry.create(name, weights=None, runtime=runtime, **options)
        for shape in ((1, 128, 160), (1, 150, 200)):
            images = pair(*shape)
            torch.testing.assert_close(other(*images), plain(*images), rtol=0, atol=1e-4)


@pytest.mark.parametrize("runtime", ["torch", "collapsed", "openvino"])
@torch.inference_mode()
def test_bfloat16_stays_within_half_a_gray_level_on_average(runtime):
    fuser = made("encdec:tiny", runtime, "bf16") if _can_bfloat16(runtime) else pytest.skip("no bf16 here")
    plain, images = registry.create("encdec", weights="tiny"), pair(1, 96, 128)
    error = (fuser(*images) - plain(*images)).abs() * 255
    assert float(error.mean()) < 0.5
    assert float(error.max()) < 8
    assert fuser(*images).dtype == torch.float32


def _can_bfloat16(runtime: str) -> bool:
    if runtime != "openvino":
        return True
    openvino = pytest.importorskip("openvino")
    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
@torch.inference_mode()
def test_eight_bits_keep_the_picture(runtime):
    if runtime == "openvino":
        pytest.importorskip("nncf")
    from irvis.demo import embedded

    fuser = made("encdec:tiny", runtime, "int8")
    street = embedded(size=(192, 256))[0]
    plain = registry.create("encdec", weights="tiny")(street.visible, street.infrared)
    noise = (fuser(street.visible, street.infrared) - plain).square().mean()
    assert 0 < float(noise) < 1e-3  # PSNR above 30 dB


@torch.inference_mode()
def test_a_converted_network_is_kept_and_found_again(monkeypatch):
    images = pair(1, 96, 128)
    first = made("encdec:tiny", "openvino")(*images)
    from irvis.runtime import on_openvino

    def never(*_: object) -> None:
        raise AssertionError("it was converted already")

    monkeypatch.setattr(on_openvino, "_converted", never)
    torch.testing.assert_close(made("encdec:tiny", "openvino")(*images), first)


@torch.inference_mode()
def test_a_damaged_file_in_the_cache_is_made_anew(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("IRVIS_CACHE", str(tmp_path))
    images = pair(1, 96, 128)
    first = made("encdec:tiny", "openvino")(*images)
    for path in (tmp_path / "openvino").iterdir():
        path.write_bytes(path.read_bytes()[:100])
    torch.testing.assert_close(made("encdec:tiny", "openvino")(*images), first)


@torch.inference_mode()
def test_the_allowed_error_is_kept_in_a_runtime_too(tmp_path: Path):
    torch.manual_seed(0)
    core = registry.find("encdec").build(width=4)
    file = tmp_path / "w.safetensors"
    irvis_header = {"method": "encdec", "options": '{"width": 4}'}
    save_file({name: weight * 1.5 for name, weight in core.state_dict().items()}, file, irvis_header)
    plain = registry.create("encdec", weights=file)
    fuser = registry.create("encdec", weights=file, runtime="collapsed", error=0.05)
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
            registry.create("encdec", **facts)
    with pytest.raises(IrvisError, match="no rewritten form"):
        registry.create("average", runtime="collapsed")
    monkeypatch.setattr(backends, "find_spec", lambda name: None)
    with pytest.raises(IrvisError, match=r"irvis\[openvino\]"):
        registry.create("encdec", runtime="openvino")


def test_automatic_takes_the_fastest_that_is_here(monkeypatch):
    encdec, average, maefuse = (registry.find(name) for name in ("encdec", "average", "maefuse"))
    monkeypatch.setattr(backends, "find_spec", lambda name: name == "openvino")
    assert backends.automatic(encdec, "cpu") == backends.automatic(maefuse, "cpu") == "openvino"
    assert backends.automatic(encdec, "cuda:1") == "compiled"
    monkeypatch.setattr(backends, "find_spec", lambda name: None)
    assert backends.automatic(encdec, "cpu") == "collapsed"
    assert backends.automatic(maefuse, "cpu") == backends.automatic(average, "cuda") == "torch"


def test_calibration_pairs_are_of_a_size_that_the_core_can_take():
    fuser = registry.create("encdec", weights="tiny")
    for visible, infrared in calibration.pairs(fuser):
        assert visible.shape == infrared.shape
        assert visible.shape[2] % 32 == visible.shape[3] % 32 == 0
