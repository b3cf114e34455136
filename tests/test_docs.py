"""What the documents tell users to type works, and what they link to is there."""

import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from irvis import io
from irvis.align.warp import laid_over
from irvis.cli import main
from irvis.data.scene import scene

pytestmark = pytest.mark.usefixtures("searched_once")

LENSES = np.array([[0.91, 0, 20], [0, 0.91, -8], [0, 0, 1.0]])
ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LEARN = [ROOT / "README.md", ROOT / "docs" / "index.md", *sorted((ROOT / "docs" / "learn").glob("*.md"))]
TINY = """
method = "encdec"
options = { width = 4 }
[[stage]]
losses = { qw = { weight = 1.0 } }
steps = 1
batch = 2
crop = 32
"""


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)


SHELL = [(page, n) for page in LEARN for n in range(len(blocks(page, "sh")))]
PYTHON = [page for page in LEARN if blocks(page, "python")]
RECIPES = [page for page in LEARN if blocks(page, "toml")]


def name(value: object) -> str:
    return value.stem if isinstance(value, Path) else str(value)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the pages speak of, made once."""
    folder, random = tmp_path_factory.mktemp("prepared"), np.random.default_rng(0)
    for visible, infrared in (
        ("visible.png", "infrared.png"),
        ("visible/a.png", "infrared/a.png"),
        ("visible/b.png", "infrared/b.png"),
        ("pairs/1_W.png", "pairs/1_T.png"),
        ("pairs/2_W.png", "pairs/2_T.png"),
    ):
        for file, shape in ((visible, (40, 48, 3)), (infrared, (40, 48))):
            (folder / file).parent.mkdir(exist_ok=True)
            Image.fromarray(random.integers(0, 255, shape, dtype=np.uint8)).save(folder / file)
    for scene_name, number in (("a", 3), ("b", 4)):
        seen, warm = scene(number, (240, 320)).tensors()
        over, valid = laid_over(warm, LENSES, (240, 320))
        io.write(folder / f"two/visible/{scene_name}.png", seen)
        io.write(folder / f"two/thermal/{scene_name}.png", over * valid)
    (folder / "tiny.toml").write_text(TINY)
    return folder


@pytest.fixture
def place(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of that folder, to work in; nothing is computed in processes of its own."""
    monkeypatch.setattr("irvis.evaluate.compute.MOST_WORKERS", 1)
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def status(words: list[str]) -> int:
    """Run the command line in this process."""
    try:
        main(words)
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


@pytest.mark.parametrize(("page", "n"), SHELL, ids=name)
def test_commands_of_a_page_run(page, n, place, capsys):
    """Installing is left to continuous integration; trainings take one step."""
    block = blocks(page, "sh")[n]
    if "irvis train" in block:
        pytest.importorskip("lightning_fabric", reason="training needs the extra: pip install 'irvis[train]'")
        for kind in ("W", "T"):
            folder = place / "pairs" / {"W": "vi", "T": "ir"}[kind]
            folder.mkdir()
            for file in (place / "pairs").glob(f"*_{kind}.png"):
                file.rename(folder / f"{file.stem[0]}.png")
    for line in block.strip().split("\n"):
        command = line.split("&&")[-1].split("#")[0].strip()
        if not command.startswith("irvis"):
            assert line.startswith("pip install")
            continue
        if command == "irvis demo" and page.stem != "README":
            continue  # as there
        words = shlex.split(command.replace("encdec-tiny", "tiny.toml"))
        assert status(words[1:]) == 0, f"{command}: {capsys.readouterr().err}"


@pytest.mark.parametrize("page", PYTHON, ids=name)
def test_python_of_a_page_runs_from_top_to_bottom(page, place):
    exec("\n".join(blocks(page, "python")), {})


@pytest.mark.parametrize("page", RECIPES, ids=name)
def test_recipes_of_a_page_are_valid(page, tmp_path):
    from irvis.training import recipe

    for text in blocks(page, "toml"):
        (tmp_path / "shown.toml").write_text(text)
        assert recipe.load(tmp_path / "shown.toml").stages


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_of_a_page_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        if not target.startswith(("http", "mailto")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_the_readme_needs_two_commands():
    commands = [line for block in blocks(ROOT / "README.md", "sh") for line in block.strip().split("\n")]
    assert commands == ["pip install . && irvis demo", "pip install '.[dev]' && pytest"]


def test_recipes_that_the_training_page_names_exist():
    from irvis.training.recipe import shipped

    names = {path.stem for path in shipped()}
    rows = re.findall(r"^\| `([^`]+)` \|", (ROOT / "docs" / "learn" / "train.md").read_text(), re.MULTILINE)
    assert rows
    for row in rows:
        assert row in names or any(found.startswith(row.rstrip("*")) for found in names)
