"""Pages of the reference that the registries tell: methods, metrics, profiles, losses and steps, recipes."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from docstrings import escaped, markdown, table

from irvis.losses import LOSSES
from irvis.methods import METHODS
from irvis.metrics import METRICS, PROFILES
from irvis.spec import Method
from irvis.training import recipe, steps

COLOUR = {"gray": "gray first", "channels": "channel by channel"}


def methods() -> str:
    """Every method: its options and defaults, its weights and their licences."""
    parts = [
        "# Methods",
        "What `irvis methods` prints, and more. A method is named `NAME[:WEIGHTS][:option=value…]`, on the command "
        "line as in `irvis.fuse`: `encdec:tiny`, `laplacian:levels=5`.",
        *(_method(METHODS[name]) for name in sorted(METHODS)),
    ]
    return "\n\n".join(parts) + "\n"


def _method(method: Method) -> str:
    page = "average" if method.name in ("max", "visible", "infrared") else method.name
    own = Path(__file__).parents[1] / "methods" / f"{page}.md"
    more = f" [More](../../methods/{page}.md)" if own.is_file() else ""  # published networks have a table, no pages
    title = f"## {method.name}\n\n{escaped(method.summary)}{more}"
    paper = f" · [paper]({method.paper})" if method.paper else ""
    kinds = get_type_hints(method.build.__init__ if method.learnable else method.build)
    options = table(
        ("option", "values", "default"),
        ((f"`{name}`", _values(kinds[name]), f"`{_word(value)}`") for name, value in method.options.items()),
    )
    weights = table(
        (
            "weights",
            "parameters",
            "trained on",
            "licence",
            *dict.fromkeys(s for w in method.weights.values() for s in w.scores),
        ),
        (
            (
                f"`{name}`",
                f"{w.parameters:,}",
                w.trained_on,
                w.licence,
                *(f"{score:.3f}" for score in w.scores.values()),
            )
            for name, w in method.weights.items()
        ),
    )
    return "\n\n".join(part for part in (title + paper, options, weights) if part)


def _values(kind: Any) -> str:
    """What an option takes, in words."""
    if get_origin(kind) is Literal:
        return " ".join(f"`{_word(value)}`" for value in get_args(kind))
    parts = get_args(kind)
    if parts:
        return " or ".join(_values(part) for part in parts)
    words = {int: "whole number", float: "number", bool: "`true` `false`", type(None): "`none`", str: "text"}
    return words.get(kind, getattr(kind, "__name__", str(kind)))


def _word(value: object) -> str:
    """A value as the command line spells it."""
    known = {None: "none", True: "true", False: "false"}
    if value is None or isinstance(value, bool):
        return known[value]
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def metrics() -> str:
    """Every metric: which way is better, its bounds, unit and paper, and what its docstring says."""
    rows = (
        (
            f"[{name}](#{_anchor(name)})",
            escaped(metric.title),
            metric.better,
            _bounds(metric.bounds),
            metric.unit,
            escaped(metric.paper),
        )
        for name, metric in METRICS.items()
    )
    parts = [
        "# Metrics",
        "What `irvis metrics` lists. `irvis.metrics.measure(fused, visible, infrared)` computes them, "
        "`irvis.metrics.METRICS` holds them. What they are good for, and why papers disagree: "
        "[how to read the metrics](../../explain/metrics.md).",
        table(("metric", "name", "better", "bounds", "unit", "paper"), rows),
        *(f"## {name} {{ #{_anchor(name)} }}\n\n{_doc(metric.function)}" for name, metric in METRICS.items()),
    ]
    return "\n\n".join(parts) + "\n"


def _anchor(name: str) -> str:
    return re.sub(r"\W", "-", name).lower()


def _bounds(bounds: tuple[float, float]) -> str:
    return " to ".join(f"{bound:g}".replace("inf", "∞").replace("-", "−") for bound in bounds)


def profiles() -> str:
    """Every profile: whose code, its quirks, its metrics."""
    heads = "\n".join(f"- **`{p.name}`** ({p.code}): {p.notes}. Colour: {COLOUR[p.colour]}." for p in PROFILES.values())
    every = list(dict.fromkeys(name for p in PROFILES.values() for name in p.metrics))
    rows = (
        (
            name,
            *(f"“{p.alias[name]}”" if name in p.alias else "●" if name in p.metrics else "" for p in PROFILES.values()),
        )
        for name in every
    )
    return (
        "# Profiles\n\nA profile computes the metrics as one code does, so that a printed table can be compared with: "
        "`irvis.metrics.measure(…, profile=\"vifb\")`, `irvis evaluate … --profile vifb`.\n\n"
        f"{heads}\n\n## Which metrics a profile has\n\nA name in quotation marks is that code's own.\n\n"
        f"{table(('metric', *PROFILES), rows)}\n"
    )  # fmt: skip


def losses() -> str:
    """What a recipe may name: losses and steps."""
    parts = [
        "# Losses and steps",
        "Names that a recipe may use ([train](../../learn/train.md)). In Python: `irvis.losses`, "
        "`(fused, visible, infrared, **options) -> (batch,)`, differentiable.",
        "## Losses",
        *(f"### {name}\n\n{_options(loss)}{_doc(_inside(loss))}" for name, loss in LOSSES.items()),
        "## Steps",
        *(f"### {name}\n\n{_doc(step)}" for name, step in steps.STEPS.items()),
    ]
    return "\n\n".join(parts) + "\n"


def _inside(loss: Callable[..., Any]) -> Callable[..., Any]:
    """The index behind `1 - index`, whose docstring says more."""
    return getattr(loss, "__wrapped__", loss)


def _options(loss: Callable[..., Any]) -> str:
    shown = {name: value for name, value in (_inside(loss).__kwdefaults__ or {}).items()}
    complement = "1 minus this index:\n\n" if hasattr(loss, "__wrapped__") else ""
    if not shown:
        return complement
    return f"Options: {', '.join(f'`{name} = {_word(value)}`' for name, value in shown.items())}\n\n{complement}"


def recipes() -> str:
    """Every shipped recipe, as it is."""
    parts = [
        "# Recipes",
        "What `irvis train NAME` runs. Keys and their defaults are those of "
        "[`Stage`, `Data` and `Recipe`](../python/training.md).",
    ]
    for path in recipe.shipped():
        loaded = recipe.load(path)
        stages = "1 stage" if len(loaded.stages) == 1 else f"{len(loaded.stages)} stages"
        about = escaped(" ".join(loaded.about.split()))
        parts.append(f"## {path.stem}\n\n{about} Method `{loaded.method}`, {stages}.")
        parts.append(f'??? note "{path.name}"\n\n' + _indented(f"```toml\n{path.read_text().strip()}\n```"))
    return "\n\n".join(parts) + "\n"


def _doc(function: Callable[..., Any]) -> str:
    return markdown(function.__doc__ or "")


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in text.split("\n"))
