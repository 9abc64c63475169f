from pathlib import Path

import pytest

from affectkit.datasets.synthetic import write

TINY = {"people": (1, 1, 0), "seconds": 1.0, "size": 128, "missing": 0.6, "workers": 1}


@pytest.fixture(scope="session")
def drawn(tmp_path_factory) -> Path:
    """Two people, one second each, drawn in one process; to be read only."""
    return write(tmp_path_factory.mktemp("synthetic") / "drawn", **TINY)


@pytest.fixture(scope="session")
def large(tmp_path_factory) -> Path:
    """Two people in the size that detectors need, ten frames each; to be read only."""
    root = tmp_path_factory.mktemp("synthetic") / "large"
    return write(root, people=(0, 0, 2), seconds=2, fps=5, workers=1)
