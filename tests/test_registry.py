"""Names of methods, as users write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irvis.creation import parse
from irvis.methods import METHODS


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("encdec", ("encdec", "default", {})),
        ("encdec:paper", ("encdec", "paper", {})),
        ("laplacian:levels=5", ("laplacian", "default", {"levels": 5})),
        ("encdec:tiny:padding=zero:skip=false", ("encdec", "tiny", {"padding": "zero", "skip": False})),
        ("average:weight=0.25", ("average", "default", {"weight": 0.25})),
        ("encdec:runs/a/best.safetensors", ("encdec", "runs/a/best.safetensors", {})),
    ],
)
def test_a_name_has_weights_and_options(text, parts):
    assert parse(text) == parts


@given(st.dictionaries(st.sampled_from("abc"), st.one_of(st.integers(), st.booleans()), max_size=3))
def test_options_come_back_as_they_were_written(options):
    text = ":".join(["method", *(f"{key}={value}" for key, value in options.items())])
    assert parse(text)[2] == options


def test_every_method_says_what_it_does():
    for method in METHODS.values():
        assert method.summary.endswith(".")
        assert method.spec(**method.small).multiple >= 1
