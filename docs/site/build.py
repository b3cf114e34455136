"""Build the documents into a site: `python docs/site/build.py` writes build/site. Any browser opens its pages as files;
the search needs a server, such as `python -m http.server -d build/site`.

The pages of docs/, the project's own files (contributing, changelog, licence) and the reference, which is generated
from docstrings, registries and the command line, are laid beside each other and given to Zensical. Strict: a page
without a place in the navigation, a link that leads nowhere, or a warning of Zensical's ends the build.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tomllib
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import commands
import docstrings
import registries

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
ABOUT = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
OUTSIDE = {"NOTICE": "licence.md", "LICENSE": "licence.md", **ABOUT}
"""Files of the project that pages may link to, and where they are on the site."""

PYTHON = {
    "irvis": ("The front door", ["irvis", "irvis.options", "irvis.types", "irvis.color"]),
    "io": ("Files", ["irvis.io", "irvis.streaming", "irvis.archive"]),
    "thermal": ("Thermal cameras", ["irvis.thermal", "irvis.thermal.palette", "irvis.cameras"]),
    "align": ("Alignment and checks", ["irvis.align", "irvis.align.warp", "irvis.check"]),
    "video": ("Videos", ["irvis.video", "irvis.video.job"]),
    "metrics": ("Metrics", ["irvis.metrics", "irvis.metrics.flicker", "irvis.metrics.paq"]),
    "training": (
        "Training",
        ["irvis.training.recipe", "irvis.training.records", "irvis.losses", "irvis.weights", "irvis.convert"],
    ),
    "data": (
        "Data and scenes",
        ["irvis.data.pairs", "irvis.data.matching", "irvis.data.scene", "irvis.data.scene.conditions"],
    ),
    "runtime": ("Runtimes and export", ["irvis.runtime.collapse", "irvis.runtime.export", "irvis.runtime.parity"]),
}  # fmt: skip
REGISTRIES = ("methods", "metrics", "profiles", "losses", "recipes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "site", help="the site's folder")
    build(parser.parse_args().out)


def build(out: Path) -> None:
    """The site in `out`; an exit with a message where anything is wrong."""
    if find_spec("zensical") is None:
        sys.exit("the site is built by Zensical, which is not installed: pip install '.[docs]'")
    work = out.parent / "site-pages"
    assemble(work)
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict", "-f", str(work / "zensical.toml")]
    done = subprocess.run(command, cwd=work, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(re.sub(r"\x1b\[[0-9;]*m", "", f"zensical: {done.stdout}{done.stderr}"))
    shutil.rmtree(out, ignore_errors=True)
    shutil.move(work / "site", out)
    print(f"{out}: {sum(1 for _ in out.rglob('*.html'))} pages")


def assemble(work: Path) -> None:
    """Everything that Zensical reads, in one folder."""
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(HERE.parent, work / "pages", ignore=shutil.ignore_patterns("*.py", "*.toml", "__pycache__"))
    for name, text in {**about(), **reference(), **indices()}.items():
        page = work / "pages" / name
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text)
    for page in (work / "pages").rglob("*.md"):
        page.write_text(_links_inside(page, work / "pages"))
    (work / "zensical.toml").write_text(configuration())
    if problems := misplaced(work / "pages"):
        sys.exit("\n".join(problems))


def about() -> dict[str, str]:
    """Contributing, changelog, licence."""
    texts = {place: (ROOT / name).read_text().replace("](docs/", "](") for name, place in ABOUT.items()}
    licence = "\n\n".join(
        f"## {name}\n\n```text\n{(ROOT / name).read_text().strip()}\n```" for name in ("NOTICE", "LICENSE")
    )
    return {**texts, "licence.md": f"# Licence and notices\n\n{licence}\n"}


def indices() -> dict[str, str]:
    """Pages that list the others of their folder."""
    measured = {page.name: page.read_text() for page in sorted((ROOT / "docs" / "results").glob("*.md"))}
    made = {name.removeprefix("reference/"): text for name, text in reference().items()}
    front = (ROOT / "docs" / "reference" / "README.md").read_text()
    about = "Each page is written by a script in `benchmarks/`, which it names."
    return {
        "results/index.md": f"# Results\n\n{about}\n\n{_list(measured)}",
        "reference/README.md": f"{front}\n## Pages\n\n{_list(made)}",
    }


def _list(pages: dict[str, str]) -> str:
    """A link to each page by its title."""
    return "".join(f"- [{text.splitlines()[0].removeprefix('# ')}]({name})\n" for name, text in pages.items())


@lru_cache(maxsize=1)
def reference() -> dict[str, str]:
    """Page → text of all that is generated."""
    texts = {f"reference/commands/{verb}.md": text for verb, text in commands.verbs().items()}
    texts |= {f"reference/registries/{name}.md": getattr(registries, name)() for name in REGISTRIES}
    return texts | {
        f"reference/python/{name}.md": docstrings.page(modules, title) for name, (title, modules) in PYTHON.items()
    }


def configuration() -> str:
    """zensical.toml with its navigation filled."""
    text = (HERE / "zensical.toml").read_text()
    before, rest = text.split("nav = [\n", 1)
    after = rest.split("\n]\n", 1)[1]
    return f"{before}nav = {_toml(navigation(text))}\n{after}"


def navigation(text: str) -> list[Any]:
    """Places that end in "/" become the pages of that folder which have no place of their own."""
    nav = tomllib.loads(text)["project"]["nav"]
    pages = [*reference(), *sorted(page.relative_to(HERE.parent).as_posix() for page in HERE.parent.rglob("*.md"))]
    named = set(placed(nav))
    filled: list[Any] = _filled(nav, [page for page in pages if page not in named])
    return filled


def _filled(nav: Any, pages: list[str]) -> Any:
    if isinstance(nav, str):
        return [page for page in pages if page.startswith(nav)] if nav.endswith("/") else nav
    if isinstance(nav, dict):
        return {title: _filled(place, pages) for title, place in nav.items()}
    return [each for each in (_filled(entry, pages) for entry in nav) if list(each.values()) != [[]]]


def placed(nav: Any) -> list[str]:
    """The pages of a navigation."""
    if isinstance(nav, str):
        return [nav]
    return [page for entry in (nav.values() if isinstance(nav, dict) else nav) for page in placed(entry)]


def misplaced(pages: Path) -> list[str]:
    """Pages outside the navigation, places without a page, links that lead nowhere."""
    there = {page.relative_to(pages).as_posix() for page in pages.rglob("*.md")}
    known = placed(tomllib.loads(configuration())["project"]["nav"])
    problems = [f"{name} has no place in the navigation of zensical.toml" for name in sorted(there - set(known))]
    problems += [f"the navigation names {name}, which is not there" for name in known if name not in there]
    for name in sorted(there):
        page = pages / name
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", without_code(page.read_text())):
            if not target.startswith(("http", "mailto")) and not (page.parent / target).is_file():
                problems.append(f"{name} links to {target}, which is not there")
    return problems


def without_code(text: str) -> str:
    """A page without what stands in its blocks and between backticks."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE))


def _links_inside(page: Path, pages: Path) -> str:
    """Links that leave docs/ lead to the same file on the site; pictures lead to themselves, at their full size."""
    up = "../" * len(page.relative_to(pages).parents[:-1])
    text = page.read_text()
    for name, place in OUTSIDE.items():
        text = text.replace(f"]({up}../{name})", f"]({up}{place})")
    text = re.sub(r"\]\(((?:\.\./)*results)/?\)", r"](\1/index.md)", text)
    return re.sub(r"^(!\[[^]\n]*\]\(([^)\n]+)\))$", r"[\1](\2)", text, flags=re.MULTILINE)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f'"{key}" = {_toml(each)}' for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    return f'"{value}"'


if __name__ == "__main__":
    main()
