"""Imports point one way: no circle among files, and every room imports only from rooms below its own."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import irvis

ROOT = Path(irvis.__file__).parent
ORDER = """
    __init__ errors types spec steps validate loopback
    access budget cameras color files filters imports nn own_code registry tiling
    align losses published rim sheet
    fuser
    explanation_sheet record thermal weights
    io methods
    data explanation pictures survey
    check runtime streaming
    creation jobs
    api archive convert demo
    metrics training
    bench evaluate listing video
    choose live options study
    batch
    app
    cli
"""
"""Rooms, the lowest first: a room is a module or a package of `irvis`. It imports from lines above its own."""
LEVEL = {room: level for level, line in enumerate(ORDER.split("\n")) for room in line.split()}


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in sorted(ROOT.rglob("*.py"))}


def named(node: ast.AST, package: list[str]) -> Iterator[str]:
    """The modules of irvis in an import statement, at the top, in a function, or for annotations only."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in MODULES)
    elif isinstance(node, ast.ImportFrom):
        above = package[: len(package) + 1 - node.level] if node.level else []
        base = ".".join([*above, *([node.module] if node.module else [])])
        for alias in node.names:
            whole = f"{base}.{alias.name}"
            yield from (name for name in ([whole] if whole in MODULES else [base]) if name in MODULES)


def imported(module: str) -> set[str]:
    path = MODULES[module]
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    found = (name for node in ast.walk(ast.parse(path.read_bytes())) for name in named(node, package))
    return set(found) - {module}


GRAPH = {module: imported(module) for module in MODULES}


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else "__init__"


def test_no_file_imports_itself_by_way_of_others():
    try:
        TopologicalSorter(GRAPH).prepare()
    except CycleError as problem:
        raise AssertionError(f"circle: {' → '.join(reversed(problem.args[1]))}") from None


def test_a_room_imports_only_from_rooms_below_it():
    upwards = [
        f"{module} imports {other}"
        for module, others in GRAPH.items()
        for other in sorted(others)
        if room(module) != room(other) and LEVEL[room(other)] >= LEVEL[room(module)]
    ]
    assert not upwards


def test_every_room_has_its_place_in_the_order():
    assert {room(module) for module in MODULES} == set(LEVEL)


def test_pictures_are_fused_without_pyav():
    reached, waiting = set[str](), ["irvis.batch", "irvis.cli", "irvis.app.fusing"]
    while waiting:
        module = waiting.pop()
        if module not in reached:
            reached.add(module)
            waiting += imported_at_once(module)
    assert "irvis.video.library" not in reached


def imported_at_once(module: str) -> set[str]:
    """What an import of the module imports at once: no function is run, nothing is there for annotations only."""
    path = MODULES[module]
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    return {name for node in ast.parse(path.read_bytes()).body for name in named(node, package)} - {module}
