"""What a result depends on is derived from imports: nothing is listed by hand, so nothing can be forgotten."""

import shutil
import types
from pathlib import Path

import pytest

from irvis import imports
from irvis.imports import closure, digest_of


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A copy of irvis's sources that may be changed; called after a change."""
    shutil.copytree(imports.ROOT, tmp_path / "irvis", ignore=shutil.ignore_patterns("shipped", "__pycache__", "app"))
    monkeypatch.setattr(imports, "ROOT", tmp_path / "irvis")

    def change(file: str, added: str) -> None:
        path = tmp_path / "irvis" / file
        path.write_text(path.read_text() + added)
        imports._read.cache_clear()

    imports._read.cache_clear()
    yield change
    imports._read.cache_clear()


def test_a_digest_changes_with_any_module_that_is_imported_and_with_no_other(sources):
    graph = "irvis.methods.encdec", "irvis.runtime.graphs"
    before = {name: digest_of(f"irvis.methods.{name}") for name in ("pyramid", "average")} | {
        "graph": digest_of(*graph)
    }
    sources("filters.py", "\nHALF = 0.5\n")
    assert digest_of("irvis.methods.pyramid") != before["pyramid"]
    assert digest_of("irvis.methods.average") == before["average"]
    sources("runtime/low_rank.py", "\nHALF = 0.5\n")  # through others
    assert digest_of(*graph) != before["graph"]
    assert digest_of("irvis.methods.average") == before["average"]


def test_comments_and_docstrings_change_nothing_and_the_version_does(sources, monkeypatch):
    before = digest_of("irvis.methods.average")
    sources("methods/average.py", '\n\n# a remark\n"""Prose."""\n')
    assert digest_of("irvis.methods.average") == before
    monkeypatch.setattr(imports, "__version__", "99")
    assert digest_of("irvis.methods.average") != before


def test_every_method_depends_on_its_own_code_and_not_on_the_others():
    found = closure("irvis.methods.guided")
    assert {"irvis.filters", "irvis.registry", "irvis.spec"} <= set(found)
    assert [name for name in found if name.startswith("irvis.methods.")] == ["irvis.methods.guided"]


def test_what_the_numbers_of_an_evaluation_depend_on_is_all_there():
    from irvis.evaluate.entries import code

    found = closure("irvis.evaluate.compute")
    for part in (
        "metrics.paq",
        "metrics.edges",
        "losses",
        "filters",
        "io.decode",
        "io.deep",
        "thermal.range",
        "fuser",
        "color",
        "tiling",
    ):
        assert f"irvis.{part}" in found
    assert len({code(), code("average"), code("gff")}) == 3


def test_a_method_of_a_users_own_file_counts_and_one_without_a_file_is_always_new(tmp_path, monkeypatch):
    module = types.ModuleType("mine")
    monkeypatch.setitem(__import__("sys").modules, "mine", module)
    first = digest_of("mine")
    imports._read.cache_clear()
    assert digest_of("mine") != first  # a notebook's cell
    module.__file__ = str(tmp_path / "mine.py")
    Path(module.__file__).write_text("from irvis.filters import box\n")
    imports._read.cache_clear()
    assert "irvis.filters" in closure("mine")
    assert digest_of("mine") == digest_of("mine")
