"""Tables about annotations, against numbers counted by hand."""

import numpy as np
import pytest
import xarray as xr

from affectkit.datasets import synthetic
from affectkit.datasets.placing import annotate
from affectkit.describing import (
    CELLS,
    affect_cells,
    affect_values,
    coverage,
    gather,
    subject_means,
)
from affectkit.errors import AffectkitError


def labelled(values, name="a", subject="", **more) -> xr.Dataset:
    known = annotate(values, dataset="x", recording=name, **more)
    return known.assign_attrs(subject=subject, split="train")


def test_values_of_frames_moments_and_clips_are_joined_without_the_invalid():
    frames = labelled([[0.1, 0.2], [np.nan, 0.3]])
    moments = labelled([[0.3, 0.4]], time=[0.5])
    clip = labelled([0.5, 0.6])
    values = affect_values([frames, moments, clip])
    np.testing.assert_allclose(values, [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]], atol=1e-7)


def test_cells_hold_every_label_once_and_tenths_lie_within():
    tenths = np.round(np.arange(-10, 11) / 10, 1)
    known = labelled(np.stack([tenths, -tenths], axis=1))
    cells = affect_cells([known])
    assert len(cells) == CELLS**2
    held = cells[cells["labels"] > 0]
    assert held["labels"].tolist() == [1] * 21
    np.testing.assert_allclose(held["valence"], tenths, atol=1 / CELLS)
    np.testing.assert_allclose(held["arousal"], -held["valence"], atol=1e-9)


def test_subjects_are_pooled_over_their_recordings():
    known = [
        labelled([[0.1, 0], [0.3, 0]], "a", "ann"),
        labelled([[0.5, -1], [np.nan, np.nan]], "b", "ann"),
        labelled([[0, 1]], "c"),
        labelled([[np.nan, np.nan]], "d", "dan"),
    ]
    means = subject_means(known).set_index("subject")
    assert list(means.index) == ["ann", "c"]
    assert means.loc["ann", ["recordings", "labels"]].tolist() == [2, 3]
    assert means.loc["ann", "valence_mean"] == pytest.approx(0.3)
    assert means.loc["ann", "valence_sd"] == pytest.approx(np.std([0.1, 0.3, 0.5]))
    assert means.loc["c", "arousal_sd"] == 0


def test_coverage_counts_the_frames_of_each_kind(three_recordings):
    table = coverage(three_recordings[::-1])
    assert table["recording"].drop_duplicates().tolist() == ["first", "second", "third"]
    second = table[table["recording"] == "second"]
    assert second["frames"].tolist() == [10, 5, 45]
    assert second["annotated"].tolist() == [True, False, True]
    np.testing.assert_allclose(second["start"], [0, 0.4, 0.6])
    np.testing.assert_allclose(second["end"], [0.4, 0.6, 2.4])
    third = table[table["recording"] == "third"]
    assert third["face"].tolist() == [True, False, True]
    assert table["frames"].sum() == 40 + 60 + 25


def test_recordings_are_gathered_without_their_faces(stores):
    known = gather(stores)
    assert [each.attrs["recording"] for each in known] == ["first", "second", "third"]
    assert not any("face" in each for each in known)


def test_a_dataset_is_gathered_with_subject_and_split(tmp_path):
    root = synthetic.write(tmp_path / "r", people=(1, 1, 0), seconds=1, fps=8, size=64, workers=1)
    known = gather(root, "affwild2")
    assert [each.attrs["split"] for each in known] == ["train", "validation"]
    assert known[0].attrs["subject"] == "person_000"
    with pytest.raises(AffectkitError, match="run: affectkit prepare"):
        coverage(known)


@pytest.mark.parametrize("table", [affect_cells, subject_means])
def test_nothing_annotated_is_one_clear_line(table):
    with pytest.raises(AffectkitError, match="none of 1 recordings"):
        table([labelled([[np.nan, np.nan]])])
