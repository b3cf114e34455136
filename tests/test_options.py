"""An option of `irvis fuse` is one field of one record, and every front knows it."""

from dataclasses import fields
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

import pytest

from irvis.app import request
from irvis.cli.common import app
from irvis.errors import IrvisError
from irvis.options import FuseOptions, InfraredOptions
from irvis.options.fuse import homes_of

RECORDS = {name: kind for name, kind in get_type_hints(FuseOptions).items() if name != "range_per"}
FIELDS = [(part, field) for part, kind in RECORDS.items() for field in fields(kind)]

OTHER: dict[str, object] = {
    "infrared_range": "20C,40C", "infrared_raw": "640x512", "infrared_crop": "0,2,160,120", "nodata": "-9999",
    "emissivity": 0.9, "humidity": 0.5, "window_transmission": 0.9, "kelvin_per_count": 0.01, "frame": 3,
    "rig": Path("rig.json"), "fps": "25", "infrared_fps": "9", "start": "1:30", "duration": "20", "offset": 0.5,
    "decoder": "mine.py:celsius", "drift": "30/29.83",
    "codec": "ffv1", "pixel_format": "gray", "spot": ["3,4"], "calibration": Path("pairs"), "memory": "2GB",
    "quality": 80, "steady": False, "audio": False, "device": "cuda", "ray": ["auto"],
}  # fmt: skip
"""A value that is not the default, where the type does not give one."""

PAGE = {
    "infrared_range", "infrared_color", "resize_infrared", "infrared_unit", "polarity", "emissivity", "distance",
    "reflected", "kelvin_per_count", "align", "crop_to_overlap", "temperature_sidecar", "hottest", "palette", "msx",
    "duration", "sync", "explain", "if_exists", "format", "quality", "color",
}  # fmt: skip
"""What the page offers, or sets for its visitors."""
NOT_ON_PAGE = {
    "decoder", "drift", "frame", "infrared_raw", "infrared_crop", "nodata", "atmospheric", "humidity",
    "window_temperature", "window_transmission", "align_model", "align_flow", "rig", "spot", "fps", "infrared_fps",
    "start", "offset",
    "infrared_frames", "visible_stream", "infrared_stream", "range_seconds", "level_infrared", "steady", "codec", "crf",
    "pixel_format", "audio", "sheet", "device", "runtime", "precision", "strict", "error", "calibration",
    "tile", "memory", "batch", "workers", "ray",
}  # fmt: skip
"""What the page leaves to the command line: too rare, files of the server, or set by who runs it."""


def flags(verb: str) -> set[str]:
    return {name for argument in app[verb].assemble_argument_collection() for name in argument.names}


def test_no_two_records_have_a_field_of_one_name():
    names = [field.name for _, field in FIELDS]
    assert len(names) == len(set(names))
    assert set(homes_of()) == {*names, "range_per"}


@pytest.mark.parametrize("name", homes_of())
def test_every_field_is_a_flag_of_fuse(name):
    assert f"--{name.replace('_', '-')}" in flags("fuse")


@pytest.mark.parametrize("verb", ["check", "evaluate", "study", "align", "live"])
def test_verbs_that_read_infrared_take_every_option_of_reading(verb):
    assert {f"--{field.name.replace('_', '-')}" for field in fields(InfraredOptions)} <= flags(verb)


@pytest.mark.parametrize("name", homes_of())
def test_every_field_is_a_keyword_in_python(name):
    value = changed(name)
    options = FuseOptions.of(**with_company(name, value))
    home = homes_of()[name]
    assert getattr(getattr(options, home) if home else options, name) == value


def test_the_page_offers_a_field_or_leaves_it_out_on_purpose():
    assert {field.name for _, field in FIELDS} == PAGE | NOT_ON_PAGE
    assert not PAGE & NOT_ON_PAGE


@pytest.mark.parametrize("name", sorted(PAGE - {"if_exists"}))
def test_the_command_that_the_page_shows_has_every_option(name):
    options = FuseOptions.of(**with_company(name, changed(name)))
    shown = request.command(request.Request(options=options), ["v.png", "i.png"], "average", "o", several=True)
    assert f"--{name.replace('_', '-')}" in shown.split()


def test_an_option_that_is_not_there_is_an_error_that_names_the_nearest():
    with pytest.raises(IrvisError, match=r"no option 'infrared_rang'. Did you mean 'infrared_range'"):
        FuseOptions.of(infrared_rang="1%,99%")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"fps": 25}, "fps must be a text or none, not 25"),
        ({"color": "grey"}, "color must be one of keep, gray, not 'grey'"),
        ({"spot": "3,4"}, "spot must be a list or none, not '3,4'"),
        ({"range_per": "video"}, "range_per must be one of image, sequence or none"),
        ({"quality": 0}, "--quality is 1 to 100"),
    ],
)
def test_a_value_of_the_wrong_kind_is_one_line(given, told):
    with pytest.raises(IrvisError, match=told):
        FuseOptions.of(**given)


def changed(name: str) -> object:
    """A value of the field that is not its default."""
    if name in OTHER:
        return OTHER[name]
    home = homes_of()[name]
    kind = RECORDS[home] if home else FuseOptions
    default = next(field.default for field in fields(kind) if field.name == name)
    choices = [one for one in literals(get_type_hints(kind)[name]) if one != default]
    if choices:
        return choices[0]
    return not default if isinstance(default, bool) else 2 if "int" in str(get_type_hints(kind)[name]) else 2.0


def literals(kind: object) -> list[object]:
    found = list(get_args(kind)) if get_origin(kind) is Literal else []
    return found + [one for inner in get_args(kind) if get_origin(kind) is not Literal for one in literals(inner)]


def with_company(name: str, value: object) -> dict[str, object]:
    """With an option that this one needs."""
    needs = {"align_flow": "align", "align_model": "align", "crop_to_overlap": "align"}
    return {name: value, **({needs[name]: True} if name in needs else {})}
