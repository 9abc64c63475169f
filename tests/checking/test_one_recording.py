"""Single recordings, made up: what is a finding, what a note, what neither."""

import numpy as np
import pandas as pd
import pytest

from affectkit.checking.facts import Case, describe, odd_intervals, place
from affectkit.checking.faults import findings, notes
from affectkit.checking.seeing import Seen
from affectkit.datasets.placing import annotate

TIME = np.arange(100) / 25


def case(values, *, announced=100, **more) -> Case:
    """A recording of 100 frames; `more` goes to `annotate`."""
    row = pd.Series(
        {"recording": "one", "subject": "", "split": "", "person": "", "video": "one.mp4",
         "annotation": ("one.csv",), "fps": 25.0}
    )  # fmt: skip
    known = annotate(values, dataset="x", recording="one", **more)
    return place(Case(row, known, Seen(len(TIME), announced, TIME)))


def kinds(found) -> list[str]:
    return [finding.kind for finding in found]


@pytest.mark.parametrize("fps", [7.5, 15.452, 24000 / 1001, 30, 60])
def test_stamps_rounded_to_milliseconds_are_even(fps):
    assert not len(odd_intervals(np.round(np.arange(5000) / fps, 3)))


def test_a_dropped_frame_is_uneven():
    odd = odd_intervals(np.delete(TIME, 40))
    np.testing.assert_allclose(odd, [0.08])
    assert not len(odd_intervals(TIME[:2]))


@pytest.mark.parametrize(
    ("moments", "found", "noted"),
    [
        (np.arange(41) / 10, [], []),  # one sample more, at the end of the last frame
        (np.arange(101) / 25, [], []),
        (np.arange(60) / 10, ["annotation too long"], []),
        (np.arange(25) / 10, [], ["annotation ends early"]),
        (np.arange(40) / 10 + 300, ["annotation beside its video"], []),
    ],
)
def test_moments_are_compared_by_time(moments, found, noted):
    one = case(np.full((len(moments), 2), 0.1), time=moments)
    assert kinds(findings(one)) == found
    assert kinds(notes(one)) == noted


@pytest.mark.parametrize(
    ("lines", "announced", "found", "noted"),
    [
        (100, 100, [], []),
        (99, 100, [], []),
        (101, 100, [], ["one label more than frames"]),
        (102, 100, ["annotation too long"], []),
        (98, 100, ["annotation too short"], []),
        (150, 150, [], []),  # the video is cut short: its own finding says so
        (150, 100, ["annotation too long"], []),
    ],
)
def test_frames_are_compared_by_number(lines, announced, found, noted):
    one = case(np.full((lines, 2), 0.1), announced=announced)
    assert kinds(findings(one)) == found
    assert kinds(notes(one)) == noted


def test_who_names_frames_may_leave_some_out():
    one = case([[0.1, 0.2], [0.3, 0.4]], frame=[3, 50])
    assert not findings(one)
    assert describe(one)["annotated"] == 2


def test_a_clip_is_annotated_on_all_its_frames():
    described = describe(case([0.5, 0.25]))
    assert (described["annotated"], described["labels"]) == (100, 1)
    assert described["valence_mean"] == 0.5


def test_labels_out_of_range_that_a_loader_lets_by_are_found():
    (finding,) = findings(case(np.full((100, 2), 1.5)))
    assert finding.kind == "label out of range"
    assert "expected labels in [-1, 1], got 1.5" in finding.text


def test_seconds_end_with_the_last_frame():
    assert describe(case(np.zeros((100, 2))))["seconds"] == pytest.approx(4.0)
