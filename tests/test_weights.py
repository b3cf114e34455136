"""Weights: what a file says of itself is believed only when its hash is right."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

import irvis
from irvis import weights
from irvis.convert import convert, read
from irvis.errors import IrvisError
from irvis.methods import METHODS
from irvis.spec import Weights

SHIPPED = [(method.name, name) for method in METHODS.values() for name in method.weights]


@pytest.mark.parametrize(("method", "name"), SHIPPED)
def test_shipped_weights_load_fuse_and_have_their_hash(method, name):
    facts = METHODS[method].weights[name]
    assert weights.digest(weights.SHIPPED / facts.file) == facts.sha256
    fuser = irvis.create(method, weights=name)
    assert sum(p.numel() for p in fuser.parameters()) == facts.parameters
    assert facts.licence
    assert facts.trained_on
    assert facts.scores
    fused = fuser(torch.rand(1, 3, 50, 61), torch.rand(1, 1, 50, 61))
    assert fused.std() > 0.01


@pytest.mark.parametrize(("method", "name"), SHIPPED)
def test_every_shipped_weight_has_a_card(method, name):
    card = Path(__file__).parents[1] / "docs" / "methods" / f"{method}.md"
    section = card.read_text().split(f"## Weights: {name}\n")[1].split("\n## ")[0]
    facts = METHODS[method].weights[name]
    assert f"{facts.parameters:,} parameters" in section
    assert facts.file in section
    for part in (
        "**Model**",
        "**Licence",
        "atasets**",
        "**Recipe**",
        "**Time and hardware**",
        "**Metrics**",
        "**Limits**",
    ):
        assert part in section


def test_all_shipped_weights_together_stay_small():
    assert sum(file.stat().st_size for file in weights.SHIPPED.glob("*.safetensors")) < 60e6


def test_a_changed_file_is_refused(tmp_path, monkeypatch):
    core = irvis.create("encdec", weights=None, width=4).core
    path = tmp_path / "w.safetensors"
    sha256 = weights.save(path, core, method="encdec", options={"width": 4})
    assert weights.load(path, method="encdec", sha256=sha256).options == {"width": 4}
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(irvis.IrvisError, match="sha256"):
        weights.load(path, method="encdec", sha256=sha256)


def test_a_file_of_another_method_or_kind_is_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    save_file({"a": torch.zeros(1)}, path, metadata={"method": "other"})
    with pytest.raises(irvis.IrvisError, match="'other'"):
        irvis.create("encdec", weights=path)
    path.write_bytes(b"PK\x03\x04 not safetensors")
    with pytest.raises(irvis.IrvisError, match="irvis convert"):
        irvis.create("encdec", weights=path)
    with pytest.raises(irvis.IrvisError, match="no such file exists"):
        irvis.create("encdec", weights="missing")


@pytest.mark.parametrize(
    "content", [b"", b"root:x:0:0:root\n", b"PK\x03\x04half a file", b"\x80\x02cos\nsystem\n(S'true'\ntR."]
)
def test_a_checkpoint_that_is_no_checkpoint_is_one_clear_error(content, tmp_path):
    path = tmp_path / "theirs.pth"
    path.write_bytes(content)
    with pytest.raises(
        irvis.IrvisError, match=r"not a readable PyTorch checkpoint|code would have to run \(os.system\)"
    ) as caught:
        convert(path, tmp_path / "ours.safetensors")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "ours.safetensors").exists()


def test_an_unknown_state_dict_is_refused(tmp_path):
    torch.save({"layer.weight": torch.zeros(2)}, tmp_path / "other.pth")
    assert set(read(tmp_path / "other.pth")) == {"layer.weight"}
    with pytest.raises(irvis.IrvisError, match="holds no network that irvis knows"):
        convert(tmp_path / "other.pth", tmp_path / "ours.safetensors")
    with pytest.raises(irvis.IrvisError, match="no such file"):
        convert(tmp_path / "missing.pth", tmp_path / "ours.safetensors")


def written(path: Path, header: dict[str, str], **tensors: torch.Tensor) -> Path:
    """A checkpoint of ours that says what it likes."""
    save_file(tensors or {"x": torch.zeros(1)}, path, metadata={"method": "encdec", **header})
    return path


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("[1, 2]", "options must be a table"),
        ("{", "not a safetensors checkpoint"),
        ('{"width": 20000}', "do not fit"),
        ('{"width": 100000000}', "encdec"),
        ('{"width": -4}', "encdec"),
        ('{"width": 4.5}', "a whole number"),
        ('{"wide": 4}', "no option wide"),
        ("[" * 50_000, "not a safetensors checkpoint"),
    ],
)
def test_a_file_that_lies_about_its_network_is_one_line_and_takes_no_memory(options, words, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.Tensor, "normal_", lambda *_: pytest.fail("the network was built"))
    with pytest.raises(irvis.IrvisError, match=words) as caught:
        irvis.create("encdec", weights=written(tmp_path / "w.safetensors", {"options": options}))
    assert "\n" not in str(caught.value)


def test_a_file_that_asks_for_a_million_layers_is_refused_at_once(tmp_path):
    path = written(tmp_path / "w.safetensors", {"method": "maefuse", "options": '{"blocks": 1000000, "width": 48}'})
    with pytest.raises(irvis.IrvisError, match="far more tensors"):
        irvis.create("maefuse", weights=path)


def test_weights_of_another_size_are_told_in_whole_words():
    with pytest.raises(irvis.IrvisError) as caught:
        irvis.create("encdec:paper", width=4)
    text = str(caught.value)
    assert "visible_encoder.layers.0.weight is of size [64, 1, 3, 3], not [4, 1, 3, 3] (and " in text
    assert text.endswith("more)")


def test_no_fuzzed_checkpoint_ends_in_a_traceback(tmp_path):
    from irvis.methods.encdec_authors import _names

    theirs = {name: torch.zeros(2) for name in _names().values()}
    theirs["fusion_layers.0.weight"] = torch.zeros(4, 8, 1, 1)
    torch.save(theirs, tmp_path / "whole.pth")
    (tmp_path / "text.pth").write_text("This is a text.\n")
    whole = (tmp_path / "whole.pth").read_bytes()
    random = torch.Generator().manual_seed(0)
    for number in range(60):
        damaged = bytearray(whole[: len(whole) if number % 2 else len(whole) // 2])
        for place in torch.randint(0, len(damaged), (20,), generator=random).tolist():
            damaged[place] ^= 1 << number % 8
        (tmp_path / f"{number}.pth").write_bytes(damaged)
    for path in sorted(tmp_path.glob("*.pth")):
        with pytest.raises(irvis.IrvisError) as caught:
            convert(path, tmp_path / "o.safetensors")
        assert "\n" not in str(caught.value)


# ------------------------------------------------------------------------------- weights that are downloaded


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IRVIS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def published(tmp_path, **facts):
    """Weights of a tiny network, as a file beside which nothing else is known."""
    core = METHODS["encdec"].build(width=4)
    sha256 = weights.save(tmp_path / "there.safetensors", core, method="encdec", options={"width": 4})
    facts = {"file": "here.safetensors", "sha256": sha256, "url": (tmp_path / "there.safetensors").as_uri()} | facts
    return Weights(licence="", trained_on="", parameters=1, **facts)


def test_weights_with_an_address_are_downloaded_once_and_used(tmp_path, cache, monkeypatch):
    facts = published(tmp_path)
    method = replace(METHODS["encdec"], weights={"far": facts})
    found = weights.find(method, "far")
    assert found.sha256 == facts.sha256
    assert found.options == {"width": 4}
    (tmp_path / "there.safetensors").unlink()
    assert weights.find(method, "far").sha256 == facts.sha256
    assert [path.name for path in (cache / "weights").iterdir()] == ["here.safetensors"]


def test_a_download_of_another_file_is_refused_and_leaves_nothing(tmp_path, cache):
    facts = published(tmp_path, sha256="0" * 64)
    with pytest.raises(IrvisError, match="not the file that was published"):
        weights.located(facts)
    assert not [*(cache / "weights").iterdir()]


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/a.safetensors", "file:///no/such/file", "nonsense"])
def test_without_a_connection_one_line_says_where_the_file_may_be_put(tmp_path, cache, url):
    with pytest.raises(IrvisError, match=r"could not be downloaded.*copy it to .*cache/weights/here.safetensors"):
        weights.located(published(tmp_path, url=url))


def test_a_file_in_the_cache_that_was_changed_is_refused(tmp_path, cache):
    facts = published(tmp_path)
    weights.located(facts).write_bytes(b"damaged")
    with pytest.raises(IrvisError, match="damaged or was changed"):
        weights.find(replace(METHODS["encdec"], weights={"far": facts}), "far")
