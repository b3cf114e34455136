"""Pages of the reference that the command line tells: every verb's help, as tables."""

import re
from typing import Any

from docstrings import escaped, markdown, table

from irvis.cli import app


def verbs() -> dict[str, str]:
    """Verb → the page of its help, in the order of `irvis --help`."""
    found = [name for name in app if not name.startswith("-")]
    order = sorted(found, key=lambda name: (app[name].group[0].sort_key, name))
    return {name: verb(name) for name in order}


def verb(name: str) -> str:
    """What `irvis NAME --help` says, as tables."""
    command = app[name]
    groups: dict[str, list[Any]] = {}
    for argument in command.assemble_argument_collection():
        if argument.names == ("*",):  # a record whose fields follow as options of their own
            continue
        groups.setdefault(argument.parameter.group[0].name, []).append(argument)
    summary, _, rest = command.help.partition("\n\n")
    parts = [f"# irvis {name}", escaped(" ".join(summary.split())), _examples(rest)]
    for group, arguments in groups.items():
        rows = [_argument(argument) for argument in arguments]
        parts.append(
            f"## {'What it takes' if group == 'Parameters' else group}\n\n{table(('', 'what', 'values'), rows)}"
        )
    return "\n\n".join(part for part in parts if part) + "\n"


def _examples(text: str) -> str:
    """Lines of commands in a block, the rest as it is."""
    blocks = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = [line.strip() for line in block.split("\n")]
        if lines[0].startswith("irvis "):
            blocks.append("```bash\n" + "\n".join(lines) + "\n```")
        elif block:
            blocks.append(markdown("\n".join(lines)))
    return "\n\n".join(blocks)


def _argument(argument: Any) -> tuple[str, str, str]:
    names = [name for name in argument.names if not name.startswith("--no-")]
    positional = argument.field_info.kind.name == "POSITIONAL_OR_KEYWORD"
    label = f"`{names[0].removeprefix('--').upper()}`" if positional else " ".join(f"`{name}`" for name in names)
    choices = argument.get_choices()
    default = argument.field_info.default
    shown = " ".join(f"`{choice}`" for choice in choices) if choices else ""
    if argument.required:
        shown = f"{shown} required".strip()
    elif default not in (None, False, "", ()) and default is not argument.field_info.empty:
        shown = f"{shown} default `{default}`".strip()
    return label, escaped(argument.parameter.help or ""), shown
