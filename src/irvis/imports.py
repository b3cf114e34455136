"""What a result depends on: the sources that a module imports, directly or through others, derived and never listed."""

import ast
import sys
import uuid
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

from . import __version__

ROOT, NAME = Path(__file__).parent, __package__


def digest_of(*modules: str) -> str:
    """A sha256 that changes with irvis's version and with the code of these modules or of any they import from irvis.

    Parameters
    ----------
    modules: full names, as in "irvis.methods.encdec"; a package stands for its `__init__`. Modules outside irvis
        must have been imported.

    Comments, layout and docstrings do not count. A module without a file (a notebook's cell) counts as changed.
    """
    parts = [f"{module} {_read(module)[1]}" for module in closure(*modules)]
    return sha256("\n".join([__version__, *parts]).encode()).hexdigest()


def closure(*modules: str) -> list[str]:
    """These modules and all that they import from irvis, in functions too, sorted by name.

    `from package import name` follows the module of that name where there is one, otherwise the package. What is
    imported for annotations only (TYPE_CHECKING), or by a name that is computed, is not followed.
    """
    found, waiting = set[str](), list(modules)
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += _read(module)[0]
    return sorted(found)


def _nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node but those for annotations only."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")):
            yield node
            yield from _nodes(node)


def _names(node: ast.AST, package: str) -> Iterator[str]:
    """The modules of irvis that an import statement names."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if _inside(alias.name))
    elif isinstance(node, ast.ImportFrom):
        above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
        base = ".".join([*above, *([node.module] if node.module else [])])
        for alias in node.names if _inside(base) else ():
            whole = f"{base}.{alias.name}"
            yield whole if _file(whole) else base


def _inside(module: str) -> bool:
    return module.split(".")[0] == NAME


def _file(module: str) -> Path | None:
    """Where the source of a module lies."""
    if not _inside(module):
        known = getattr(sys.modules.get(module), "__file__", None)
        return Path(known) if known else None
    place = ROOT.joinpath(*module.split(".")[1:])
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)


@cache
def _read(module: str) -> tuple[tuple[str, ...], str]:
    """What a module imports from irvis, and a hash of its statements without docstrings."""
    path = _file(module)
    if path is None:
        return (), uuid.uuid4().hex
    tree = ast.parse(path.read_bytes())
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    imported = tuple(name for node in _nodes(tree) for name in _names(node, package))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            node.body = [one for one in node.body if not _is_text(one)]
    return imported, sha256(ast.dump(tree).encode()).hexdigest()


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
