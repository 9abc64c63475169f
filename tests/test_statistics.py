"""Statistics of annotations, compared with numbers counted by hand."""

import numpy as np
import pytest
import xarray as xr

from affectkit.datasets import synthetic
from affectkit.datasets.annotation import make_annotation
from affectkit.errors import AffectkitError
from affectkit.statistics import (
    CELLS,
    affect_histogram,
    affect_values,
    coverage,
    read_annotations,
    subject_means,
)


def labelled(values, name="a", subject="", **more) -> xr.Dataset:
    known = make_annotation(values, dataset="x", recording=name, **more)
    return known.assign_attrs(subject=subject, split="train")


def test_values_of_frames_samples_and_clips_are_pooled_without_nan():
    frames = labelled([[0.1, 0.2], [np.nan, 0.3]])
    samples = labelled([[0.3, 0.4]], time=[0.5])
    clip = labelled([0.5, 0.6])
    values = affect_values([frames, samples, clip])
    np.testing.assert_allclose(values, [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]], atol=1e-7)


def test_the_histogram_counts_every_label_once_in_the_cell_of_its_value():
    tenths = np.round(np.arange(-10, 11) / 10, 1)
    known = labelled(np.stack([tenths, -tenths], axis=1))
    histogram = affect_histogram(affect_values([known]))
    assert histogram.sizes == {"valence": CELLS, "arousal": CELLS}
    cells = histogram.to_dataframe().reset_index()
    held = cells[cells["labels"] > 0]
    assert held["labels"].tolist() == [1] * 21
    np.testing.assert_allclose(held["valence"], tenths, atol=1 / CELLS)
    np.testing.assert_allclose(held["arousal"], -held["valence"], atol=1e-9)


def test_the_recordings_of_a_subject_are_pooled():
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
    assert means.loc["ann", "valence_std"] == pytest.approx(np.std([0.1, 0.3, 0.5]))
    assert means.loc["c", "arousal_std"] == 0


def test_coverage_counts_the_frames_of_each_status(three_recordings):
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


def test_annotations_of_recordings_are_read_without_faces(three_stored):
    known = read_annotations(str(three_stored))
    assert [each.attrs["recording"] for each in known] == ["first", "second", "third"]
    assert not any("face" in each for each in known)


def test_annotations_of_a_dataset_have_subject_and_split(tmp_path):
    root = synthetic.write_synthetic(
        tmp_path / "r", subjects=(1, 1, 0), seconds=1, fps=8, size=64, workers=1
    )
    known = read_annotations(root, "affwild2")
    assert [each.attrs["split"] for each in known] == ["train", "validation"]
    assert known[0].attrs["subject"] == "person_000"
    with pytest.raises(AffectkitError, match="run: affectkit prepare"):
        coverage(known)


@pytest.mark.parametrize("function", [affect_values, subject_means])
def test_recordings_without_annotations_raise_an_error(function):
    with pytest.raises(AffectkitError, match="none of 1 recordings"):
        function([labelled([[np.nan, np.nan]])])
