"""Training in guided stages: masked autoencoding, the decoder, and each fusion module aligned before it fuses."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from irvis import IrvisError, creation, weights
from irvis.color import luma as luma_of
from irvis.data.pairs import ImageFolder, SceneFolder
from irvis.data.scene import scene
from irvis.io import write
from irvis.methods.maefuse import SPAN
from irvis.thermal import Range
from irvis.training import alarms, loop, recipe, sources, starting
from irvis.training.records import Data, Stage
from irvis.training.steps import STEPS

pytest.importorskip("lightning_fabric", reason="training needs the extra: pip install 'irvis[train]'")

SMALL = dict(creation.find("maefuse").small)


@pytest.fixture(scope="module")
def core() -> torch.nn.Module:
    torch.manual_seed(0)
    return creation.create("maefuse", weights=None, **SMALL).core


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("single")
    for number in range(3):
        write(folder / f"{number}.png", scene(number, (64, 80)).tensors()[0])
    return folder


def small(images: list[Path] | None = None) -> sources.Sources:
    """Two small synthetic scenes, and one that validates."""
    found = sources.gather(Data(synthetic=1.0, scenes=2), [], images=images or [])
    return dataclasses.replace(
        found, train=[SceneFolder(2, size=(48, 64))], validation=SceneFolder(1, size=(32, 48), seed=2)
    )


def stage(step: str, **losses: float) -> Stage:
    return Stage(step=step, losses={name: {"weight": weight} for name, weight in losses.items()})


def test_the_encoder_sees_no_hidden_patch(core):
    """What is guessed of a hidden patch does not depend on it."""
    image = torch.rand(1, 1, 64, 64)
    torch.manual_seed(1)
    guess, truth = core.guessed(image, 0.75)
    assert guess.shape == truth.shape == (1, 1, 12, 3 * 16**2)
    torch.manual_seed(1)
    hidden = torch.rand(1, 16).argsort(1)[0, 4:]
    changed = image.clone()
    row, column = divmod(int(hidden[0]), 4)
    changed[..., 16 * row : 16 * row + 16, 16 * column : 16 * column + 16] = torch.rand(16, 16)
    torch.manual_seed(1)
    again, other = core.guessed(changed, 0.75)
    assert torch.equal(guess, again)
    assert not torch.equal(truth[0, 0, 0], other[0, 0, 0])


def test_patches_are_judged_without_their_mean_and_deviation(core):
    truth = core.guessed(torch.rand(2, 1, 64, 64), 0.75)[1]
    assert truth.mean(-1) == pytest.approx(torch.zeros(2, 1, 12), abs=1e-5)
    assert truth.std(-1) == pytest.approx(torch.ones(2, 1, 12), abs=1e-3)


@pytest.mark.parametrize("module", ["cfm", "mfm"])
def test_alignment_vanishes_where_a_module_gives_the_mean(core, module, monkeypatch):
    visible, infrared = torch.rand(2, 2, 1, 32, 48)
    seen, warm = core.features(visible, infrared)
    monkeypatch.setattr(type(core), "fused", lambda *_: (seen + warm) / 2)
    outcome = STEPS[f"align-{module}"](core, visible, infrared, stage(f"align-{module}", mse=1.0))
    assert float(outcome.terms["mse"].detach()) == pytest.approx(0, abs=1e-9)


def test_reconstruction_looks_at_one_image_at_a_time(core):
    visible, infrared = torch.rand(2, 1, 1, 32, 32)
    drawn = STEPS["reconstruct"](core, visible, infrared, stage("reconstruct", mse=1.0)).picture
    other = STEPS["reconstruct"](core, visible, torch.zeros_like(infrared), stage("reconstruct", mse=1.0)).picture
    assert drawn == pytest.approx(other, abs=1e-5)


@pytest.mark.parametrize("number", range(7))
def test_a_stage_leaves_what_it_does_not_name_bit_identical(number, photographs, tmp_path):
    """Every stage of the shipped recipe, two steps from random weights."""
    full = recipe.load("maefuse-tiny")
    one = dataclasses.replace(full.stages[number], epochs=1, steps=2, batch=2, crop=32)
    plan = dataclasses.replace(full, options=SMALL, stages=(one,), data=Data(synthetic=1.0, scenes=2))
    torch.manual_seed(plan.seed)
    before = creation.create("maefuse", weights=None, **SMALL).core.state_dict()
    loop.train(plan, small([photographs]), tmp_path)
    after = torch.load(tmp_path / loop.CHECKPOINT, weights_only=True)["core"]
    changed = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert changed == {pattern.split(".")[0] for pattern in one.learn}


def test_norms_and_biases_do_not_decay():
    layer = torch.nn.Linear(3, 2)
    optimizer = loop._optimizer(list(layer.parameters()), dataclasses.replace(
        stage("fuse", mse=1.0), optimizer="adamw", weight_decay=0.5, lr=0.1,
    ))  # fmt: skip
    with torch.no_grad():
        layer.bias.fill_(1.0)
        layer.weight.fill_(1.0)
    for parameter in layer.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    assert layer.bias.tolist() == [1.0, 1.0]
    assert layer.weight.flatten().tolist() == pytest.approx([0.95] * 6)


def test_single_images_stand_for_both_sources(photographs):
    folder = ImageFolder(photographs)
    visible, infrared = folder[1]
    assert (len(folder), folder.name(1)) == (3, "1")
    assert visible.shape == (1, 3, 64, 80)
    assert infrared.shape == (1, 1, 64, 80)
    kept = folder[1][0]
    assert torch.equal(visible, kept)


def test_single_images_are_drawn_only_by_stages_that_ask(photographs):
    found = sources.gather(Data(synthetic=1.0, scenes=6), [], images=[photographs])
    assert [len(part) for part in found.drawn(False)[0]] == [6]
    parts, share = found.drawn(True)
    assert [len(part) for part in parts] == [6, 3]
    assert share == pytest.approx([2 / 3, 1 / 3])


def test_a_range_is_for_counts_and_leaves_photographs_alone(tmp_path):
    Image.fromarray(np.full((16, 16), 8000, np.uint16)).save(tmp_path / "counts.png")
    Image.fromarray(np.full((16, 16, 3), 128, np.uint8)).save(tmp_path / "photograph.png")
    folder = ImageFolder(tmp_path, range=Range.parse("7000,9000"))
    assert [float(folder[n][1].mean()) for n in (0, 1)] == pytest.approx([0.5, 128 / 255], abs=0.01)


def test_a_step_that_fuses_nothing_raises_no_alarm_but_for_its_loss():
    watch, flat = alarms.Alarms(patience=1), torch.zeros(1, 1, 8, 8)
    watch.check(torch.tensor(1.0), flat, torch.rand(1, 1, 8, 8), torch.rand(1, 1, 8, 8), fuses=False)
    with pytest.raises(IrvisError, match="not a number"):
        watch.check(torch.tensor(float("nan")), flat, flat, flat, fuses=False)


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(IrvisError, match="holds no images"):
        ImageFolder(tmp_path)


def test_a_broken_image_is_one_clear_line(tmp_path):
    Image.new("L", (32, 32)).save(tmp_path / "a.png")
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes()[:40])
    with pytest.raises(IrvisError, match=r"a\.png"):
        ImageFolder(tmp_path)[0]


def test_a_training_starts_from_given_weights_and_another_encoder(photographs, tmp_path):
    """What no stage touches comes from the files."""
    cores = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        cores.append(creation.create("maefuse", weights=None, **SMALL).core)
        weights.save(tmp_path / f"{seed}.safetensors", cores[-1], method="maefuse", options=SMALL)
    stage = next(stage for stage in recipe.load("maefuse-tiny").stages if stage.step == "align-mfm")
    one = dataclasses.replace(stage, epochs=1, steps=1, batch=2, crop=32)
    plan = dataclasses.replace(
        recipe.load("maefuse-tiny"), options=SMALL, stages=(one,), data=Data(synthetic=1.0, scenes=2)
    )
    fill = starting.filler("maefuse", tmp_path / "1.safetensors", tmp_path / "2.safetensors")
    loop.train(plan, small(), tmp_path / "run", start=fill)
    trained = creation.create("maefuse", weights=tmp_path / "run" / "stage1.safetensors").core
    for part, source in (("decoder", cores[0]), ("cfm", cores[0]), ("encoder", cores[1])):
        for name, tensor in getattr(source, part).state_dict().items():
            assert torch.equal(tensor, getattr(trained, part).state_dict()[name])


@torch.no_grad()
def test_mixed_features_with_a_share_of_all_or_nothing_are_each_image_alone():
    core = creation.create("maefuse", weights=None, **SMALL).core
    luma, infrared = torch.rand(2, 1, 32, 48), torch.rand(2, 1, 32, 48)
    for share, image in ((1.0, luma), (0.0, infrared)):
        alone = luma_of(core.reconstruction(image))
        torch.testing.assert_close(core.mixture(luma, infrared, torch.full((2, 1, 1, 1), share)), alone)


def test_training_moves_its_crops_over_all_positions_and_fusing_starts_at_the_corner():
    core = creation.create("maefuse", weights=None, **SMALL).core
    plane = torch.rand(1, 1, 32, 48)
    assert core.start(plane) == (0, 0)
    core.train()
    torch.manual_seed(0)
    starts = [core.start(plane) for _ in range(2000)]
    rows, columns = zip(*starts, strict=True)
    assert min(rows) == min(columns) == 0
    assert max(rows) == SPAN - 32 // 16 - 1
    assert max(columns) == SPAN - 48 // 16 - 1


def test_an_encoder_is_for_networks_that_have_one():
    with pytest.raises(IrvisError, match="encdec has no encoder"):
        starting.filler("encdec", None, Path("mae.pth"))
