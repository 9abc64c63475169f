"""Submissions are read back by the loader of the dataset's labels."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from affectkit.datasets import align_to_frames, find_loader, synthetic
from affectkit.submission import check_submission, write_submission

# challenge: the dataset with the same label format, and the sample in the synthetic dataset
CASES = {
    "abaw2020": ("affwild2", "VA_Estimation_Challenge/Test_Set"),
    "omg": ("omg", "omg_TestVideos_WithoutLabels.csv"),
    "sewa": ("sewa", "labels_test"),
    "recola": ("recola", "ratings_gold_standard"),
}
FPS = {"abaw2020": 15, "omg": 15, "sewa": 50, "recola": 50}  # 50: every label falls on a frame
ROUNDED = 6e-4


def perfect(known: xr.Dataset, fps: float) -> xr.Dataset:
    """A prediction equal to the annotation; NaN in frames without annotation."""
    placed = align_to_frames(known, np.arange(4 * fps) / fps)
    return xr.Dataset({"prediction": placed["annotation"]})


@pytest.mark.parametrize("challenge", CASES)
def test_a_perfect_prediction_reads_back_as_the_annotation(challenge, tmp_path: Path):
    layout, sample = CASES[challenge]
    root, read = tmp_path / "dataset", find_loader(layout).annotations
    synthetic.write_synthetic(
        root, subjects=(0, 0, 2), seconds=4, fps=15, size=32, workers=1, missing=0.05, layout=layout
    )
    known = {name: read(root, name) for name in find_loader(layout).index(root)["recording"]}
    predictions = {name: perfect(each, FPS[challenge]) for name, each in known.items()}
    out = tmp_path / "read back" / sample.replace("Without", "With")
    write_submission(challenge, predictions, root / sample, out)
    assert check_submission(challenge, out, root / sample) == []
    assert len(known) >= 2
    for name, each in known.items():
        back = read(tmp_path / "read back", name)["annotation"]
        there = each["annotation"].notnull()
        assert back.notnull().all()
        np.testing.assert_allclose(back.where(there), each["annotation"], atol=ROUNDED)
