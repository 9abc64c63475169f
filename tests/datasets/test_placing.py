"""Annotations of frames, of moments and of clips, laid on the frames of a video."""

import warnings

import numpy as np
import pytest
import xarray as xr

from affectkit.datasets import on_frames
from affectkit.datasets.placing import annotate
from affectkit.errors import AffectkitError

VALUES = [[0.1, -0.2], [0.3, 0.4], [-1, 1], [0, 0]]
TIME = np.array([0.0, 0.1, 0.15, 0.3])


def lay(values, time=TIME, **rest) -> np.ndarray:
    placed = on_frames(annotate(values, dataset="d", recording="r", **rest), time)
    assert placed["annotation"].dims == ("frame", "affect")
    assert placed["annotation"].dtype == np.float32
    assert placed["frame"].values.tolist() == list(range(len(time)))
    np.testing.assert_array_equal(placed["time"], time)
    return placed["annotation"].values


def test_lines_are_frames():
    np.testing.assert_array_equal(lay(VALUES), np.float32(VALUES))


def test_a_value_that_is_missing_in_one_is_missing_in_both():
    placed = lay([[0.5, np.nan], [np.nan, 0.5], [0.5, 0.5], [np.nan, np.nan]])
    assert np.isnan(placed).all(axis=1).tolist() == [True, True, False, True]


def test_frames_are_taken_by_number():
    placed = lay(VALUES[:2], frame=[3, 1])
    np.testing.assert_array_equal(placed[[3, 1]], np.float32(VALUES[:2]))
    assert np.isnan(placed[[0, 2]]).all()


def test_one_line_too_many_is_cut_in_silence():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(lay([*VALUES, [1, 1]])) == 4


@pytest.mark.parametrize(("lines", "known"), [(2, 2), (6, 4)])
def test_counts_that_differ_by_more_warn_with_both(lines, known):
    with pytest.warns(UserWarning, match=f"r: annotated to frame {lines}, its video has 4"):
        placed = lay([[0.5, 0.5]] * lines)
    assert np.isnan(placed[:, 0]).tolist() == [number >= known for number in range(4)]


def test_nothing_on_any_frame_is_an_error():
    with pytest.raises(AffectkitError, match=r"r: none of its 1 annotated rows .* 4 frames \(0.00"):
        lay(VALUES[:1], frame=[900])


def test_moments_are_interpolated_at_the_time_stamps():
    samples = annotate([[0.0, 1.0], [1.0, 0.0]], dataset="d", recording="r", time=[0.0, 0.1])
    placed = on_frames(samples, np.array([0.0, 0.025, 0.1, 0.4]))["annotation"].values
    np.testing.assert_allclose(placed[:3], [[0, 1], [0.25, 0.75], [1, 0]], rtol=1e-6)
    assert np.isnan(placed[3]).all()


def test_a_clips_value_is_that_of_all_its_frames():
    np.testing.assert_array_equal(lay([0.25, -0.5]), np.float32([[0.25, -0.5]] * 4))


def test_what_comes_along_is_laid_with_it():
    known = annotate(VALUES[:3], dataset="d", recording="r")
    known["still"] = ("frame", ["a.png", "b.png", "c.png"])
    known["rating"] = (("rater", "frame", "affect"), np.ones((2, 3, 2), np.float32))
    placed = on_frames(known, TIME)
    assert placed["still"].values.tolist() == ["a.png", "b.png", "c.png", ""]
    assert placed["rating"].dims == ("rater", "frame", "affect")
    assert placed["rating"].isnull().sum() == 4


def test_ratings_of_moments_keep_their_dims():
    known = annotate(VALUES, dataset="d", recording="r", time=TIME)
    known["rating"] = (("rater", "sample", "affect"), np.float32([VALUES, VALUES]))
    placed = on_frames(known, TIME)
    assert placed["rating"].dims == ("rater", "frame", "affect")
    np.testing.assert_allclose(placed["rating"][1], VALUES, atol=1e-6)
    assert isinstance(placed, xr.Dataset)
