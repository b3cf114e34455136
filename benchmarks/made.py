"""What made a row of results: the sha256 of its weights, a digest of its code, the commit, the day, the seconds.

A row whose weights and code are as they were is kept; what the code is, is derived from the imports.
"""

import ast
import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from irvis import creation, registry
from irvis.errors import IrvisError
from irvis.imports import digest_of
from irvis.weights import shipped

HERE = Path(__file__).parent
RESULTS = HERE / "results"
EARLIER = "made with earlier weights"
"""What a page says in a row of weights that are not the shipped ones any more."""
Row = dict[str, Any]


@cache
def shipped_as(method: str) -> tuple[str, str] | None:
    """ "encdec:default" and the sha256 of its file, for a method's text that runs with shipped weights."""
    with suppress(IrvisError):
        name, chosen, _ = creation.parse(method)
        found = shipped(name).get(chosen) if creation.find(name).learnable else None
        if found:
            return f"{name}:{chosen}", found.sha256
    return None


def weights_of(uses: Iterable[str]) -> dict[str, str]:
    """Weights → sha256, of the shipped weights that these methods run with."""
    return dict(sorted(known for method in uses if (known := shipped_as(method))))


def named_in(row: Mapping[str, Any]) -> list[str]:
    """The methods that a row's words name: "encdec:paper, published graph" names encdec:paper."""
    words = [str(value).split(",")[0] for key, value in row.items() if key != "made" and isinstance(value, str)]
    return [word for word in words if shipped_as(word)]


def earlier(row: Mapping[str, Any]) -> bool:
    """Whether a row was made with other weights than those shipped under that name now."""
    return any(shipped_as(name) != (name, sha256) for name, sha256 in row.get("made", {}).get("weights", {}).items())


def fresh(row: Mapping[str, Any], script: str, uses: Sequence[str], *, code: bool = True) -> bool:
    """Whether weights (and the code) are those that made the row."""
    made = row.get("made", {})
    same = made.get("weights") == weights_of(uses)
    return same and (not code or made.get("code") == code_of(script, tuple(uses)))


def facts(script: str, uses: Sequence[str], seconds: float | None = None) -> Row:
    """What is written into a row."""
    found: Row = {"weights": weights_of(uses), "code": code_of(script, tuple(uses)), "commit": commit()}
    found["date"] = datetime.now(UTC).strftime("%Y-%m-%d")
    return found if seconds is None else {**found, "seconds": round(seconds, 1)}


@cache
def commit() -> str:
    """HEAD, with "+" where tracked files of the code differ from it."""
    words = ["git", "-C", str(HERE)]
    head = subprocess.run([*words, "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    changed = subprocess.run([*words, "diff", "--quiet", "HEAD", "--", str(HERE.parent / "src"), "*.py"]).returncode
    return head + "+" * bool(head and changed)


@cache
def code_of(script: str, uses: tuple[str, ...] = ()) -> str:
    """A digest of a script of this folder, the others that it imports, and irvis as far as they and the methods go."""
    files, modules, waiting = set[Path](), set[str](), [HERE / f"{script}.py"]
    while waiting:
        path = waiting.pop()
        for name in _imports(path) if path not in files else ():
            if name.startswith("irvis"):
                modules.add(name)
            elif (HERE / f"{name}.py").is_file() and name not in ("common", "made", "drawing"):
                waiting.append(HERE / f"{name}.py")
        files.add(path)
    for method in uses:
        with suppress(IrvisError):
            modules.add(creation.find(creation.parse(method)[0]).build.__module__)
    parts = [ast.dump(ast.parse(path.read_bytes())) for path in sorted(files)]
    return sha256("\n".join([digest_of(*sorted(modules)), *parts]).encode()).hexdigest()[:16]


def _imports(path: Path) -> list[str]:
    """The modules that a script imports; "irvis.io" for `from irvis import io`."""
    found = []
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == "irvis":
            found += [f"irvis.{alias.name}" for alias in node.names if _is_module(alias.name)]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
    return found


def _is_module(name: str) -> bool:
    place = Path(str(registry.__file__)).parent / name
    return place.is_dir() or place.with_suffix(".py").is_file()


def read(name: str) -> Row:
    """A results file; empty where there is none."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.is_file() else {}
