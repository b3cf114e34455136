"""Where public data sets keep their pairs: folders as the authors ship them, made here of empty files."""

from operator import attrgetter
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from irvis.data.catalog import LAYOUTS, detect, find
from irvis.data.flir import FLIR_HOMOGRAPHY, register_flir
from irvis.errors import IrvisError

TNO = """
Athena_images/2_men_in_front_of_house/VIS_meting003_r.bmp Athena_images/2_men_in_front_of_house/IR_meting003_g.bmp
Athena_images/airplane_in_trees/vis.bmp Athena_images/airplane_in_trees/ir.bmp
Athena_images/APC_1/view_1/VIS_fk_06_005.bmp Athena_images/APC_1/view_1/IR_fk_06_005.bmp
Athena_images/APC_2/view_1/1_fk_ge_03_005.bmp Athena_images/APC_2/view_1/2_fk_ge_03_005.bmp
Athena_images/APC_4/VIS_fennek01_005.bmp Athena_images/APC_4/IR_fennek01_005.bmp
Athena_images/bunker/bunker_r.bmp Athena_images/bunker/IR_bunker_g.bmp
Athena_images/heather/VIS_hei_vis_r.bmp Athena_images/heather/IR_hei_vis_g.bmp
Athena_images/helicopter/VIS_helib_011.bmp Athena_images/helicopter/IR_helib_011.bmp
Triclobs_images/barbed_wire_1/R_Vis.tif Triclobs_images/barbed_wire_1/B_LWIR.tif
Triclobs_images/barbed_wire_2/a_VIS-MarnehNew_24RGB_1110.tif Triclobs_images/barbed_wire_2/c_LWIR-MarnehNew_24RGB_1110.tif
Triclobs_images/Bosnia/VIS_R.bmp Triclobs_images/Bosnia/LWIR_B.bmp
Triclobs_images/Farm/Farm_Vis.bmp Triclobs_images/Farm/Farm_IR.bmp
Triclobs_images/houses_with_3_men/VIS.bmp Triclobs_images/houses_with_3_men/LWIR.bmp
Triclobs_images/Kaptein_01/Vis01.bmp Triclobs_images/Kaptein_01/IR01.bmp
Triclobs_images/soldier_behind_smoke/VIS-MarnehNew_15RGB_603.tif Triclobs_images/soldier_behind_smoke/LWIR-MarnehNew_15RGB_603.tif
DHV_images/bench/VIS_37dhvR.bmp DHV_images/bench/IR_37rad.bmp
DHV_images/wall/VIS_163dhvR.BMP DHV_images/wall/IR_163rad.bmp
DHV_images/Fire_sequence/part_1/dhv/DHV2.bmp DHV_images/Fire_sequence/part_1/thermal/RAD2.bmp
DHV_images/Fire_sequence/part_2/dhv/DHVheli0.bmp DHV_images/Fire_sequence/part_2/rad/RADheli0.bmp
FEL_images/Duine_sequence/visual/7400v.bmp FEL_images/Duine_sequence/thermal/7400i.bmp
tank/Vis.tif tank/LWIR.tif
"""  # noqa: E501
NEAR_INFRARED = [f"Triclobs_images/{name}.bmp" for name in ("Farm/Farm_II", "Kaptein_01/NIR01", "Balls/NIR")]

SHIPPED = {
    "flir": [
        ("train/RGB/FLIR_00001.jpg", "train/thermal_8_bit/FLIR_00001.jpeg"),
        ("val/RGB/FLIR_08863.jpg", "val/thermal_8_bit/FLIR_08863.jpeg"),
        ("video/RGB/FLIR_00001.jpg", "video/thermal_8_bit/FLIR_00001.jpeg"),
    ],
    "flir-aligned": [("JPEGImages/FLIR_00002_RGB.jpg", "JPEGImages/FLIR_00002_PreviewData.jpeg")],
    "kaist": [
        ("images/set00/V000/visible/I00019.jpg", "images/set00/V000/lwir/I00019.jpg"),
        ("images/set01/V000/visible/I00019.jpg", "images/set01/V000/lwir/I00019.jpg"),
        ("images/set11/V001/visible/I00039.jpg", "images/set11/V001/lwir/I00039.jpg"),
    ],
    "tno": [tuple(line.split()) for line in TNO.strip().splitlines()],
    "roadscene": [("crop_LR_visible/FLIR_00006.jpg", "cropinfrared/FLIR_00006.jpg")],
    "roadscene-hr": [("crop_HR_visible/FLIR_00006.jpg", "cropinfrared/FLIR_00006.jpg")],
    "msrs": [("train/vi/00001D.png", "train/ir/00001D.png"), ("test/vi/00004N.png", "test/ir/00004N.png")],
    "llvip": [
        ("visible/train/010001.jpg", "infrared/train/010001.jpg"),
        ("visible/test/190001.jpg", "infrared/test/190001.jpg"),
    ],
    "m3fd": [
        ("M3FD_Fusion/Vis/00001.png", "M3FD_Fusion/Ir/00001.png"),
        ("Challenge/Beach/Vis/01863.png", "Challenge/Beach/Ir/01863.png"),
    ],
    "vifb": [("input/VI/carLight.jpg", "input/IR/carLight.jpg")],
}
BESIDE = {
    "flir": ["train/thermal_annotations.json", "train/annotated_thermal_8_bit/FLIR_00001.jpeg"],
    "flir-aligned": ["AnnotatedImages/FLIR_00002_RGB.jpg", "Annotations/FLIR_00002_PreviewData.xml"],
    "kaist": ["images/set00/V000/visible/I00020.jpg", "images/set00/V000/lwir/I00020.jpg"],
    "tno": ["README.txt", *NEAR_INFRARED],
    "roadscene": ["crop_HR_visible/FLIR_00006.jpg"],
    "msrs": ["train/Segmentation_labels/00001D.png", "detection/vi/1.png", "detection/ir/1.png"],
    "llvip": ["Annotations/010001.xml"],
    "m3fd": ["Challenge/Beach/Annotation/01863.xml"],
    "vifb": ["fused_images/carLight_CBF.jpg"],
}

NAMES = attrgetter("name")
EVERY = pytest.mark.parametrize("layout", LAYOUTS, ids=NAMES)


def shipped(root: Path, name: str) -> Path:
    for path in [*(path for pair in SHIPPED[name] for path in pair), *BESIDE.get(name, [])]:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    return root


@EVERY
def test_every_record_finds_exactly_the_pairs_of_its_set(tmp_path: Path, layout):
    found = find(shipped(tmp_path, layout.name), layout.name)
    places = [(pair.visible, pair.infrared) for pair in found.pairs]
    assert len(places) == len(set(places))
    assert set(places) == {(tmp_path / a, tmp_path / b) for a, b in SHIPPED[layout.name]}
    assert len({pair.name for pair in found.pairs}) == len(found.pairs)
    assert (found.only_visible, found.only_infrared) == ((), ())


@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS if layout.detect], ids=NAMES)
def test_every_record_is_known_by_its_folders(tmp_path: Path, layout):
    root = shipped(tmp_path, layout.name)
    assert detect(root) is layout
    assert find(root) == find(root, layout.name)


@EVERY
def test_every_record_says_where_it_comes_from(layout):
    assert layout.url.startswith("https://")
    assert layout.terms
    assert layout.paper
    assert [other.name for other in LAYOUTS].count(layout.name) == 1


@pytest.mark.parametrize("layout", [layout for layout in LAYOUTS if layout.splits], ids=NAMES)
def test_the_splits_together_are_the_whole_set(tmp_path: Path, layout):
    root = shipped(tmp_path, layout.name)
    parts = [pair.name for split in layout.splits for pair in find(root, split=split).pairs]
    assert sorted(parts) == sorted(pair.name for pair in find(root).pairs)
    assert len(parts) == len(SHIPPED[layout.name])


def test_names_start_with_the_folder_of_the_split(tmp_path: Path):
    root = shipped(tmp_path, "flir")
    assert [p.name for p in find(root).pairs] == ["train/FLIR_00001", "val/FLIR_08863", "video/FLIR_00001"]


def test_a_visible_frame_without_its_thermal_frame_is_reported(tmp_path: Path):
    lonely = tmp_path / "train/RGB/FLIR_00002.jpg"
    shipped(tmp_path, "flir")
    lonely.touch()
    assert find(tmp_path).only_visible == (lonely,)


def test_kaist_keeps_every_twentieth_frame_and_thinning_twice_is_thinning_once(tmp_path: Path):
    for side in ("visible", "lwir"):
        (tmp_path / "set06/V000" / side).mkdir(parents=True)
        for number in range(60):
            (tmp_path / "set06/V000" / side / f"I{number:05}.png").touch()
    assert [pair.name[-3:] for pair in find(tmp_path).pairs] == ["019", "039", "059"]
    assert len(find(tmp_path, thin=1).pairs) == 60
    kept = {pair.visible.name for pair in find(tmp_path).pairs}
    for path in tmp_path.rglob("*.png"):
        if path.name not in kept:
            path.unlink()
    assert len(find(tmp_path).pairs) == 3


def test_a_folder_of_no_public_set_is_matched_as_any_other(tmp_path: Path):
    for path in ("vi/1.png", "ir/1.png"):
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).touch()
    assert detect(tmp_path) is None
    assert [pair.name for pair in find(tmp_path).pairs] == ["1"]
    with pytest.raises(IrvisError, match="split is for these only"):
        find(tmp_path, split="train")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"layout": "nope"}, "choose flir"),
        ({"layout": "msrs", "split": "val"}, "no split val .it has train, test"),
        ({"layout": "llvip"}, "no pair of llvip"),
        ({"layout": "kaist", "thin": 0}, "1 or more"),
    ],
)
def test_what_does_not_fit_is_an_error_that_says_what_does(tmp_path: Path, arguments, says: str):
    with pytest.raises(IrvisError, match=says):
        find(shipped(tmp_path, "kaist"), **arguments)


def test_a_folder_that_looks_like_two_sets_is_an_error(tmp_path: Path):
    with pytest.raises(IrvisError, match="msrs and vifb"):
        find(shipped(shipped(tmp_path, "msrs"), "vifb"))


def pattern(x: Tensor, y: Tensor) -> Tensor:
    """Smooth, without symmetry, within [0, 1]."""
    return 0.5 + 0.25 * torch.sin(7 * x + 3 * y) + 0.25 * torch.cos(5 * y - 4 * x * y)


def places(height: int, width: int) -> tuple[Tensor, Tensor]:
    rows, columns = (torch.arange(height) + 0.5) / height, (torch.arange(width) + 0.5) / width
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    return x, y


@pytest.mark.parametrize(("height", "width", "border"), [(1600, 1800, 200), (480, 720, 50), (512, 640, 50)])
def test_registration_shows_each_visible_pixel_the_thermal_scene_behind_it(height, width, border):
    x, y = places(512, 640)
    registered = register_flir(torch.rand(1, 3, height, width), pattern(x, y)[None, None])[1]
    x, y = places(height, width)
    h = torch.tensor(FLIR_HOMOGRAPHY)
    depth = h[2, 0] * x + h[2, 1] * y + h[2, 2]
    u, v = (h[0, 0] * x + h[0, 1] * y + h[0, 2]) / depth, (h[1, 0] * x + h[1, 1] * y + h[1, 2]) / depth
    inner = slice(border, -border)
    seen = ((u > 0.01) & (u < 0.99) & (v > 0.01) & (v < 0.99))[inner, inner]
    error = (registered[0, 0] - pattern(u, v)[inner, inner]).abs()
    assert error[seen].max() < 0.01
    assert seen.float().mean() > (0.999 if border == 200 else 0.8)


@given(height=st.integers(101, 160), width=st.integers(101, 160))
def test_registration_cuts_50_px_off_every_side_of_a_small_frame(height: int, width: int):
    visible, infrared = torch.rand(1, 3, height, width), torch.rand(1, 1, 64, 80)
    cut, warped = register_flir(visible, infrared)
    assert torch.equal(cut, visible[..., 50:-50, 50:-50])
    assert warped.shape == (1, 1, height - 100, width - 100)
    assert 0 <= warped.min() <= warped.max() <= 1


def test_a_million_pixels_are_the_border_between_the_two_crops():
    for width, border in ((999, 50), (1000, 200)):
        cut, warped = register_flir(torch.rand(1, 3, 1000, width), torch.rand(1, 1, 64, 80))
        assert cut.shape[-2:] == warped.shape[-2:] == (1000 - 2 * border, width - 2 * border)


def test_a_frame_too_small_to_be_cut_is_an_error():
    with pytest.raises(IrvisError, match="too small"):
        register_flir(torch.rand(1, 3, 100, 300), torch.rand(1, 1, 64, 80))
