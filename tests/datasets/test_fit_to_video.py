"""Whether an annotation and a video can belong together."""

import re

import numpy as np
import pytest

from affectkit.datasets import LabelFormat, Severity, fit_to_video, table
from affectkit.datasets.annotation import make_annotation
from tests.datasets.files import write_lines

TIME = np.arange(100) / 25


def fit(header_frames=0, **more):
    rows = len(more.get("time", more.get("frame", ())))
    annotation = make_annotation(np.full((rows, 2), 0.1), dataset="d", recording="r", **more)
    return fit_to_video(annotation, TIME, header_frames)


def fit_table(path, header, rows, **labels):
    lines = [f"{','.join(map(str, row))},0.5,0.5" for row in rows]
    write_lines(path, f"{header},valence,arousal", *lines)
    return fit_to_video(table.read_table(path, LabelFormat(**labels)), TIME)


def kinds(fitted, severity):
    return [misfit.kind for misfit in fitted.misfits if misfit.severity is severity]


@pytest.mark.parametrize(
    ("header", "positions", "kind", "text"),
    [
        ("time", np.arange(100) * 40, "annotation too long",
         "to 3960 s, but the video ends at 3.96 s; as milliseconds .*: --time-unit ms"),
        ("time", np.arange(100), "annotation too long", "as frame numbers .*--time-unit frames"),
        ("time_ms", np.arange(100) / 25, "impossible rate of labels",
         "25000 labels per second; as seconds they would fit: --time-unit s"),
        ("frame", np.arange(100) * 40, "annotation too long",
         "got 3961; as milliseconds they would fit: --time-unit ms"),
        ("time", np.arange(41) / 10 + 1.7e9, "annotation outside the video",
         r"as long as the video: subtract 1\.7e\+09 s"),
        ("time", np.arange(301) / 10, "annotation too long", "is of this video"),
    ],
)  # fmt: skip
def test_labels_that_cannot_belong_to_the_video_name_the_unit(
    header, positions, kind, text, tmp_path
):
    fitted = fit_table(tmp_path / "a.csv", header, positions.reshape(-1, 1).tolist())
    (misfit,) = [each for each in fitted.misfits if each.severity is Severity.IMPOSSIBLE]
    assert misfit.kind == kind
    assert re.search(text, misfit.text)


@pytest.mark.parametrize(
    ("header", "positions", "unit"),
    [("time", np.arange(100) * 40, "ms"), ("time", np.arange(100), "frames"),
     ("time_ms", np.arange(100) / 25, "s"), ("frame", np.arange(100) * 40, "ms")],
)  # fmt: skip
def test_in_the_unit_that_is_named_the_labels_fit(header, positions, unit, tmp_path):
    rows = positions.reshape(-1, 1).tolist()
    fitted = fit_table(tmp_path / "a.csv", header, rows, time_unit=unit)
    assert not fitted.misfits
    assert not fitted.aligned["annotation"].isnull().any()


def test_labels_of_a_video_that_is_cut_short_may_be_longer():
    assert kinds(fit(time=np.arange(301) / 10), Severity.IMPOSSIBLE) == ["annotation too long"]
    cut_short = fit(header_frames=750, time=np.arange(301) / 10)
    assert not kinds(cut_short, Severity.IMPOSSIBLE)


def test_no_label_on_any_frame_is_impossible():
    (misfit,) = fit(frame=[150, 160]).misfits
    assert misfit.severity is Severity.IMPOSSIBLE
    assert "none of the 2 annotated rows belongs to one of the 100 frames" in misfit.text


def test_numbers_from_one_to_the_number_of_frames_are_counted_from_one(tmp_path):
    fitted = fit_table(tmp_path / "a.csv", "frame", [[number] for number in range(1, 101)])
    assert kinds(fitted, Severity.PROBLEM) == ["frames counted from 1"]
    assert "1 to 100 and the video has 100 frames" in fitted.misfits[0].text
    assert not fitted.aligned["annotation"].isnull().any()
    confirmed = fit_table(
        tmp_path / "a.csv", "frame", [[number] for number in range(1, 101)], first_frame=1
    )
    assert not confirmed.misfits
    assert not confirmed.aligned["annotation"].isnull().any()


@pytest.mark.parametrize(("first", "kind"), [(1, ["frames counted from 1"]), (0, [])])
def test_a_column_of_times_says_whether_frames_are_counted_from_zero(first, kind, tmp_path):
    rows = [[number + first, number / 25] for number in range(first, 60)][2:]
    fitted = fit_table(tmp_path / "a.csv", "frame,time", rows)
    assert kinds(fitted, Severity.PROBLEM) == kind
    annotated = fitted.aligned["annotation"].notnull().all("affect").values
    assert np.flatnonzero(annotated)[0] == 2 + first


def test_numbers_from_one_on_are_counted_from_zero_with_a_remark(tmp_path):
    rows = [[number] for number in range(1, 51)]
    fitted = fit_table(tmp_path / "a.csv", "frame", rows)
    assert kinds(fitted, Severity.PROBLEM) == ["first frame unclear"]
    assert np.isnan(fitted.aligned["annotation"].values[0]).all()
    assert not fit_table(tmp_path / "a.csv", "frame", rows, first_frame=0).misfits


def test_a_table_that_is_held_may_end_early(tmp_path):
    rows = [[0], [0.5]]
    assert not fit_table(tmp_path / "a.csv", "time", rows, between="hold").misfits
    ends_early = fit_table(tmp_path / "a.csv", "time", rows)
    assert kinds(ends_early, Severity.NOTE) == ["annotation ends early"]
