"""Training: a recipe is data, a run can stop anywhere and go on as if it had not."""

import csv
import dataclasses
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import irvis
from irvis import creation, weights
from irvis.data.pairs import Crops, SceneFolder
from irvis.training import alarms, loop, recipe, sources, starting, steps
from irvis.training.records import Data, Recipe, Stage

pytest.importorskip("lightning_fabric", reason="training needs the extra: pip install 'irvis[train]'")

LOSSES = {"qw": {"weight": 1.0}, "mse": {"weight": 1.0}}
SHIPPED = recipe.shipped()
ABLATION = re.compile("ablation-(?!rgb|one-stage)|code|network")
"""Recipes that differ from another one in little; they are tried in slow runs."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Six small pairs with structure in both images."""
    place = tmp_path_factory.mktemp("pairs")
    y, x = np.mgrid[:48, :64]
    for n in range(6):
        visible = 127 + 100 * np.sin(x / (3 + n))[..., None] * np.array([1, 0.8, 0.6])
        infrared = 127 + 100 * np.cos(y / (2 + n))
        for kind, image in (("vi", visible), ("ir", infrared)):
            (place / kind).mkdir(exist_ok=True)
            Image.fromarray(image.astype(np.uint8)).save(place / kind / f"{n}.png")
    return place


@pytest.fixture(scope="module")
def scenes() -> sources.Sources:
    """Two small synthetic scenes to train on, one that validates."""
    found = sources.gather(Data(synthetic=1.0, scenes=2), [])
    small = SceneFolder(2, size=(48, 64))
    return dataclasses.replace(found, train=[small], validation=SceneFolder(1, size=(32, 48), seed=2))


def tiny(**changes) -> Recipe:
    stage = Stage(losses=LOSSES, epochs=2, steps=3, batch=2, crop=32, lr=1e-3)
    return Recipe(
        name="tiny", method="encdec", options={"width": 4}, data=Data(validation=0.2, gamma=1.2, zoom=1.5),
        stages=(dataclasses.replace(stage, **changes),),
    )  # fmt: skip


def losses_of(run: Path) -> dict[tuple[str, str, str], str]:
    with (run / "log.csv").open() as file:
        return {(row["step"], row["kind"], row["term"]): row["value"] for row in csv.DictReader(file)}


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=pytest.mark.slow if ABLATION.search(path.stem) else ()) for path in SHIPPED],
    ids=lambda path: path.stem,
)
def test_every_shipped_recipe_takes_two_steps_on_synthetic_scenes_and_resumes(path, scenes, tmp_path):
    plan = recipe.load(path)
    stages = tuple(
        dataclasses.replace(stage, epochs=2, steps=1, batch=2, crop=32, milestones=(1,)) for stage in plan.stages
    )
    options = {"width": 4} if plan.method == "encdec" else dict(creation.find(plan.method).small)
    if "encoder" in plan.options:
        options = {"width": 8, "decoder_width": 4}
    plan = dataclasses.replace(plan, stages=stages, options={**plan.options, **options})

    def stop(stage: int, step: int, total: int, terms: object) -> None:
        if step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loop.train(plan, scenes, tmp_path, show=stop)
    best = loop.train(plan, scenes, tmp_path, resume=True)
    fuser = irvis.create(plan.method, weights=best)
    assert fuser.options["width"] == options["width"]
    assert len(list((tmp_path / "pictures").glob("*.png"))) == 2 * len(stages)


def test_a_folder_whose_pairs_cannot_be_told_is_refused_without_words_of_other_verbs(tmp_path):
    (tmp_path / "flat").mkdir()
    with pytest.raises(irvis.IrvisError, match=r"into .*vi and .*ir") as told:
        sources.gather(Data(), [tmp_path / "flat"])
    assert "--match" not in str(told.value)


def test_a_resumed_training_has_the_losses_and_weights_of_one_that_never_stopped(folder, tmp_path):
    plan = tiny(blur=0.5, noise=0.02)
    found = sources.gather(plan.data, [folder])
    loop.train(plan, found, tmp_path / "whole")

    def stop(stage: int, step: int, total: int, terms: object) -> None:
        if step == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loop.train(plan, found, tmp_path / "halves", show=stop)
    loop.train(plan, found, tmp_path / "halves", resume=True)
    assert losses_of(tmp_path / "whole") == losses_of(tmp_path / "halves")
    whole, halves = (irvis.create("encdec", weights=tmp_path / run / "last.safetensors") for run in ("whole", "halves"))
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), halves.parameters(), strict=True))


def test_training_lowers_the_loss(folder, tmp_path):
    plan = tiny(epochs=4, steps=10, lr=3e-3)
    loop.train(plan, sources.gather(plan.data, [folder]), tmp_path)
    totals = [float(x) for (_, kind, term), x in losses_of(tmp_path).items() if (kind, term) == ("validation", "total")]
    assert totals[-1] < 0.9 * totals[0]


def test_every_epoch_is_told_with_its_picture_and_the_end_says_whether_it_is_better_than_the_start(folder, tmp_path):
    plan, told = tiny(), []
    loop.train(plan, sources.gather(plan.data, [folder]), tmp_path, tell=told.append)
    assert [(one.stage, one.epoch) for one in told] == [(1, 1), (1, 2)]
    assert all(one.picture.is_file() for one in told)
    assert {one.began for one in told} == {told[0].began}
    assert told[-1].best == min(one.score for one in told)
    assert f"{told[0].began:.4f} at the start" in told[0].line
    better = told[-1].best < told[-1].began
    assert told[-1].verdict.startswith("better than where you began" if better else "not better")
    assert f"on {told[0].pairs} held-back pairs" in told[-1].verdict


def test_parameters_that_a_stage_does_not_name_stay_bit_identical(folder, tmp_path):
    plan = tiny(learn=("fusion.*", "decoder.*"))
    torch.manual_seed(plan.seed)
    before = creation.create("encdec", weights=None, **plan.options).state_dict()
    loop.train(plan, sources.gather(plan.data, [folder]), tmp_path)
    after = irvis.create("encdec", weights=tmp_path / "last.safetensors").state_dict()
    for name, tensor in before.items():
        assert torch.equal(tensor, after[name]) == ("encoder" in name)


def test_stages_follow_each_other_and_resume_in_the_second(folder, tmp_path):
    first, second = (
        tiny(epochs=1, steps=2).stages[0],
        tiny(epochs=1, steps=2, optimizer="sgd", learn=("decoder.*",)).stages[0],
    )
    plan = dataclasses.replace(tiny(), stages=(first, second))
    found = sources.gather(plan.data, [folder])

    def stop(stage: int, step: int, total: int, terms: object) -> None:
        if (stage, step) == (1, 1):
            raise KeyboardInterrupt

    loop.train(plan, found, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        loop.train(plan, found, tmp_path / "halves", show=stop)
    loop.train(plan, found, tmp_path / "halves", resume=True)
    assert losses_of(tmp_path / "whole") == losses_of(tmp_path / "halves")


@pytest.mark.slow
def test_two_processes_take_the_step_of_one(folder, tmp_path):
    """The mean of two half batches' gradients is the gradient of the whole batch: one SGD step shows it."""
    text = """
method = "encdec"
options = { width = 4 }
[data]
validation = 0.2
[[stage]]
losses = { qw = { weight = 1.0 }, mse = { weight = 1.0 } }
steps = 1
batch = 4
crop = 32
optimizer = "sgd"
lr = 0.1
"""
    (tmp_path / "sgd.toml").write_text(text)
    for devices in (1, 2):
        words = [
            "train",
            tmp_path / "sgd.toml",
            "--data",
            folder,
            "--out",
            tmp_path / str(devices),
            "--device",
            "cpu",
        ]
        subprocess.run(
            [sys.executable, "-m", "irvis.cli", *map(str, words), "--devices", str(devices)],
            check=True,
            timeout=240,
        )
    one, two = (irvis.create("encdec", weights=tmp_path / n / "last.safetensors").state_dict() for n in "12")
    torch.manual_seed(0)
    start = creation.create("encdec", weights=None, width=4).state_dict()
    for name, tensor in one.items():
        torch.testing.assert_close(tensor - start[name], two[name] - start[name], rtol=1e-3, atol=1e-7)
    assert any((one[name] - start[name]).abs().max() > 1e-5 for name in one)


def test_bfloat16_that_would_be_emulated_gives_way_to_fp32_with_a_notice(monkeypatch):
    from irvis.io import IrvisWarning
    from irvis.training import precision

    tiny = recipe.load("encdec-tiny")
    monkeypatch.setattr("irvis.runtime.substitutes.native", lambda device: ("fp32",))
    with pytest.warns(IrvisWarning, match="no bf16 of its own"):
        assert precision.chosen("bf16", "cpu", 1, tiny) == "fp32"
    monkeypatch.setattr(precision, "native", lambda device: ("fp32",))
    assert precision.chosen("auto", "cpu", 1, tiny) == "fp32"


def test_automatic_precision_of_a_training_is_the_fastest_measured(monkeypatch):
    from irvis.training import precision

    tiny = recipe.load("encdec-tiny")
    monkeypatch.setattr(precision, "native", lambda device: ("fp16", "bf16", "fp32"))
    for quick in ("bf16", "fp32"):
        monkeypatch.setattr(precision, "fastest", lambda candidates, run, quick=quick: quick)
        assert precision.chosen("auto", "cpu", 1, tiny) == quick
    assert precision.chosen("auto", "cpu", 4, tiny) == "bf16"
    assert isinstance(precision._step("bf16", "cpu", tiny)(), float)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_precisions(precision, folder, tmp_path):
    plan = tiny(epochs=1, steps=1, clip=1.0)
    loop.train(plan, sources.gather(plan.data, [folder]), tmp_path, precision=precision)
    assert (tmp_path / "best.safetensors").is_file()


def test_super_resolution_trains_on_halved_sources(folder, tmp_path):
    plan = dataclasses.replace(tiny(epochs=1, steps=1, crop=64), options={"width": 4, "scale": 2})
    loop.train(plan, sources.gather(plan.data, [folder]), tmp_path)
    fuser = irvis.create("encdec", weights=tmp_path / "best.safetensors")
    assert fuser(torch.rand(1, 3, 20, 20), torch.rand(1, 1, 20, 20)).shape[-2:] == (40, 40)


def test_batches_are_a_function_of_seed_and_step(folder):
    found = sources.gather(Data(validation=0.2), [folder])
    crops = Crops(sources=found.train, share=found.share, batch=3, crop=32, steps=9, seed=5, gamma=1.3, zoom=2.0)
    again = dataclasses.replace(crops)
    assert all(torch.equal(a, b) for a, b in zip(crops[7], again[7], strict=True))
    assert not torch.equal(crops[7][0], crops[8][0])
    halves = [dataclasses.replace(crops, batch=4, rank=rank, world=2)[3] for rank in (0, 1)]
    whole = dataclasses.replace(crops, batch=4)[3]
    assert torch.equal(torch.stack([halves[0][0], halves[1][0]], 1).flatten(0, 1), whole[0])


def test_crops_of_a_pair_stay_registered(folder):
    """Where visible and infrared are one picture, every crop of them still is."""
    found = sources.gather(Data(validation=0.2), [folder])
    source = found.train[0]
    source.kept.images = {
        n: (i.expand(-1, 3, -1, -1), i) for n in range(len(source)) for i in [(source[n][1] * 255).byte()]
    }
    crops = Crops(sources=[source], share=[1.0], batch=6, crop=40, steps=1, seed=0, zoom=2.0)
    visible, infrared = crops[0]
    torch.testing.assert_close(visible, infrared.expand_as(visible))
    assert visible.shape == (6, 3, 40, 40)


def test_blur_and_noise_fall_on_the_inputs_only():
    seen = {}

    def core(visible, infrared):
        seen["visible"] = visible
        return visible

    visible, infrared = torch.rand(1, 1, 32, 32), torch.rand(1, 1, 32, 32)
    stage = Stage(losses={"mse": {"weight": 1.0, "visible_weight": 1.0, "infrared_weight": 0.0}}, blur=1.0, noise=0.1)
    outcome = steps.fuse(core, visible, infrared, stage)
    assert not torch.equal(seen["visible"], visible)
    expected = (seen["visible"] - visible).square().mean()
    torch.testing.assert_close(outcome.terms["mse"], expected)
    torch.testing.assert_close(steps.degraded(torch.full((1, 3, 9, 9), 0.4), 1.5, 0.0), torch.full((1, 3, 9, 9), 0.4))


def test_alarms_stop_a_dying_run():
    images = torch.rand(2, 1, 16, 16), torch.rand(2, 1, 16, 16)
    fine = torch.tensor(0.5)
    with pytest.raises(irvis.IrvisError, match="not a number"):
        alarms.Alarms().check(torch.tensor(float("nan")), images[0], *images)
    watch, flat = alarms.Alarms(patience=2), torch.full((2, 1, 16, 16), 0.5)
    watch.check(fine, flat, *images)
    with pytest.raises(irvis.IrvisError, match="constant"):
        watch.check(fine, flat, *images)
    watch = alarms.Alarms(patience=2)
    visible, infrared = torch.zeros(2, 1, 16, 16), torch.zeros(2, 1, 16, 16)
    visible[..., :8], infrared[..., :8, :] = 1, 1
    watch.check(fine, visible, visible, infrared)
    with pytest.raises(irvis.IrvisError, match="infrared image has been ignored"):
        watch.check(fine, visible, visible, infrared)
    watch = alarms.Alarms(patience=2)
    for _ in range(5):
        watch.check(fine, (visible + infrared) / 2, visible, infrared)


def test_the_learning_rate_follows_its_schedule():
    halve = Stage(losses=LOSSES, steps=10, epochs=30, lr=1.0, schedule="halve", milestones=(10, 20))
    assert [loop.learning_rate(halve, step) for step in (0, 99, 100, 200)] == [1.0, 1.0, 0.5, 0.25]
    cosine = Stage(losses=LOSSES, steps=10, epochs=10, lr=1.0, schedule="cosine", warmup=10)
    rates = [loop.learning_rate(cosine, step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) < 1
    assert rates[-1] < 0.02


STAGE = "[[stage]]\nlosses = { qw = { weight = 1 } }\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "at least one"),
        ("learning = 1\n" + STAGE, "unknown key learning"),
        (STAGE + "learning_rate = 1", "unknown key learning_rate"),
        (STAGE + "step = 'jump'", "unknown step 'jump'"),
        (STAGE + "lr = 'a'", "lr must be a number"),
        (STAGE + "lr = -1", "lr must be 0 or more"),
        (STAGE + "epochs = 1.5", "epochs must be a whole number"),
        (STAGE + "epochs = 0", "epochs must be 1 or more"),
        (STAGE + "batch = 0", "batch must be 1 or more"),
        (STAGE + "learn = 'decoder.*'", "learn must be a list"),
        (STAGE + "schedule = 'cosin'", "schedule must be one of constant, halve, cosine"),
        (STAGE + "milestones = 3", "milestones must be a list"),
        (STAGE + "betas = [0.9]", "betas must be a list of 2"),
        (STAGE + "clip = -1", "clip must be 0 or more"),
        ("seed = -1\n" + STAGE, "seed must be 0 or more"),
        ("data = { synthetic = 2 }\n" + STAGE, "synthetic must be 0 to 1"),
        ("data = { zoom = 0.5 }\n" + STAGE, "zoom must be 1 to 16"),
        ("[[stage]]\nlosses = {}", "losses is empty"),
        ("[[stage]]\nlosses = { mse = 1.0 }", "losses must be a table of tables"),
        ("[[stage]]\nlosses = { qw = { stride = 1 } }", "needs a weight"),
        ("[[stage]]\nlosses = { qq = { weight = 1 } }", "unknown loss qq"),
        ("[[stage]]\nlosses = { mse = { weight = 1, visble_weight = 1 } }", "mse has no option visble_weight"),
        ("[[stage]]\nlosses = { qw = { weight = 1, saliency = 'devation' } }", "one of variance, deviation"),
        ("[[stage]]\nlosses = { qe = { weight = 'a' } }", "qe.weight must be a number"),
        ("seed = ", "not valid TOML"),
        ("[stage]\nlosses = { mse = { weight = 1 } }", r"write \[\[stage\]\] with two brackets"),
    ],
)
def test_a_misspelt_recipe_is_refused(text, message, tmp_path):
    (tmp_path / "r.toml").write_text("method = 'encdec'\n" + text)
    with pytest.raises(irvis.IrvisError, match=message):
        recipe.load(tmp_path / "r.toml")


def test_ablations_differ_from_their_base_in_one_thing():
    plans = {path.stem: recipe.load(path) for path in SHIPPED if path.stem.startswith("encdec-ablation")}
    base = plans.pop("encdec-ablation-base")
    for plan in plans.values():
        options = {k for k in {*plan.options, *base.options} if plan.options.get(k) != base.options.get(k)}
        first, second = (dataclasses.asdict(p.stages[0]) for p in (plan, base))
        stage = {key for key in first if first[key] != second[key]}
        assert len(options) + len(stage) == 1, plan.name
        assert plan.data == base.data


def test_only_the_training_split_of_a_public_set_is_trained_on(tmp_path):
    for split in ("train", "test"):
        for side in ("vi", "ir"):
            folder = tmp_path / "MSRS" / split / side
            folder.mkdir(parents=True)
            for n in range(4):
                Image.new("L", (40, 40), 100).save(folder / f"{split}{n}.png")
    found = sources.gather(Data(validation=0.25), [tmp_path / "MSRS"])
    names = [found.train[0].name(n) for n in range(len(found.train[0]))]
    names += [found.validation.name(n) for n in range(len(found.validation))]
    assert len(names) == 4
    assert all("test" not in name for name in names)


def test_a_folder_for_a_recipe_that_needs_none_is_refused(folder):
    with pytest.raises(irvis.IrvisError, match="leave out --data"):
        sources.gather(Data(synthetic=1.0), [folder])


def test_files_without_a_partner_are_mentioned(folder, tmp_path):
    for kind in ("vi", "ir"):
        (tmp_path / kind).mkdir()
        for n in range(3):
            Image.new("L", (40, 40), 100).save(tmp_path / kind / f"{n}.png")
    Image.new("L", (40, 40), 100).save(tmp_path / "vi" / "alone.png")
    assert "1 files without a partner" in sources.gather(Data(), [tmp_path]).names[0]


def test_a_changed_recipe_or_a_broken_checkpoint_is_not_resumed(folder, tmp_path):
    plan = tiny(epochs=1, steps=1)
    found = sources.gather(plan.data, [folder])
    loop.train(plan, found, tmp_path)
    with pytest.raises(irvis.IrvisError, match="of another recipe \\(stages changed\\)"):
        loop.train(tiny(epochs=1, steps=2), found, tmp_path, resume=True)
    loop.train(dataclasses.replace(plan, about="other words"), found, tmp_path, resume=True)
    (tmp_path / loop.CHECKPOINT).write_bytes(b"half")
    with pytest.raises(irvis.IrvisError, match="damaged"):
        loop.train(plan, found, tmp_path, resume=True)


def test_a_crop_that_the_method_cannot_take_is_refused(folder, tmp_path):
    plan = tiny(crop=100)
    with pytest.raises(irvis.IrvisError, match="crop 100 is not a multiple of 32"):
        loop.train(plan, sources.gather(plan.data, [folder]), tmp_path)


def test_a_crop_beyond_the_memory_is_refused_before_anything_is_made(folder, tmp_path):
    plan = tiny(crop=320_000)
    with pytest.raises(
        irvis.IrvisError, match=r"stage 1: .* takes [\d,]+ GB of memory, .*: take a smaller crop or batch"
    ):
        loop.train(plan, sources.gather(plan.data, [folder]), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_what_cannot_be_read_is_told_before_the_training_and_left_out(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "pairs")
    for number in (1, 5):  # one to train on, one that validates
        (tmp_path / "pairs" / "ir" / f"{number}.png").write_bytes(b"no picture")
    found = sources.gather(Data(validation=0.4), [tmp_path / "pairs"])
    assert [one.name for one in found.lost] == ["1", "5"]
    assert all("not an image" in one.problem for one in found.lost)
    learned, validating = ([part.name(n) for n in range(len(part))] for part in (found.train[0], found.validation))
    assert (learned, validating) == (["0", "2", "3"], ["4"])
    for path in (tmp_path / "pairs" / "ir").iterdir():
        path.write_bytes(b"no picture")
    with pytest.raises(irvis.IrvisError, match="nothing there to train on can be read; 0: "):
        sources.gather(Data(validation=0.4), [tmp_path / "pairs"])


def test_weights_are_saved_before_they_are_validated(folder, tmp_path, monkeypatch):
    plan = tiny(epochs=1, steps=2)
    found = sources.gather(plan.data, [folder])

    def wrong(*_: object) -> dict[str, float]:
        raise irvis.IrvisError("the validation pair is gone")

    with monkeypatch.context() as patch:
        patch.setattr(loop, "validation_losses", wrong)
        with pytest.raises(irvis.IrvisError, match="is gone"):
            loop.train(plan, found, tmp_path)
    last = irvis.create("encdec", weights=tmp_path / "last.safetensors").state_dict()
    best = loop.train(plan, found, tmp_path, resume=True)  # validates and takes no step more
    assert all(torch.equal(last[name], one) for name, one in irvis.create("encdec", weights=best).state_dict().items())


def test_the_licence_of_the_start_goes_on_in_the_weights_also_when_resumed(folder, tmp_path):
    plan, start = tiny(epochs=2, steps=1), tmp_path / "start.safetensors"
    core = creation.create("encdec", weights=None, **plan.options).core
    weights.save(start, core, method="encdec", options=plan.options, licence="for research only", trained_on="A")
    facts = starting.terms("encdec", start, None)

    def stop(stage: int, step: int, total: int, terms: object) -> None:
        if step == 2:
            raise KeyboardInterrupt

    found, run = sources.gather(plan.data, [folder]), tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        loop.train(plan, found, run, facts=facts, show=stop)
    best = loop.train(plan, found, run, resume=True)
    assert weights.header_of(best)["licence"] == "for research only (of what it started from)"
    assert starting.terms("encdec", best, None) == facts
    assert "research" in starting.terms("encdec", Path("tiny"), None)["licence"]
    assert starting.terms("encdec", None, None) == {}


def test_half_precision_on_the_cpu_is_refused(folder, tmp_path):
    plan = tiny()
    with pytest.raises(irvis.IrvisError, match="fp16 needs a GPU"):
        loop.train(plan, sources.gather(plan.data, [folder]), tmp_path, precision="fp16")


def test_a_pattern_that_matches_nothing_is_refused(folder, tmp_path):
    plan = tiny(learn=("decodr.*",))
    with pytest.raises(irvis.IrvisError, match=r"decodr"):
        loop.train(plan, sources.gather(plan.data, [folder]), tmp_path)


@pytest.mark.parametrize("device", ["warp", "cuda"])
def test_a_device_that_is_not_there_is_one_clear_line(device, folder, tmp_path):
    if device == "cuda" and torch.cuda.is_available():
        pytest.skip("it is there")
    with pytest.raises(irvis.IrvisError, match=f"cannot train on 1 × {device}"):
        loop.train(tiny(), sources.gather(tiny().data, [folder]), tmp_path, device=device)


def test_shipped_recipes_go_by_name():
    assert recipe.load("encdec-tiny").name == "encdec-tiny"
    with pytest.raises(irvis.IrvisError, match="there is no recipe"):
        recipe.load("encdec-tinny")
