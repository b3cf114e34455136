"""What came from which camera: shares that add up, exact where a network tells, estimated where it does not."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

import irvis
from irvis import explanation_sheet, jobs
from irvis.cli import main
from irvis.color import luma
from irvis.data.matching import Match
from irvis.errors import IrvisError
from irvis.explanation import LEVELS, Explanation, collapsed, contributions, explained
from irvis.explanation_sheet import WIDTH
from irvis.fuser import Fuser
from pictures import noise, save

SIZES = [(96, 128), (61, 47), (1, 1), (33, 200)]
SMALL = 240


@pytest.fixture(scope="module")
def network() -> Fuser:
    torch.manual_seed(0)
    made = irvis.create("encdec", weights=None, width=4, output="gains")
    for parameter in made.core.gains.parameters():  # far from the even start
        torch.nn.init.normal_(parameter, std=0.2)
    return made


def pair(height: int = 61, width: int = 47, count: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    one = torch.cat([noise(height, width, 3, n) for n in range(count)])
    two = torch.cat([noise(height, width, 1, 9 + n) for n in range(count)])
    return one, two


def halves(visible: torch.Tensor, infrared: torch.Tensor) -> Explanation:
    """Of an average."""
    return explained(irvis.create("average"), visible, infrared)


@pytest.mark.parametrize("method", ["average", "laplacian", "encdec:default", "encdec:tiny"])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_shares_lie_between_0_and_1_and_add_up_to_1_at_every_size(method, height, width):
    found = irvis.explain(*pair(height, width), method)
    assert found.infrared_share.shape == found.amount.shape == (1, LEVELS + 1, height, width)
    assert found.fused.shape == (1, 3, height, width)
    assert 0 <= found.infrared_share.min() <= found.infrared_share.max() <= 1
    torch.testing.assert_close(found.infrared_share + found.visible_share, torch.ones_like(found.amount))
    assert found.amount.min() >= 0
    assert found.exact == method.startswith("encdec")


def test_the_bands_that_a_network_of_gains_explains_rebuild_its_fused_picture(network):
    visible, infrared = pair(64, 96, 2)
    parts, exact = contributions(network.core, luma(visible), infrared, luma(visible))
    rebuilt = collapsed([part.sum(1, keepdim=True) for part in parts])
    assert exact
    torch.testing.assert_close(rebuilt, network.core(luma(visible), infrared), atol=1e-5, rtol=0)


def test_the_fused_picture_of_an_explanation_is_the_one_that_fuse_gives(network):
    visible, infrared = pair()
    assert torch.equal(explained(network, visible, infrared).fused, network(visible, infrared))
    assert torch.equal(
        irvis.explain(visible, infrared, "encdec:tiny").fused, irvis.fuse(visible, infrared, "encdec:tiny")
    )


@pytest.mark.parametrize(("method", "share"), [("visible", 0.0), ("infrared", 1.0)])
def test_one_camera_alone_has_all_of_it(method, share):
    found = irvis.explain(*pair(96, 96), method)
    assert (found.infrared_share[:, :-1] - share).abs().mean() < 0.02
    assert (found.infrared_share[:, -1] - share).abs().mean() < 0.02


def test_what_the_estimate_says_of_an_average_is_what_an_average_does():
    visible, infrared = pair(96, 96)
    weak = halves(visible, 0.5 + 0.2 * (infrared - 0.5))
    found = halves(visible, infrared)
    assert 0.4 < found.infrared_share[:, 0].mean() < 0.7  # luma of three colours has less noise than one channel
    assert weak.infrared_share[:, 0].mean() < found.infrared_share[:, 0].mean() - 0.1


def test_a_thing_that_one_camera_alone_shows_is_said_to_come_from_it(network):
    spot = torch.zeros(1, 1, 96, 96)
    spot[..., 40:56, 40:56] = 0.5
    plain = torch.full((1, 3, 96, 96), 0.3)
    for fuser in (network, irvis.create("laplacian"), irvis.create("encdec")):
        warm = explained(fuser, plain, 0.3 + spot).infrared_share[0, 0, 40, 48]
        seen = explained(fuser, plain + spot, torch.full_like(spot, 0.3)).infrared_share[0, 0, 40, 48]
        assert seen < 0.05
        assert warm > 0.95


@pytest.mark.parametrize("method", ["average", "encdec"])
def test_a_constant_pair_has_no_detail_and_all_brightness(method):
    found = irvis.explain(torch.full((3, 40, 50), 0.25), torch.full((1, 40, 50), 0.75), method)
    assert found.amount[:, :-1].max() < 2e-3
    assert (found.infrared_share[:, :-1][found.amount[:, :-1] < 1e-9] == 0.5).all()
    torch.testing.assert_close(found.amount[:, -1], luma(found.fused)[:, 0], atol=0.01, rtol=0)


def test_a_pair_is_explained_alike_alone_and_in_a_batch(network):
    visible, infrared = pair(count=3)
    all_ = explained(network, visible, infrared)
    alone = explained(network, visible[1:2], infrared[1:2])
    torch.testing.assert_close(all_.infrared_share[1:2], alone.infrared_share, atol=1e-4, rtol=0)
    torch.testing.assert_close(all_.amount[1:2], alone.amount, atol=1e-5, rtol=0)


def test_where_infrared_saw_nothing_all_comes_from_the_visible_camera(network):
    visible, infrared = pair(64, 128)
    valid = torch.ones(1, 1, 64, 128)
    valid[..., 64:] = 0
    for fuser in (network, irvis.create("infrared")):
        shares = explained(fuser, visible, infrared, valid).infrared_share
        assert shares[:, :2, :, 96:].max() < 0.1
        assert shares[:, :2, :, :32].mean() > 0.3


def test_gray_arrays_colour_arrays_paths_and_pillow_images_are_explained(tmp_path):
    random = np.random.default_rng(0)
    colour, gray = (random.integers(0, 256, shape, np.uint8) for shape in ((40, 50, 3), (40, 50)))
    paths = save(tmp_path / "v.png", colour), save(tmp_path / "i.png", gray)
    found = [irvis.explain(*one, "average").infrared_share
             for one in ((colour, gray), paths, tuple(map(Pillow.fromarray, (colour, gray))))]  # fmt: skip
    assert all(torch.equal(one, found[0]) for one in found)
    assert irvis.explain(gray, gray, "average").infrared_share.shape == (1, 6, 40, 50)


def test_planes_of_large_pictures_are_made_no_larger_than_asked(network):
    visible, infrared = pair(70, 200)
    small = explained(network, visible, infrared, longest=100)
    whole = explained(network, visible, infrared)
    assert small.infrared_share.shape == (1, 6, 35, 100)
    torch.testing.assert_close(small.amount.mean(), whole.amount.mean(), rtol=0.05, atol=0)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_the_sheet_of_any_size_is_drawn_and_told_apart_by_colour(network, height, width):
    page = explained(network, *pair(height, width)).picture("night")
    assert page.width == WIDTH
    assert page.mode == "RGB"


def test_the_sheet_is_blue_where_the_visible_camera_leads_and_orange_where_infrared_does():
    planes = torch.ones(1, 6, 40, 40)
    for share, strong, weak in ((0.0, 2, 0), (1.0, 0, 2)):
        page = np.asarray(Explanation(torch.zeros(1, 3, 40, 40), share * planes, planes, True).picture())
        lower = page[-200:].reshape(-1, 3).astype(float)
        coloured = lower[np.ptp(lower, 1) > 50]
        assert len(coloured) > 1000
        assert coloured[:, strong].mean() > coloured[:, weak].mean() + 100


# ------------------------------------------------------------------------------------- the command line


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(explanation_sheet, "WIDTH", SMALL)  # drawn sooner
    random = np.random.default_rng(0)
    for folder, shape in (("vi", (33, 40, 3)), ("ir", (33, 40))):
        (tmp_path / folder).mkdir()
        for name in "ab":
            save(tmp_path / folder / f"{name}.png", random.integers(0, 255, shape, np.uint8))
    return tmp_path


def run(text: str) -> int:
    try:
        main(["fuse", *text.split()])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def test_a_pair_is_explained_beside_its_result(place):
    assert run("vi/a.png ir/a.png -o out/fused.jpg -m average --explain") == 0
    assert {path.name for path in (place / "out").iterdir()} == {"fused.jpg", "fused.explain.png"}
    assert Pillow.open(place / "out" / "fused.explain.png").width == SMALL


def test_folders_and_several_methods_are_explained_each_beside_its_result(place):
    assert run("vi ir -o out -m average,encdec:tiny --explain --batch 2") == 0
    names = {str(path.relative_to(place / "out")) for path in (place / "out").rglob("*.explain.png")}
    assert names == {f"{method}/{name}.explain.png" for method in ("average", "encdec-tiny") for name in "ab"}


def test_explanations_are_not_overwritten_are_resumed_and_are_replaced_when_asked(place, capsys):
    explanation, fused = place / "out" / "a.explain.png", place / "out" / "a.png"
    assert run("vi ir -o out -m average") == 0
    save(explanation, np.zeros((4, 4), np.uint8))
    fused.unlink()
    (place / "out" / "b.png").unlink()
    assert run("vi ir -o out -m average --explain") != 0
    assert "a.explain.png exists" in capsys.readouterr().err.replace("\n", "")
    assert run("vi ir -o out -m average --explain --if-exists overwrite") == 0
    assert Pillow.open(explanation).width == SMALL
    explanation.write_bytes(explanation.read_bytes()[:500])
    assert run("vi ir -o out -m average --explain --if-exists skip") == 0
    assert "1 were there already" in capsys.readouterr().out
    assert Pillow.open(explanation).width == SMALL


@pytest.mark.parametrize("words", ["--tile 64", "--memory 1GB", "--ray"])
def test_what_computes_in_parts_says_that_it_cannot_be_explained(place, capsys, words):
    assert run(f"vi ir -o out -m average --explain {words}") != 0
    assert f"leave out {words.split()[0]}" in capsys.readouterr().err.replace("\n", " ")
    assert not (place / "out").exists()


def test_videos_say_that_they_cannot_be_explained(place, capsys):
    assert run("vi.mp4 ir.mp4 -o out.mp4 --explain") != 0
    assert "--explain is for pictures" in capsys.readouterr().err.replace("\n", " ")


def test_an_explanation_is_never_written_over_an_input(place):
    save(place / "vi" / "a.explain.png", np.zeros((4, 4), np.uint8))
    writing = jobs.Writing(out=place / "vi" / "a.tiff", one_file=True, explain=True, if_exists="overwrite")
    match = Match("a", place / "vi" / "a.explain.png", place / "ir" / "a.png")
    with pytest.raises(IrvisError, match="is an input"):
        jobs.refuse([match], ["average"], writing)
