"""What users may rely on: the names that `irvis` and a few modules offer, each with a docstring that is complete."""

import inspect
import re
from importlib import import_module

import pytest

import irvis

PUBLIC = {
    "irvis": """METHODS Fuser IrvisError Spec compare create explain fuse fuse_folder fuse_video register""",
    "irvis.align": """FAR SURE Aligner Alignment Model Range Rig accepting align estimate misalignment near""",
    "irvis.check": """Asked Report check judge look_at""",
    "irvis.metrics": """METRICS PROFILES Metric Profile measure sharing""",
    "irvis.options": """AlignOptions ComputeOptions DrawOptions FuseOptions InfraredOptions OutputOptions
        VideoOptions""",
    "irvis.thermal": """Drawing Range Scale Sensing scale_of scaled settled to_unit""",
    "irvis.video": """Frame Source Writer is_video open_source""",
}
"""Module → its public names. A change here is told in CHANGELOG.md."""
OFFERED = [(module, name) for module, names in PUBLIC.items() for name in names.split()]


@pytest.mark.parametrize("module", PUBLIC)
def test_the_public_names_are_these_and_no_others(module):
    assert {name for name in import_module(module).__all__ if name != "__version__"} == set(PUBLIC[module].split())


@pytest.mark.parametrize(("module", "name"), OFFERED)
def test_a_public_function_says_what_each_argument_is(module, name):
    found = getattr(import_module(module), name)
    if not inspect.isroutine(found):
        return
    said = inspect.getdoc(found) or ""
    arguments = [one for one in inspect.signature(found).parameters if one not in ("self", "show")]
    assert said
    assert not [one for one in arguments if not re.search(rf"\b{one}\b", said)]


def test_what_irvis_does_not_offer_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'fuze'"):
        _ = irvis.fuze
