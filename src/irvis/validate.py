"""Values that a user wrote: read from text, held against the annotation of what they are for, and names like theirs."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin


def misfit(value: Any, kind: Any) -> str:
    """What `value` should have been, in words ("a whole number"); empty where it fits."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        alike = any(value == one and type(value) is type(one) for one in arguments)
        return "" if alike else f"one of {', '.join(map(str, arguments))}"
    if origin is tuple:
        return _misfit_tuple(value, arguments)
    if origin in (UnionType, Union):
        wanted = [misfit(value, one) for one in arguments]
        return "" if "" in wanted else " or ".join(wanted)
    if kind is Any:
        return ""
    if origin is list:
        return misfit_list(tuple(value) if isinstance(value, list) else None, arguments[0]) and "a list"
    if origin is Mapping:
        alike = isinstance(value, dict) and not any(misfit(one, arguments[1]) for one in value.values())
        return "" if alike else "a table of tables" if get_origin(arguments[1]) is Mapping else "a table"
    return _misfit_plain(value, kind)


def _misfit_tuple(value: Any, arguments: tuple[Any, ...]) -> str:
    if arguments[-1] is Ellipsis:
        wanted = misfit_list(value, arguments[0])
        return f"a list, each {wanted}" if wanted else ""
    fits = isinstance(value, tuple) and len(value) == len(arguments)
    if fits and not any(misfit(one, kind) for one, kind in zip(value, arguments, strict=True)):
        return ""
    return f"a list of {len(arguments)}"


def misfit_list(value: Any, kind: Any) -> str:
    """What the entries of a list should have been; empty where all fit."""
    if not isinstance(value, tuple):
        return misfit(None, kind) or "an entry"
    return next((wanted for one in value if (wanted := misfit(one, kind))), "")


_WORDS = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "a text",
    dict: "a table",
    NoneType: "none",
}


def _misfit_plain(value: Any, kind: type) -> str:
    if kind in (int, float):
        number = isinstance(value, int if kind is int else (int, float)) and not isinstance(value, bool)
        return "" if number and abs(value) < float("inf") else _WORDS[kind]  # not a number fails the comparison
    return "" if isinstance(value, kind) else _WORDS.get(kind, kind.__name__)


def value_of(text: str) -> Any:
    """A number, true, false, none, or the text itself."""
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            continue
    return {"true": True, "false": False, "none": None}.get(text.lower(), text)


def meant(text: str, known: Iterable[str]) -> str:
    """A question that ends a message: " Did you mean 'laplacian'?"; empty where no known name is like the text."""
    like = get_close_matches(text, list(known), n=1)
    return f". Did you mean {like[0]!r}?" if like else ""
