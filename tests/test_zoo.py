"""Published networks: their files are known by what is in them, and each gives what its authors' code gives."""

import pickle
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import irvis
import zoo_files
from irvis import listing
from irvis.convert import convert
from irvis.creation import parse
from irvis.methods import METHODS

ZOO = sorted(name for name in METHODS if METHODS[name].published)
CASES = ["1", *(pytest.param(case, marks=pytest.mark.slow) for case in "02")]
every_case = pytest.mark.parametrize("case", CASES)
"""Pairs of the vectors: 1 is in colour and has odd sides."""
every_network = pytest.mark.parametrize("name", ZOO)
LRRNET = "lrrnet/final_lrr_net_lam2_1.5_wir_3.0_lam3_gram_2000_epoch_4_block_4.model"
RAW = [  # network, file, options, what its authors' code gave (and what it was given, where that has another name)
    ("seafusion", "seafusion/SeAFusion.pth", {}, "output"),
    ("tardal", "tardal/tardal.pt", {}, "output"),
    ("tardal", "tardal/tardal.pt", {"statistics": "running"}, "output_bn_running"),
    ("tardal", "tardal/tardal+.pt", {}, "output_tardalplus"),
    ("tardal", "tardal/tardal+.pt", {"statistics": "picture"}, "output_tardalplus_bn_batch"),
    ("ifcnn", "ifcnn/IFCNN-MAX.pth", {}, "output"),
    ("ifcnn", "ifcnn/IFCNN-SUM.pth", {}, "output_sum"),
    ("ifcnn", "ifcnn/IFCNN-MEAN.pth", {}, "output_mean"),
    ("ifcnn", "ifcnn/IFCNN-MAX.pth", {}, "output_imagenet _imagenet"),
    ("ifcnn", "ifcnn/IFCNN-SUM.pth", {}, "output_imagenet_sum _imagenet"),
    ("ifcnn", "ifcnn/IFCNN-MEAN.pth", {}, "output_imagenet_mean _imagenet"),
    ("didfuse", "didfuse/Encoder_weight_IJCAI.pkl", {}, "output"),
    ("didfuse", "didfuse/Decoder_weight_IJCAI.pkl", {"fusion": "average"}, "output_average"),
    ("didfuse", "didfuse", {"fusion": "l1"}, "output_l1"),
    ("densefuse", "densefuse/densefuse_gray.model", {}, "output"),
    ("densefuse", "densefuse/densefuse_gray.model", {"fusion": "l1"}, "output_l1norm"),
    ("densefuse", "densefuse/densefuse_rgb.model", {}, "output_rgb _rgb"),
    ("lrrnet", LRRNET, {}, "output"),
    ("ydtr", "ydtr/model_10.pth", {}, "output"),
    ("reconet", "reconet/params.pth", {}, "output"),
    ("reconet", "reconet/params.pth", {"steps": 1}, "fused_step1"),
    ("reconet", "reconet/params.pth", {"steps": 2}, "fused_step2"),
    ("gifnet", "gifnet/Final.model", {}, "output"),
    ("siba", "siba/SIBA_epoch60.pth", {}, "output"),
    ("lutfuse", "lutfuse/fine_tuned_lut.npy", {}, "output"),
    ("lutfuse", "lutfuse/generator_context.pth", {}, "output_full _full"),
    ("u2fusion", "u2fusion/model.pth", {}, "output"),
    ("dualbranch", "dualbranch/best.pkl", {"fusion": "channel"}, "output"),
    ("dualbranch", "dualbranch/best.pkl", {"fusion": "add"}, "output_add"),
    ("dualbranch", "dualbranch/best.pkl", {"fusion": "l1"}, "output_l1"),
]
SAVED = [
    ("seafusion", "seafusion/SeAFusion.pth", {}, "saved_u8"),
    ("tardal", "tardal/tardal.pt", {}, "saved_u8"),
    ("ifcnn", "ifcnn/IFCNN-MAX.pth", {}, "saved_u8"),
    ("ifcnn", "ifcnn/IFCNN-MAX.pth", {"normalised": True}, "saved_imagenet_u8"),
    ("densefuse", "densefuse/densefuse_gray.model", {}, "saved_u8"),
    ("lrrnet", LRRNET, {}, "saved_u8"),
    ("ydtr", "ydtr/model_10.pth", {}, "saved_u8"),
    ("gifnet", "gifnet/Final.model", {}, "saved_u8"),
    ("siba", "siba/SIBA_epoch60.pth", {}, "saved_u8"),
    ("lutfuse", "lutfuse/fine_tuned_lut.npy", {}, "saved_u8"),
    ("u2fusion", "u2fusion/model.pth", {}, "saved_u8"),
    ("dualbranch", "dualbranch/best.pkl", {"fusion": "channel"}, "saved_u8"),
]
MADE = [  # network, options, what its authors' code gave with weights that are made from their names
    ("cddfuse", {}, "output"),
    ("nestfuse", {}, "output"),
    ("nestfuse", {"pooling": "maximum"}, "output_max"),
    ("nestfuse", {"pooling": "nuclear"}, "output_nuclear"),
    ("rfnnest", {}, "output"),
    ("swinfusion", {}, "output"),
    ("superfusion", {}, "output_recipe"),
    ("defusion", {}, "output"),
    ("metafusion", {}, "output"),
    ("bdlfusion", {}, "output_recipe"),
    ("piafusion", {}, "output"),
    ("deepfuse", {}, "output_recipe"),
]
MADE_SAVED = [("rfnnest", "saved_u8"), ("piafusion", "saved_u8"), ("deepfuse", "saved_recipe_u8")]
MADE_FLOAT = [  # what the script has before it saves
    ("cddfuse", "output_stretched"),
    ("superfusion", "output_recipe_rgb"),
    ("bdlfusion", "output_recipe_rgb"),
    ("swinfusion", "output_script"),
    ("defusion", "output_script"),
]


def made(name, **options):
    """A tiny network with random weights."""
    torch.manual_seed(0)
    return irvis.create(name, weights=None, **METHODS[name].small, **options)


def close(ours, theirs):
    """Within 1e-5 of the largest value, or of 1."""
    return float((ours - theirs).abs().max()) <= 1e-5 * max(1, float(theirs.abs().max()))


@pytest.mark.parametrize(("name", "file", "options", "output"), RAW)
@every_case
@torch.no_grad()
def test_each_network_gives_the_output_of_its_authors_code(name, file, options, output, case, zoo_data):
    core = irvis.create(name, weights=zoo_data / "weights" / file, **options).core
    known = load_file(zoo_data / name / "io.safetensors")
    output, _, end = output.partition(" ")
    ours = core.raw(known[f"{case}.visible{end}"], known[f"{case}.infrared{end}"])
    assert close(ours, known[f"{case}.{output}"])


@pytest.mark.parametrize(("name", "file", "options", "saved"), SAVED)
@every_case
@torch.no_grad()
def test_as_published_gives_the_picture_that_the_authors_script_saves(name, file, options, saved, case, zoo_data):
    fuser = irvis.create(name, weights=zoo_data / "weights" / file, as_published=True, **options)
    case = "0" if name == "lutfuse" else case  # LUT-Fuse's script cuts the others to multiples of 16
    check_saved(fuser, load_file(zoo_data / name / "io.safetensors"), saved, case)


def check_saved(fuser, known, saved, case):
    """The fused picture against that which the authors' script saves."""
    visible, infrared, theirs = (known[f"{case}.{part}"] for part in ("visible_u8", "infrared_u8", saved))
    fused = fuser(visible.permute(2, 0, 1)[None] / 255, infrared[None, None] / 255)[0].permute(1, 2, 0) * 255
    ours = fused if theirs.ndim == 3 else fused[..., 0]
    assert (ours - theirs).abs().max() < 1.01
    assert ((ours - theirs).abs() > 0.01).double().mean() < 1e-3


@pytest.mark.parametrize(("name", "options", "output"), MADE)
@every_case
@torch.no_grad()
def test_networks_without_a_file_here_give_the_output_of_their_authors_code(
    name, options, output, case, zoo_data, tmp_path
):
    fuser = irvis.create(str(zoo_files.write(zoo_data, name, tmp_path)), **options)
    assert fuser.method.name == name
    known = load_file(zoo_data / name / "io.safetensors")
    ours = fuser.core.raw(known[f"{case}.visible"], known[f"{case}.infrared"])
    assert close(ours, known[f"{case}.{output}"])


@pytest.mark.parametrize(("name", "saved"), MADE_SAVED)
@every_case
@torch.no_grad()
def test_as_published_without_a_file_here_gives_the_picture_that_the_script_saves(
    name, saved, case, zoo_data, tmp_path
):
    fuser = irvis.create(str(zoo_files.write(zoo_data, name, tmp_path)), as_published=True)
    check_saved(fuser, load_file(zoo_data / name / "io.safetensors"), saved, case)


@pytest.mark.parametrize(("name", "output"), MADE_FLOAT)
@torch.no_grad()
def test_as_published_is_what_the_script_has_before_it_saves_in_8_bits(name, output, zoo_data, tmp_path):
    fuser = irvis.create(str(zoo_files.write(zoo_data, name, tmp_path)), as_published=True)
    known = load_file(zoo_data / name / "io.safetensors")
    visible, infrared = (known[f"0.{part}"] for part in ("visible_u8", "infrared_u8"))  # gray: one way to read it
    fused = fuser(visible.permute(2, 0, 1)[None] / 255, infrared[None, None] / 255)
    assert ((fused - known[f"0.{output}"].clamp(0, 1)).abs() * 255).max() < 1.01


@torch.no_grad()
def test_parts_of_a_network_give_what_the_authors_parts_give(zoo_data, tmp_path):
    known = load_file(zoo_data / "defusion" / "io.safetensors")
    core = irvis.create(str(zoo_files.write(zoo_data, "defusion", tmp_path))).core
    for part, ours in zip(
        ("common", "upper", "lower"), core.decomposed(known["1.visible"], known["1.infrared"])[:3], strict=True
    ):
        assert close(ours, known[f"1.{part}"]), part
    known = load_file(zoo_data / "superfusion" / "io.safetensors")
    core = irvis.create(str(zoo_files.write(zoo_data, "superfusion", tmp_path))).core
    for direction in ("up", "right", "down", "left"):
        assert close(core.SAM.irnn1.along(direction, known["irnn_input"]), known[f"irnn_{direction}"]), direction
    known = load_file(zoo_data / "metafusion" / "io.safetensors")
    core = irvis.create(str(zoo_files.write(zoo_data, "metafusion", tmp_path))).core
    assert close(core.brightness(known["1.visible"], known["1.infrared"]), known["1.fused"])


@pytest.mark.parametrize("name", ["superfusion", "bdlfusion", "deepfuse"])
@torch.no_grad()
def test_networks_with_the_authors_initial_weights_give_their_output(name, zoo_data):
    core = irvis.create(str(zoo_data / name / "weights.safetensors")).core
    known = load_file(zoo_data / name / "io.safetensors")
    assert close(core.raw(known["1.visible"], known["1.infrared"]), known["1.output"])


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 90), (2, 3), (5, 4), (17, 16), (33, 47)])
@every_network
@torch.no_grad()
def test_any_size_keeps_its_shape(name, height, width):
    fused = made(name)(torch.rand(1, 3, height, width), torch.rand(1, 1, height, width))
    assert fused.shape == (1, 3, height, width)
    assert torch.isfinite(fused).all()


@every_network
@torch.no_grad()
def test_as_published_gives_8_bits_of_rgb_that_do_not_depend_on_the_batch(name):
    fuser = made(name, as_published=True)
    visible, infrared = torch.rand(2, 3, 48, 64), torch.rand(2, 1, 48, 64)
    together = fuser(visible, infrared)
    assert together.shape == visible.shape
    torch.testing.assert_close(together * 255, (together * 255).round(), rtol=0, atol=1e-3)
    alone = torch.cat([fuser(v[None], i[None]) for v, i in zip(visible, infrared, strict=True)])
    assert ((together - alone).abs() > 1e-6).double().mean() < 0.01


@every_network
def test_a_file_is_known_by_its_tensors(name, tmp_path):
    torch.save({"state_dict": made(name).core.state_dict()}, tmp_path / "some.pth")
    if len(METHODS[name].published.marks) == 1:
        assert parse(str(tmp_path / "some.pth")) == (name, str(tmp_path / "some.pth"), {})


@torch.no_grad()
def test_the_name_and_the_file_and_both_together_are_the_same(tmp_path):
    core = irvis.create("seafusion", weights=None).core
    torch.save(core.state_dict(), tmp_path / "SeAFusion.pth")
    file = str(tmp_path / "SeAFusion.pth")
    images = torch.rand(1, 3, 20, 30), torch.rand(1, 1, 20, 30)
    made = [irvis.create(file), irvis.create("seafusion", weights=file), irvis.create(f"seafusion:{file}")]
    assert all(one.method.name == "seafusion" for one in made)
    assert all(torch.equal(one(*images), made[0](*images)) for one in made)
    fused = irvis.fuse(images[0][0], images[1][0], f"{file}:as_published=true")
    assert torch.equal(fused, irvis.create(f"{file}:as_published=true")(*images)[0])


def test_a_file_of_ours_says_what_it_is_for(tmp_path):
    from irvis import weights

    fuser = made("seafusion")
    weights.save(tmp_path / "ours.safetensors", fuser.core, method="seafusion", options=fuser.options)
    assert irvis.create(str(tmp_path / "ours.safetensors")).options == {"width": 4}


class Harmful:
    def __reduce__(self):
        return (print, ("code ran",))


@torch.no_grad()
def test_a_converted_file_fuses_as_the_authors_file_does(tmp_path):
    torch.save({"net": irvis.create("seafusion", weights=None).core.state_dict()}, tmp_path / "theirs.pth")
    assert convert(tmp_path / "theirs.pth", tmp_path / "ours.safetensors") == "seafusion"
    images = torch.rand(1, 3, 20, 30), torch.rand(1, 1, 20, 30)
    theirs, ours = (irvis.create(str(tmp_path / name)) for name in ("theirs.pth", "ours.safetensors"))
    assert torch.equal(ours(*images), theirs(*images))
    with pytest.raises(irvis.IrvisError, match="holds weights of seafusion, not of tardal"):
        convert(tmp_path / "theirs.pth", tmp_path / "ours.safetensors", "tardal")


def test_files_that_are_no_network_are_refused_in_one_line(tmp_path, capsys):
    state = irvis.create("seafusion", weights=None).core.state_dict()
    torch.save({"a": torch.zeros(2)}, tmp_path / "other.pth")
    torch.save({"weight": state, "more": Harmful()}, tmp_path / "code.pth")
    torch.save({k: v for k, v in state.items() if "vis_" not in k}, tmp_path / "half.pth")
    del state["decode1.conv.bias"]
    torch.save(state, tmp_path / "lacks.pth")
    save_file({"vis_rgbd1.sobelconv.convx.weight": torch.zeros(2)}, tmp_path / "one.safetensors")
    (tmp_path / "broken.pth").write_bytes(b"not a file of weights")
    (tmp_path / "plain.pth").write_bytes(pickle.dumps([1, 2], protocol=2))
    for name, words in {
        "other.pth": "holds no network that irvis knows",
        "code.pth": r"code would have to run \(.*print\).*state_dict",
        "half.pth": "nearest is seafusion, of which it lacks vis_",
        "lacks.pth": "decode1.conv.bias",
        "one.safetensors": "do not fit",
        "broken.pth": "not a readable",
        "plain.pth": "not a readable",
    }.items():
        with pytest.raises(irvis.IrvisError, match=words) as refusal:
            irvis.create(str(tmp_path / name))
        assert "\n" not in str(refusal.value), name
    assert "code ran" not in capsys.readouterr().out


def test_the_network_of_a_part_is_named_as_the_nearest(tmp_path):
    state = made("rfnnest").core.rfn.state_dict()
    del state["fusion_block4.bottelblock.2.conv2d.weight"]
    torch.save(state, tmp_path / "half.model")
    with pytest.raises(irvis.IrvisError, match="nearest is rfnnest, of which it lacks "):
        irvis.create(str(tmp_path / "half.model"))


def test_the_command_line_takes_files_beside_names(tmp_path):
    from PIL import Image

    from irvis.cli import main

    torch.save(irvis.create("seafusion", weights=None).core.state_dict(), tmp_path / "SeAFusion.pth")
    for side, mode, colour in (("vis", "RGB", (90, 60, 30)), ("ir", "L", 90)):
        (tmp_path / side).mkdir()
        Image.new(mode, (24, 20), colour).save(tmp_path / side / "a.png")
    asked = f"{tmp_path / 'SeAFusion.pth'},average"
    with suppress(SystemExit):
        main(["fuse", str(tmp_path / "vis"), str(tmp_path / "ir"), "-o", str(tmp_path / "out"), "-m", asked])
    assert len(list((tmp_path / "out").rglob("a.png"))) == 2


def test_a_network_without_its_file_says_where_the_file_is():
    with pytest.raises(
        irvis.IrvisError, match=r"get Checkpoint/SeAFusion/SeAFusion.pth from github.com.*-m seafusion:FILE"
    ):
        irvis.create("seafusion")


def test_a_file_of_another_network_is_named(tmp_path):
    torch.save(irvis.create("seafusion", weights=None).core.state_dict(), tmp_path / "x.pth")
    with pytest.raises(irvis.IrvisError, match="not a safetensors"):
        irvis.create("encdec", weights=tmp_path / "x.pth")


@torch.no_grad()
def test_dlf_takes_images_apart_and_puts_them_together_and_equal_images_stay():
    from irvis.methods.zoo import dlf

    flat, images = torch.full((1, 1, 40, 50), 0.3), torch.rand(2, 1, 41, 53)
    torch.testing.assert_close(dlf.base(flat), flat)
    # What least squares demands: base - 5 × its Laplacian = image, where the border is far.
    base = dlf.base(images)
    slopes = torch.nn.functional.conv2d(base, torch.tensor([[[[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]]]))
    torch.testing.assert_close((base[..., 1:-1, 1:-1] - 5 * slopes), images[..., 1:-1, 1:-1], rtol=0, atol=1e-5)
    torch.testing.assert_close(made("dlf").core.raw(images, images), images, rtol=0, atol=1e-5)


@torch.no_grad()
def test_whitened_channels_have_the_identity_for_the_covariance_of_their_rows():
    from irvis.methods.zoo.resnet_zca import whitened

    features = 100 * torch.rand(1, 2, 5, 40)
    features[:, 1] = 0
    white = whitened(features)
    identity = torch.eye(5, dtype=torch.float64)
    torch.testing.assert_close(white[0, 0] @ white[0, 0].T, identity, rtol=0, atol=1e-5)
    assert (white[0, 1] == 0).all()


@torch.no_grad()
def test_a_network_for_pictures_of_many_things_is_known_as_what_dlf_and_resnet_zca_need(tmp_path):
    for name in ("dlf", "resnet-zca"):
        state = made(name).core.state_dict()
        torch.save({**state, "fc.weight": torch.zeros(2), "classifier.0.weight": torch.zeros(2)}, tmp_path / "some.pth")
        assert parse(str(tmp_path / "some.pth"))[0] == name


def test_what_is_known_of_a_network_is_told(capsys):
    from irvis.cli import main

    with suppress(SystemExit):
        main(["methods", "seafusion"])
    told = " ".join(capsys.readouterr().out.split())
    for words in ("2022", "10.1016/j.inffus.2021.12.004", "682,043 bytes", "166,657", "VIF-Benchmark", "MIT"):
        assert words in told, words
    file = listing.facts(METHODS["seafusion"])["files"][0]
    assert file["sha256"].startswith("8d65a7f9")
    assert listing.facts(METHODS["deepfuse"])["files"] == [{"path": "", "size": 0, "sha256": ""}]


def test_the_table_of_published_networks_is_made_of_the_registry():
    text = (Path(__file__).parents[1] / "docs" / "methods" / "zoo.md").read_text()
    for name in ZOO:
        facts = METHODS[name].published
        row = next((line for line in text.split("\n") if line.startswith(f"| `{name}` · ")), "")
        assert f"| {facts.year} |" in row, "run: python benchmarks/zoo.py"
        assert all(words in row for words in (facts.licence, facts.source, facts.title)), name
        assert all(f"`{file.path}`" in row for file in facts.files if file.path), name
