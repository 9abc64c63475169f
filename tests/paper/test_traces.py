"""Affect over time: predictions against annotations, and annotations with ratings."""

import numpy as np
import pytest
import xarray as xr

from affectkit import paper
from tests.paper.reading import assert_no_overlap, lines, texts


def test_traces_show_annotation_and_prediction(recording, prediction):
    figure = paper.affect_traces(recording, prediction)
    for axes, affect in zip(figure.axes, ("valence", "arousal"), strict=True):
        shown = lines(axes)
        np.testing.assert_array_equal(shown["annotation"][:, 0], recording["time"])
        np.testing.assert_array_equal(
            shown["annotation"][:, 1], recording["annotation"].sel(affect=affect)
        )
        np.testing.assert_array_equal(
            shown["prediction"][:, 1], prediction["prediction"].sel(affect=affect)
        )
        assert axes.get_ylabel() == affect
        assert {text.get_text() for text in axes.texts} == {"annotation", "prediction"}


def test_traces_have_a_gap_where_there_is_no_face(three_recordings, make_prediction):
    lost = three_recordings[2]
    shown = lines(paper.affect_traces(lost, make_prediction(lost)).axes[0])["prediction"][:, 1]
    assert np.flatnonzero(np.isnan(shown)).tolist() == [5, 6, 7, 8]


def test_traces_without_annotation_are_labelled_not_annotated(recording, prediction):
    recording["annotation"][:] = np.nan
    axes = paper.affect_traces(recording, prediction).axes[0]
    assert axes.get_title(loc="right") == "not annotated"
    assert [text.get_text() for text in axes.texts] == ["prediction"]


def test_traces_of_different_frames_raise_an_error(recording, prediction):
    with pytest.raises(xr.AlignmentError):
        paper.affect_traces(recording, prediction.isel(frame=slice(10)))


def test_annotation_traces_show_ratings_and_gaps(three_recordings):
    second = three_recordings[1]
    ratings = np.stack([second["annotation"].values * share for share in (0.5, 0.9)])
    second = second.assign(rating=(("rater", "frame", "affect"), ratings))
    figure = paper.annotation_traces([three_recordings[0], second])
    lines = figure.axes[2].lines
    assert [line.get_label() for line in lines[1:]] == ["rating", "rating", "annotation"]
    np.testing.assert_array_equal(
        np.flatnonzero(np.isnan(lines[-1].get_ydata())), np.arange(10, 15)
    )
    assert "second, n = 55 frames, 2 raters (grey)" in texts(figure)
    assert_no_overlap(figure)
    table = paper.annotation_traces_table([three_recordings[0], second])
    assert len(table) == 100
    assert table["valence_rating_2"].notna().sum() == 55
