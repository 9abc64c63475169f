"""Annotations of frames, samples and clips are aligned to the frames of a video."""

import numpy as np
import xarray as xr

from affectkit.datasets import align_to_frames
from affectkit.datasets.annotation import make_annotation

VALUES = [[0.1, -0.2], [0.3, 0.4], [-1, 1], [0, 0]]
TIME = np.array([0.0, 0.1, 0.15, 0.3])


def aligned_values(values, time=TIME, **rest) -> np.ndarray:
    aligned = align_to_frames(make_annotation(values, dataset="d", recording="r", **rest), time)
    assert aligned["annotation"].dims == ("frame", "affect")
    assert aligned["annotation"].dtype == np.float32
    assert aligned["frame"].values.tolist() == list(range(len(time)))
    np.testing.assert_array_equal(aligned["time"], time)
    return aligned["annotation"].values


def test_lines_are_frames():
    np.testing.assert_array_equal(aligned_values(VALUES), np.float32(VALUES))


def test_nan_in_one_affect_makes_both_nan():
    aligned = aligned_values([[0.5, np.nan], [np.nan, 0.5], [0.5, 0.5], [np.nan, np.nan]])
    assert np.isnan(aligned).all(axis=1).tolist() == [True, True, False, True]


def test_frames_are_taken_by_number():
    aligned = aligned_values(VALUES[:2], frame=[3, 1])
    np.testing.assert_array_equal(aligned[[3, 1]], np.float32(VALUES[:2]))
    assert np.isnan(aligned[[0, 2]]).all()


def test_labels_after_the_last_frame_are_dropped():
    assert len(aligned_values([*VALUES, [1, 1]])) == 4


def test_samples_are_interpolated_at_the_time_stamps():
    samples = make_annotation([[0.0, 1.0], [1.0, 0.0]], dataset="d", recording="r", time=[0.0, 0.1])
    aligned = align_to_frames(samples, np.array([0.0, 0.025, 0.1, 0.4]))["annotation"].values
    np.testing.assert_allclose(aligned[:3], [[0, 1], [0.25, 0.75], [1, 0]], rtol=1e-6)
    assert np.isnan(aligned[3]).all()


def test_the_value_of_a_clip_applies_to_all_frames():
    np.testing.assert_array_equal(aligned_values([0.25, -0.5]), np.float32([[0.25, -0.5]] * 4))


def test_other_variables_are_aligned_too():
    annotation = make_annotation(VALUES[:3], dataset="d", recording="r")
    annotation["still"] = ("frame", ["a.png", "b.png", "c.png"])
    annotation["rating"] = (("rater", "frame", "affect"), np.ones((2, 3, 2), np.float32))
    aligned = align_to_frames(annotation, TIME)
    assert aligned["still"].values.tolist() == ["a.png", "b.png", "c.png", ""]
    assert aligned["rating"].dims == ("rater", "frame", "affect")
    assert aligned["rating"].isnull().sum() == 4


def test_sampled_ratings_keep_their_dims():
    annotation = make_annotation(VALUES, dataset="d", recording="r", time=TIME)
    annotation["rating"] = (("rater", "sample", "affect"), np.float32([VALUES, VALUES]))
    aligned = align_to_frames(annotation, TIME)
    assert aligned["rating"].dims == ("rater", "frame", "affect")
    np.testing.assert_allclose(aligned["rating"][1], VALUES, atol=1e-6)
    assert isinstance(aligned, xr.Dataset)
