"""The documents as a site: built strictly, nothing from other hosts, every page to be found, every link true."""

import ast
import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from irvis.cli import app
from irvis.losses import LOSSES
from irvis.methods import METHODS
from irvis.metrics import METRICS, PROFILES
from irvis.training.recipe import shipped

ROOT = Path(__file__).parents[1]
SITE = ROOT / "docs" / "site"
FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "audio": "src", "video": "src"}
FETCHING = {"stylesheet", "preload", "prefetch", "preconnect", "dns-prefetch", "icon", "modulepreload"}
PYTHON = [
    page
    for folder in ("explain", "methods")
    for page in sorted((ROOT / "docs" / folder).glob("*.md"))
    if "```python" in page.read_text()
]
WAITING = r"unpkg\.com/(?:mermaid|glightbox|ace-builds|pyodide|resize-observer)|cdn\.jsdelivr\.net|api\.github\.com"
"""What the theme's script fetches for diagrams, light boxes, editors and stars, none of which these pages have."""


class Page(HTMLParser):
    """What a page fetches by itself, where its links lead, and which places in it can be linked to."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.places: set[str] = set()
        self.tags: set[str] = set()
        self.feed(file.read_text())

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        facts = {name: value or "" for name, value in attributes}
        self.places |= {facts[name] for name in ("id", "name") if name in facts}
        self.tags |= set(facts.get("class", "").split())
        if tag == "link" and FETCHING & set(facts.get("rel", "").split()):
            self.fetched.append(facts.get("href", ""))
        if FETCHED.get(tag) in facts:
            self.fetched.append(facts[FETCHED[tag]])
        if tag == "a" and "href" in facts:
            self.links.append(facts["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    if importlib.util.find_spec("zensical") is None:
        pytest.skip("building the site needs the extra: pip install 'irvis[docs]'")
    out = tmp_path_factory.mktemp("built") / "site"
    command = [sys.executable, str(SITE / "build.py"), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Page]:
    """Path in the site → page."""
    found = {file.relative_to(site).as_posix(): Page(file) for file in site.rglob("*.html")}
    assert len(found) > 50
    return found


def test_the_site_builds_strictly_and_has_every_page_of_the_documents(site, pages):
    for source in (ROOT / "docs").rglob("*.md"):
        name = source.relative_to(ROOT / "docs").with_suffix(".html").as_posix()
        assert name.replace("README.html", "index.html") in pages


def test_every_page_is_in_the_navigation(pages):
    """By the links in the navigation of the front page, which hold on every page."""
    front = {unquote(urlsplit(link).path) for name in pages for link in resolved(name, pages[name])}
    assert {name for name in pages if name != "404.html"} <= front


def test_a_page_without_a_place_in_the_navigation_ends_the_build(tmp_path):
    build = loaded("build")
    (tmp_path / "lonely.md").write_text("# Lonely\n\n[nowhere](nowhere.md)\n")
    problems = build.misplaced(tmp_path)
    assert "lonely.md has no place in the navigation of zensical.toml" in problems
    assert "lonely.md links to nowhere.md, which is not there" in problems


def test_no_page_fetches_anything_from_another_host(site, pages):
    for name, page in pages.items():
        assert not [url for url in page.fetched if urlsplit(url).netloc], name
        assert not page.tags & {"mermaid", "glightbox", "md-source"}, name
    for style in site.rglob("*.css"):
        assert not re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//[^)]*", style.read_text()), style
    for script in site.rglob("*.js"):
        text = script.read_text()
        outside = re.findall(r"https?://(?!www\.w3\.org|127\.0\.0\.1|localhost)[\w.-]+/[\w@./-]*", text)
        assert not [url for url in outside if not re.search(WAITING, url)] or script.name == "search.js", script


def test_every_internal_link_leads_to_a_place_that_is_there(site, pages):
    for name, page in pages.items():
        for link in resolved(name, page):
            path, _, place = unquote(link).partition("#")
            if path in pages:
                assert not place or place in pages[path].places, f"{name} links to {link}"
            else:
                assert (site / path).is_file(), f"{name} links to {link}"


def test_the_reference_names_whatever_the_registries_hold(site):
    text = {name: (site / "reference" / "registries" / f"{name}.html").read_text() for name in
            ("methods", "metrics", "profiles", "losses", "recipes")}  # fmt: skip
    for name, method in METHODS.items():
        assert f'id="{name}"' in text["methods"]
        assert all(f"<code>{option}</code>" in text["methods"] for option in method.options)
        assert all(f"<code>{weights}</code>" in text["methods"] for weights in method.weights)
        assert all(weights.licence in text["methods"] for weights in method.weights.values())
    assert all(f">{name}" in text["metrics"] for name in METRICS)
    assert all(f"<code>{name}</code>" in text["profiles"] for name in PROFILES)
    assert all(f'id="{name}"' in text["losses"] for name in LOSSES)
    assert all(f'id="{path.stem}"' in text["recipes"] for path in shipped())
    for verb in (name for name in app if not name.startswith("-")):
        assert (site / "reference" / "commands" / f"{verb}.html").is_file()


def test_the_reference_of_a_module_has_its_public_names():
    docstrings = loaded("docstrings")
    page = docstrings.page(["irvis", "irvis.io"], "x")
    for name in ("fuse", "create", "Fuser", "METHODS", "read_pair", "read_infrared", "write"):
        assert f"### `{name}`" in page
    for head in re.findall(r"```python\n(def .*?)\n```", page, re.DOTALL):
        ast.parse(f"{head}: ...")


def test_signs_of_markdown_in_a_docstring_stay_what_they_are():
    docstrings = loaded("docstrings")
    assert docstrings.markdown("a * b < c_d, `x * y`") == r"a \* b \< c\_d, `x * y`"
    assert docstrings.markdown("name: one\n    two") == "- `name`: one\n    two"
    assert docstrings.markdown("Returns\n-------\nA picture.").startswith("**Returns**\n")


@pytest.mark.parametrize("page", PYTHON, ids=lambda page: f"{page.parent.name}-{page.stem}")
def test_python_of_a_page_runs_from_top_to_bottom(page, tmp_path, monkeypatch):
    """A file of weights that a page speaks of is the shipped one."""
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    shipped_weights = ROOT / "src" / "irvis" / "shipped" / "maefuse-default.safetensors"
    (tmp_path / "maefuse.safetensors").symlink_to(shipped_weights)
    monkeypatch.chdir(tmp_path)
    exec("\n".join(blocks), {})


def resolved(name: str, page: Page) -> Iterator[str]:
    """The internal links of a page, as paths in the site."""
    for link in page.links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        steps = [*Path(name).parent.parts, *parts.path.split("/")] if parts.path else [*Path(name).parts]
        kept: list[str] = []
        for step in steps:
            if step == "..":
                kept.pop()
            elif step not in ("", "."):
                kept.append(step)
        yield "/".join(kept or ["index.html"]) + (f"#{parts.fragment}" if parts.fragment else "")


def loaded(name: str) -> object:
    """A module of docs/site."""
    sys.path.insert(0, str(SITE))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(SITE))
