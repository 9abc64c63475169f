from pathlib import Path

import pytest

from affectkit.datasets.synthetic import write_synthetic

TINY = {"subjects": (1, 1, 0), "seconds": 1.0, "size": 128, "missing": 0.6, "workers": 1}


@pytest.fixture(scope="session")
def synthetic_root(tmp_path_factory) -> Path:
    """Two subjects, one second each, written in one process; read-only."""
    return write_synthetic(tmp_path_factory.mktemp("synthetic") / "data", **TINY)


@pytest.fixture(scope="session")
def detectable(tmp_path_factory) -> Path:
    """Two subjects at the size that detectors need, ten frames each; read-only."""
    root = tmp_path_factory.mktemp("synthetic") / "large"
    return write_synthetic(root, subjects=(0, 0, 2), seconds=2, fps=5, workers=1)
