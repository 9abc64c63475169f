"""What is handed in, read back by the loader of the dataset's labels."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from affectkit.datasets import find, on_frames, synthetic
from affectkit.submission import validate, write

# a kind, the dataset whose labels it looks like, and where its sample lies in the drawn dataset
KINDS = {
    "abaw2020": ("affwild2", "VA_Estimation_Challenge/Test_Set"),
    "omg": ("omg", "omg_TestVideos_WithoutLabels.csv"),
    "sewa": ("sewa", "labels_test"),
    "recola": ("recola", "ratings_gold_standard"),
}
FPS = {"abaw2020": 15, "omg": 15, "sewa": 50, "recola": 50}  # 50: every label falls on a frame
ROUNDED = 6e-4


def perfect(known: xr.Dataset, fps: float) -> xr.Dataset:
    """A prediction that knows the annotation; frames without one are not predicted."""
    placed = on_frames(known, np.arange(4 * fps) / fps)
    return xr.Dataset({"prediction": placed["annotation"]})


@pytest.mark.parametrize("kind", KINDS)
def test_a_perfect_prediction_reads_back_as_the_annotation(kind, tmp_path: Path):
    layout, sample = KINDS[kind]
    root, read = tmp_path / "dataset", find(layout).annotations
    synthetic.write(
        root, people=(0, 0, 2), seconds=4, fps=15, size=32, workers=1, missing=0.05, layout=layout
    )
    known = {name: read(root, name) for name in find(layout).index(root)["recording"]}
    predictions = {name: perfect(each, FPS[kind]) for name, each in known.items()}
    out = tmp_path / "read back" / sample.replace("Without", "With")
    write(kind, predictions, root / sample, out)
    assert validate(kind, out, root / sample) == []
    assert len(known) >= 2
    for name, each in known.items():
        back = read(tmp_path / "read back", name)["annotation"]
        there = each["annotation"].notnull()
        assert back.notnull().all()
        np.testing.assert_allclose(back.where(there), each["annotation"], atol=ROUNDED)
