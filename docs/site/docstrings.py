"""Pages of the Python reference, read from the source itself: signatures as written, docstrings as Markdown."""

import ast
import inspect
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src"

Named = ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign
HEADING = re.compile(r"^(Parameters|Returns|Raises|Yields)\n-+$", re.MULTILINE)
TERM = re.compile(r"^(?P<names>[\w*]+(?:, [\w*]+)*): (?P<text>.*)$")


def page(modules: list[str], title: str) -> str:
    """One page for some modules: what each says of itself, then its public names."""
    parts = [f"# {title}"]
    for module in modules:
        tree = _tree(module)
        parts.append(f"## `{module}`\n\n{markdown(ast.get_docstring(tree) or '')}")
        parts += [_entry(name, *_home(module, name)) for name in names(module)]
    return "\n\n".join(parts) + "\n"


def names(module: str) -> list[str]:
    """What a module offers: its `__all__`, or else all it defines that has a docstring and no underscore in front."""
    tree = _tree(module)
    for node in tree.body:
        if isinstance(node, ast.Assign) and _name(node) == "__all__":
            return [name for name in ast.literal_eval(node.value) if not name.startswith("__")]
    return [name for name, _, text in _definitions(tree) if text and not name.startswith("_")]


def markdown(text: str) -> str:
    """A docstring as Markdown: sections and lists of names become lists, signs that Markdown would take are kept."""
    text = HEADING.sub(lambda found: f"**{found[1]}**\n", inspect.cleandoc(text))
    blocks = re.split(r"\n\s*\n", text)
    return "\n\n".join(_block(block) for block in blocks if block.strip())


def _block(block: str) -> str:
    lines = block.split("\n")
    if lines[0].startswith(">>>"):
        return f"```python\n{block}\n```"
    if all(line.startswith("    ") for line in lines):
        return "```text\n" + "\n".join(line[4:] for line in lines) + "\n```"
    head = [lines.pop(0), ""] if lines[0].startswith("**") else []
    if lines and TERM.match(lines[0]):
        return "\n".join([*head, *_terms(lines)])
    return "\n".join([*head, *map(escaped, lines)])


def _terms(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if (found := TERM.match(line)) and not line.startswith(" "):
            yield f"- `{found['names']}`: {escaped(found['text'])}"
        else:
            yield f"    {escaped(line.strip())}"


def escaped(line: str) -> str:
    """The line with `<`, `*` and `_` as they are, except between backticks."""
    parts = line.split("`")
    parts[::2] = [re.sub(r"([*_<])", r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table; empty if it has no rows."""
    lines = [[str(cell).replace("|", "\\|") for cell in row] for row in rows]
    names = list(head)
    if not lines:
        return ""
    return "\n".join("| " + " | ".join(line) + " |" for line in (names, ["---"] * len(names), *lines))


def _entry(name: str, module: str, node: Named, text: str) -> str:
    code = signature(node)
    shown = f"### `{name}`\n\n```python\n{code}\n```" if code else f"### `{name}`"
    about = markdown(text)
    members = _members(node) if isinstance(node, ast.ClassDef) else ""
    return "\n\n".join(part for part in (shown, about, members) if part)


def _members(node: ast.ClassDef) -> str:
    """Fields with their notes, then methods and properties, of a class."""
    rows = []
    for name, member, text in _definitions(node):
        if name.startswith("_") or not text:
            continue
        lines = markdown(text).split("\n")
        label = name
        if isinstance(member, ast.FunctionDef) and not member.decorator_list:
            label = f"{name}({', '.join(arg.arg for arg in member.args.args[1:])})"
        rows.append("\n".join([f"- `{label}`: {lines[0]}", *(f"    {line}" if line else "" for line in lines[1:])]))
    return "\n".join(rows)


def signature(node: Named) -> str:
    """The head of a definition as code; long ones are broken after each parameter."""
    if isinstance(node, ast.ClassDef):
        fields = [_field(each) for each in node.body if isinstance(each, ast.AnnAssign) and _public(each)]
        start = next(
            (each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "__init__"), None
        )
        if start is not None:
            return _called(f"class {node.name}", start, skip=1)
        return "\n".join([f"class {node.name}:", *(f"    {field}" for field in fields)]) if fields else ""
    if isinstance(node, ast.FunctionDef):
        return _called(f"def {node.name}", node)
    code = ast.unparse(node)
    return code if len(code) <= 110 and "\n" not in code else ""


def _field(node: ast.AnnAssign) -> str:
    """A field of a record as code; what the command line adds to its type is left out."""
    default = f" = {ast.unparse(node.value)}" if node.value is not None else ""
    return f"{ast.unparse(node.target)}: {ast.unparse(_without_help(node)[0])}{default}"


def _without_help(node: ast.AnnAssign) -> tuple[ast.expr, str]:
    """The type of `Annotated[type, Parameter(help=…)]` and its help; of any other field its type."""
    kind = node.annotation
    if not (isinstance(kind, ast.Subscript) and ast.unparse(kind.value) == "Annotated"):
        return kind, ""
    inner, *others = kind.slice.elts if isinstance(kind.slice, ast.Tuple) else [kind.slice]
    keywords = [one for call in others if isinstance(call, ast.Call) for one in call.keywords]
    said = next((ast.literal_eval(one.value) for one in keywords if one.arg == "help"), "")
    return inner, str(said)


def _called(head: str, node: ast.FunctionDef, skip: int = 0) -> str:
    arguments = node.args
    arguments.args = arguments.args[skip:]
    back = f" -> {ast.unparse(node.returns)}" if node.returns and not skip else ""
    inside = ast.unparse(arguments)
    if len(head) + len(inside) + len(back) < 95:
        return f"{head}({', '.join(_split(inside))}){back}"
    return f"{head}(\n" + "".join(f"    {each},\n" for each in _split(inside)) + f"){back}"


def _split(arguments: str) -> Iterator[str]:
    """Parameters one by one: commas inside brackets do not count."""
    depth, start = 0, 0
    for place, sign in enumerate(arguments):
        depth += (sign in "([{") - (sign in ")]}")
        if sign == "," and not depth:
            yield _spaced(arguments[start:place].strip())
            start = place + 1
    yield _spaced(arguments[start:].strip())


def _spaced(argument: str) -> str:
    """`name: kind=value` with spaces around its `=`."""
    return re.sub(r"^(\*{0,2}\w+: [^=]+)=", r"\1 = ", argument)


def _home(module: str, name: str) -> tuple[str, Named, str]:
    """Where a public name is defined: module, definition, docstring."""
    tree = _tree(module)
    for found, node, text in _definitions(tree):
        if found == name:
            return module, node, text
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and any((each.asname or each.name) == name for each in node.names):
            return _home(_absolute(module, node), name)
    for node in tree.body:  # names that a package imports on first use
        if isinstance(node, ast.Assign) and _name(node) == "_HOMES":
            return _home(f"{module}.{ast.literal_eval(node.value)[name]}", name)
    raise LookupError(f"{module} offers {name} and does not say where it is")


def _absolute(module: str, node: ast.ImportFrom) -> str:
    base = module.split(".")
    up = node.level - 1 if _file(module).name == "__init__.py" else node.level
    parts = [*base[: len(base) - up], *(node.module or "").split(".")] if node.level else [node.module or ""]
    return ".".join(part for part in parts if part)


def _definitions(tree: ast.Module | ast.ClassDef) -> Iterator[tuple[str, Named, str]]:
    """Functions, classes and assignments in their order, each with its docstring or the string below it."""
    for place, node in enumerate(tree.body):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name, node, ast.get_docstring(node) or ""
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            after = tree.body[place + 1] if place + 1 < len(tree.body) else None
            said = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            text = inspect.cleandoc(after.value.value) if said else ""  # type: ignore[union-attr]
            yield _name(node), node, text or (_without_help(node)[1] if isinstance(node, ast.AnnAssign) else "")


def _name(node: Named) -> str:
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target  # type: ignore[union-attr]
    return target.id if isinstance(target, ast.Name) else ""


def _public(node: ast.AnnAssign) -> bool:
    return not _name(node).startswith("_")


def _tree(module: str) -> ast.Module:
    return ast.parse(_file(module).read_text())


def _file(module: str) -> Path:
    place = SOURCE.joinpath(*module.split("."))
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
