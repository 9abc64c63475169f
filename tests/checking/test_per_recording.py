"""Findings and notes of single recordings."""

import numpy as np
import pandas as pd
import pytest

from affectkit.checking.frames import DecodedVideo
from affectkit.checking.per_recording import (
    CheckedRecording,
    align,
    findings,
    notes,
    odd_intervals,
    recording_row,
)
from affectkit.datasets.annotation import make_annotation

TIME = np.arange(100) / 25


def case(values, *, header_frames=100, **more) -> CheckedRecording:
    """A recording of 100 frames; `more` is passed to `make_annotation`."""
    row = pd.Series(
        {"recording": "one", "subject": "", "split": "", "person": "", "video": "one.mp4",
         "annotation": ("one.csv",), "fps": 25.0}
    )  # fmt: skip
    annotation = make_annotation(values, dataset="x", recording="one", **more)
    return align(CheckedRecording(row, annotation, DecodedVideo(len(TIME), header_frames, TIME)))


def kinds(found) -> list[str]:
    return [finding.kind for finding in found]


@pytest.mark.parametrize("fps", [7.5, 15.452, 24000 / 1001, 30, 60])
def test_time_stamps_rounded_to_milliseconds_are_regular(fps):
    assert not len(odd_intervals(np.round(np.arange(5000) / fps, 3)))


def test_a_dropped_frame_is_an_odd_interval():
    odd = odd_intervals(np.delete(TIME, 40))
    np.testing.assert_allclose(odd, [0.08])
    assert not len(odd_intervals(TIME[:2]))


@pytest.mark.parametrize(
    ("moments", "found", "noted"),
    [
        (np.arange(41) / 10, [], []),  # one extra sample, at the end of the last frame
        (np.arange(101) / 25, [], []),
        (np.arange(60) / 10, ["annotation too long"], []),
        (np.arange(25) / 10, [], ["annotation ends early"]),
        (np.arange(40) / 10 + 300, ["annotation outside the video"], []),
    ],
)
def test_samples_are_compared_by_time(moments, found, noted):
    one = case(np.full((len(moments), 2), 0.1), time=moments)
    assert kinds(findings(one)) == found
    assert kinds(notes(one)) == noted


@pytest.mark.parametrize(
    ("lines", "header_frames", "found", "noted"),
    [
        (100, 100, [], []),
        (99, 100, [], []),
        (101, 100, [], ["one label more than frames"]),
        (102, 100, ["annotation too long"], []),
        (98, 100, ["annotation too short"], []),
        (150, 150, [], []),  # the video is cut short, which is another finding
        (150, 100, ["annotation too long"], []),
    ],
)
def test_frames_are_compared_by_number(lines, header_frames, found, noted):
    one = case(np.full((lines, 2), 0.1), header_frames=header_frames)
    assert kinds(findings(one)) == found
    assert kinds(notes(one)) == noted


def test_frame_numbers_may_have_gaps():
    one = case([[0.1, 0.2], [0.3, 0.4]], frame=[3, 50])
    assert not findings(one)
    assert recording_row(one)["annotated_frames"] == 2


def test_a_clip_is_annotated_on_all_its_frames():
    row = recording_row(case([0.5, 0.25]))
    assert (row["annotated_frames"], row["labels"]) == (100, 1)
    assert row["valence_mean"] == 0.5


def test_labels_out_of_range_are_found_if_a_loader_accepts_them():
    (finding,) = findings(case(np.full((100, 2), 1.5)))
    assert finding.kind == "label out of range"
    assert "expected labels in [-1, 1], got 1.5" in finding.text


def test_the_duration_includes_the_last_frame():
    assert recording_row(case(np.zeros((100, 2))))["seconds"] == pytest.approx(4.0)
