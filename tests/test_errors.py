"""Kinds of errors that others act on: told by their type, whatever their text says."""

import numpy as np
import pytest
import tifffile
import torch

from irvis import io
from irvis.data.matching import match
from irvis.errors import IrvisError, NotRegisteredError, RangeNeededError, SidesUnknownError


def test_counts_without_a_range_raise_an_error_of_their_own(tmp_path):
    tifffile.imwrite(tmp_path / "a.tiff", np.arange(64 * 64, dtype=np.uint16).reshape(64, 64))
    with pytest.raises(RangeNeededError, match=r"a\.tiff: .* needs a range"):
        io.read_infrared(tmp_path / "a.tiff")


def test_pairs_of_two_sizes_raise_an_error_of_their_own(tmp_path):
    for name, side in (("vi", 64), ("ir", 48)):
        io.write(tmp_path / f"{name}.png", torch.rand(1, 1, side, side))
    with pytest.raises(NotRegisteredError, match="--align"):
        io.read_pair(tmp_path / "vi.png", tmp_path / "ir.png")


@pytest.mark.parametrize("names", [("a", "a"), ("a", "b")], ids=["no folders of sides", "no pairs"])
def test_sides_that_nothing_tells_raise_an_error_of_their_own(tmp_path, names):
    for side, name in zip(("vi", "ir") if names[0] != names[1] else ("x", "y"), names, strict=True):
        io.write(tmp_path / side / f"{name}.png", torch.rand(1, 1, 32, 32))
    with pytest.raises(SidesUnknownError):
        match(tmp_path)


def test_a_kind_of_error_is_an_irvis_error_and_no_error_is_taken_for_it_by_its_text():
    for kind in (RangeNeededError, NotRegisteredError, SidesUnknownError):
        assert issubclass(kind, IrvisError)
    assert not isinstance(IrvisError("this needs a range: --match, Align and fuse"), RangeNeededError)
