"""What several test files share."""

import os
from pathlib import Path

import pytest
import torch

torch.set_num_threads(max(1, min(2, os.cpu_count() or 1)))


@pytest.fixture
def real_data() -> Path:
    """The folder of real pairs, where there is one."""
    return _folder("IRVIS_DATA", "data")


@pytest.fixture
def parity_data() -> Path:
    """The folder of vectors made by the authors' code, where there is one."""
    return _folder("IRVIS_PARITY", "parity")


def _folder(variable: str, name: str) -> Path:
    folder = Path(os.environ.get(variable, Path(__file__).parents[2] / "shared" / name))
    if not folder.is_dir():
        pytest.skip(f"{folder} is not here; set {variable} to the folder that holds these files")
    return folder
