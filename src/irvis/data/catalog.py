"""Where public data sets keep their pairs, as their authors publish them. Nothing is downloaded.

`find("datasets/MSRS", split="test")` knows the set by its folders. Every record names its source.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from irvis.data.flir import register_flir
from irvis.data.matching import Match, Matches, match, match_starred, natural
from irvis.errors import IrvisError
from irvis.types import RGB, Gray

Globs = tuple[tuple[str, str], ...]
FOLDER = r"(.*)/"
"""Pairs of one sub-folder show one scene."""
Register = Callable[[RGB, Gray], tuple[RGB, Gray]]


@dataclass(frozen=True, kw_only=True)
class Layout:
    """One public data set: (visible, infrared) globs whose wildcards stand for the same text in a pair."""

    name: str
    globs: Globs
    splits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Folders that take the place of {split} in the globs."""
    registered: bool
    """Pixels correspond but for a few pixels (TNO, LLVIP: up to 4); otherwise align first."""
    register: Register | None = None
    """Brings a pair of the set into one frame, where one fixed transform does."""
    thin: int = 1
    """Of a sequence, keep frames thin-1, 2 thin-1, …: neighbours are nearly the same image."""
    scene: str = FOLDER
    """Regular expression for the part of a pair's name that says its scene; empty where names do not say it."""
    detect: bool = True
    """Found by its folders; otherwise only by name."""
    terms: str
    paper: str
    url: str
    """Where the layout was read."""


TNO_GLOBS: Globs = (
    ("tank/Vis.*", "tank/LWIR.*"),
    ("Athena_images/*/VIS_*_r.*", "Athena_images/*/IR_*_g.*"),
    ("Athena_images/**/VIS_*.*", "Athena_images/**/IR_*.*"),
    ("Athena_images/*/bunker_r.*", "Athena_images/*/IR_bunker_g.*"),
    ("Athena_images/*/vis.*", "Athena_images/*/ir.*"),
    ("Athena_images/*/view_*/1_*.*", "Athena_images/*/view_*/2_*.*"),
    ("Triclobs_images/*/VIS.*", "Triclobs_images/*/LWIR.*"),
    ("Triclobs_images/*/VIS_R.*", "Triclobs_images/*/LWIR_B.*"),
    ("Triclobs_images/*/R_Vis.*", "Triclobs_images/*/B_LWIR.*"),
    ("Triclobs_images/*/a_VIS-*.*", "Triclobs_images/*/c_LWIR-*.*"),
    ("Triclobs_images/*/VIS-*.*", "Triclobs_images/*/LWIR-*.*"),
    ("Triclobs_images/*/*_Vis.*", "Triclobs_images/*/*_IR.*"),
    ("Triclobs_images/*/Vis*.*", "Triclobs_images/*/IR*.*"),
    ("DHV_images/*/VIS_*dhvR.*", "DHV_images/*/IR_*rad.*"),
    ("DHV_images/*/part_*/dhv/DHV*.*", "DHV_images/*/part_*/thermal/RAD*.*"),
    ("DHV_images/*/part_*/dhv/DHV*.*", "DHV_images/*/part_*/rad/RAD*.*"),
    ("FEL_images/*/visual/*v.*", "FEL_images/*/thermal/*i.*"),
)
"""Every camera, and within one the scenes, name their files their own way."""

LAYOUTS = (
    Layout(
        name="flir",
        globs=(("{split}/RGB/*", "{split}/thermal_8_bit/*"),),
        splits={"train": ("train",), "val": ("val",), "video": ("video",)},
        registered=False,
        scene="",
        register=register_flir,
        terms="FLIR's terms of service, accepted at download",
        paper="FLIR Thermal Starter Dataset 1.3, 2018",
        url="https://www.flir.com/oem/adas/adas-dataset-form/",
    ),
    Layout(
        name="flir-aligned",
        globs=(("JPEGImages/*_RGB.*", "JPEGImages/*_PreviewData.*"),),
        registered=True,
        terms="those of FLIR ADAS 1.3, of which it is a part",
        paper="Zhang et al., Multispectral Fusion … with Cyclic Fuse-and-Refine Blocks, 2020",
        url="https://github.com/zhanghengdev/CFR",
    ),
    Layout(
        name="kaist",
        globs=(
            ("images/{split}/*/visible/*", "images/{split}/*/lwir/*"),
            ("{split}/*/visible/*", "{split}/*/lwir/*"),
        ),
        splits={
            "train": tuple(f"set{number:02}" for number in range(6)),
            "test": tuple(f"set{number:02}" for number in range(6, 12)),
        },
        registered=True,
        thin=20,
        terms="CC BY-NC-SA 4.0",
        paper="Hwang et al., Multispectral Pedestrian Detection: Benchmark Dataset and Baseline, 2015",
        url="https://github.com/SoonminHwang/rgbt-ped-detection",
    ),
    Layout(
        name="tno",
        globs=TNO_GLOBS,
        registered=True,
        terms="free for research with credit to TNO and the data set cited",
        paper="Toet, TNO Image Fusion Dataset, 2014",
        url="https://figshare.com/articles/dataset/TNO_Image_Fusion_Dataset/1008029",
    ),
    Layout(
        name="roadscene",
        globs=(("crop_LR_visible/*", "cropinfrared/*"),),
        registered=True,
        terms="none stated; cite the paper; the frames are FLIR's",
        paper="Xu et al., FusionDN: A Unified Densely Connected Network for Image Fusion, 2020",
        url="https://github.com/hanna-xu/RoadScene",
    ),
    Layout(
        name="roadscene-hr",
        globs=(("crop_HR_visible/*", "cropinfrared/*"),),
        registered=False,
        detect=False,
        terms="none stated; cite the paper; the frames are FLIR's",
        paper="Xu et al., FusionDN: A Unified Densely Connected Network for Image Fusion, 2020",
        url="https://github.com/hanna-xu/RoadScene",
    ),
    Layout(
        name="msrs",
        globs=(("{split}/vi/*", "{split}/ir/*"),),
        splits={"train": ("train",), "test": ("test",)},
        registered=True,
        scene="",
        terms="none stated; cite the paper",
        paper="Tang et al., PIAFusion, 2022",
        url="https://github.com/Linfeng-Tang/MSRS",
    ),
    Layout(
        name="llvip",
        globs=(("visible/{split}/*", "infrared/{split}/*"),),
        splits={"train": ("train",), "test": ("test",)},
        registered=True,
        scene=r"(?:train/|test/)?\d\d",
        terms="non-commercial, with reference to the set; no identification of persons",
        paper="Jia et al., LLVIP: A Visible-infrared Paired Dataset for Low-light Vision, 2021",
        url="https://github.com/bupt-ai-cz/LLVIP",
    ),
    Layout(
        name="m3fd",
        globs=(("Vis/*", "Ir/*"), ("*/Vis/*", "*/Ir/*"), ("*/*/Vis/*", "*/*/Ir/*")),
        registered=True,
        terms="none stated; cite the paper",
        paper="Liu et al., Target-aware Dual Adversarial Learning, 2022",
        url="https://github.com/JinyuanLiu-CV/TarDAL",
    ),
    Layout(
        name="vifb",
        globs=(("input/VI/*", "input/IR/*"),),
        registered=True,
        terms="none stated; cite the paper; images come from several public sets",
        paper="Zhang et al., VIFB: A Visible and Infrared Image Fusion Benchmark, 2020",
        url="https://github.com/xingchenzhang/VIFB",
    ),
)


def find(root: str | Path, layout: str | None = None, split: str | None = None, *, thin: int | None = None) -> Matches:
    """Pairs of a public data set under `root`; of any other folder, what `match` finds in it.

    Without `split`, all splits are taken; names start with the split's folder (`train/FLIR_00001`). `thin=1`
    keeps every frame where the record thins. Raises IrvisError for unknown names and folders that do not fit.
    """
    folder = Path(root).expanduser()
    if not folder.is_dir():
        raise IrvisError(f"{folder}: no such folder.")
    record = record_of(folder, layout)
    if record is None:
        if split is not None:
            known = ", ".join(record.name for record in LAYOUTS)
            raise IrvisError(f"{folder} is none of {known}: split is for these only.")
        return match(folder)
    return _thinned(_gathered(folder, record, split), record.thin if thin is None else thin)


def record_of(root: str | Path, layout: str | None = None) -> Layout | None:
    """The record that `find` goes by; None for any other folder."""
    return detect(Path(root).expanduser()) if layout is None else named(layout)


def named(name: str) -> Layout:
    """The record of that name."""
    for record in LAYOUTS:
        if record.name == name:
            return record
    raise IrvisError(f"No layout is called {name}: choose {', '.join(record.name for record in LAYOUTS)}.")


def detect(root: Path) -> Layout | None:
    """The one record whose folders are there, with a file on both sides."""
    found = [record for record in LAYOUTS if record.detect and _parts_there(root, record, None)]
    if len(found) > 1:
        raise IrvisError(f"{root} looks like {' and '.join(record.name for record in found)}: name the layout.")
    return found[0] if found else None


def _parts_there(root: Path, record: Layout, split: str | None) -> list[str]:
    """Those folders of the split that have files of both sides; [""] where the record has no splits."""
    if split is not None and split not in record.splits:
        raise IrvisError(f"{record.name} has no split {split} (it has {', '.join(record.splits) or 'none'}).")
    chosen = [split] if split is not None else list(record.splits)
    parts = [part for key in chosen for part in record.splits[key]] or [""]

    def there(part: str) -> bool:
        return any(all(any(root.glob(side.format(split=part))) for side in pair) for pair in record.globs)

    return [part for part in parts if there(part)]


def _gathered(root: Path, record: Layout, split: str | None) -> Matches:
    pairs: list[Match] = []
    visible: list[Path] = []
    infrared: list[Path] = []
    for part in _parts_there(root, record, split):
        globs = [(a.format(split=part), b.format(split=part)) for a, b in record.globs]
        found = match_starred(root, globs)
        pairs += [replace(pair, name=f"{part}/{pair.name}".lstrip("/")) for pair in found.pairs]
        visible += found.only_visible
        infrared += found.only_infrared
    if not pairs:
        example = " + ".join(record.globs[0]).replace("{split}", split or next(iter(record.splits), ""))
        raise IrvisError(f"{root} holds no pair of {record.name}: expected such as {example} (see {record.url}).")
    return Matches(tuple(sorted(pairs, key=lambda pair: natural(pair.name))), tuple(visible), tuple(infrared))


def _thinned(matches: Matches, thin: int) -> Matches:
    """Frames whose number is thin-1, 2 thin-1, …; thinning twice is thinning once."""
    if thin < 1:
        raise IrvisError(f"thin must be 1 or more, not {thin}.")

    def kept(name: str) -> bool:
        number = re.search(r"\d+$", name)
        return number is None or int(number[0]) % thin == thin - 1

    pairs = tuple(pair for pair in matches.pairs if kept(pair.name))
    if not pairs:
        raise IrvisError(f"No frame is left of {len(matches.pairs)} when one in {thin} is kept: use thin=1.")
    return replace(matches, pairs=pairs)
