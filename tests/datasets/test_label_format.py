"""Units, ranges and frame numbers of tables, and the files of CARMA and DARMA."""

import numpy as np
import pytest

from affectkit.datasets import LabelFormat, align_to_frames, table
from affectkit.errors import AffectkitError
from tests.datasets.files import write_grey, write_lines

CARMA = (
    "Time of Rating,14-May-2017 10:12:13",
    "Multimedia File,clip.mp4",
    "Lower Label,very negative",
    "Upper Label,very positive",
    "Minimum Value,-100",
    "Maximum Value,100",
    "Number of Steps,9",
    "Second,Rating",
    "%%%%%%,%%%%%%",
)
DARMA = (
    "Time of Rating,14-May-2017 10:12:13,,",
    "Multimedia File,clip.mp4,,",
    "Magnitude,1000,,",
    "Second,Valence,Arousal,Button",
    "%%%%%%,%%%%%%,%%%%%%,%%%%%%",
)


def read(path, *lines, **labels):
    return table.read_table(write_lines(path, *lines), LabelFormat(**labels))


def values(annotation):
    return annotation["annotation"].values.tolist()


def test_darma_writes_both_affects_and_its_range(tmp_path):
    annotation = read(tmp_path / "a.csv", *DARMA, "0.5,-1000,500,0", "1,NaN,NaN,NaN", "1.5,0,250,1")
    assert annotation["time"].values.tolist() == [0.25, 0.75, 1.25]  # the middle of each bin
    assert values(annotation)[::2] == [[-1, 0.5], [0, 0.25]]
    assert np.isnan(values(annotation)[1]).all()
    assert annotation.attrs["source_range"] == {"valence": [-1000, 1000], "arousal": [-1000, 1000]}


@pytest.mark.parametrize(
    "names",
    [("clip_valence.csv", "clip_arousal.csv"), ("Valence clip.csv", "Arousal clip.csv"),
     ("valence/clip.csv", "arousal/clip.csv")],
)  # fmt: skip
def test_carma_writes_one_affect_per_file_named_by_file_or_folder(names, tmp_path):
    for name, rows in zip(names, (["1,-100", "2,50"], ["1,100", "2,0"]), strict=True):
        write_lines(tmp_path / name, *CARMA, *rows)
    expected = [[-1, 1], [0.5, 0]]
    assert values(table.read_table([tmp_path / name for name in names])) == expected
    write_grey(tmp_path / "videos" / "clip.mp4")
    row = table.index(tmp_path).iloc[0]
    assert (row["recording"], len(row["annotation"])) == ("clip", 2)
    assert row["video"] == str(tmp_path / "videos" / "clip.mp4")
    annotation = table.annotations(tmp_path, "clip")
    assert annotation["time"].values.tolist() == [0.5, 1.5]
    assert values(annotation) == expected


def test_two_tables_may_have_different_times(tmp_path):
    write_lines(tmp_path / "clip_valence.csv", "time,value", "0,0", "1,1")
    write_lines(tmp_path / "clip_arousal.csv", "time,value", "0,0.5", "0.5,0.5", "1,0.5")
    annotation = table.annotations(tmp_path, "clip")
    assert values(annotation) == [[0, 0.5], [0.5, 0.5], [1, 0.5]]


def test_a_file_of_one_affect_says_what_is_missing(tmp_path):
    with pytest.raises(AffectkitError, match=r"clip\.csv has no column 'valence': .*Time of Rat"):
        read(tmp_path / "clip.csv", *CARMA, "1,50")
    with pytest.raises(AffectkitError, match=r"no column 'arousal'.*\.\.\._arousal; got a table"):
        read(tmp_path / "clip_valence.csv", *CARMA, "1,50")
    paths = [tmp_path / "clip_valence.csv"] * 2
    with pytest.raises(AffectkitError, match="valence is in another table too"):
        table.read_table(paths)


def test_columns_that_are_not_used_are_never_a_reason_to_refuse(tmp_path):
    annotation = read(tmp_path / "a.csv", "frame,x_0,X_0,valence,arousal,", "0,?,-,0.5,0,")
    assert values(annotation) == [[0.5, 0]]


@pytest.mark.parametrize(
    ("unit", "header", "cell", "seconds"),
    [("", "time", "40", 40), ("ms", "time", "40", 0.04), ("s", "time_ms", "40", 40),
     ("ms", "frame", "40", 0.04), ("ms", "frame,time", "7,40", 0.04)],
)  # fmt: skip
def test_the_unit_of_time_may_be_given(unit, header, cell, seconds, tmp_path):
    lines = (f"{header},valence,arousal", f"{cell},0,0")
    assert read(tmp_path / "a.csv", *lines, time_unit=unit)["time"].item() == pytest.approx(seconds)


def test_times_may_be_frame_numbers(tmp_path):
    lines = ("time,valence,arousal", "3,0,0")
    annotation = read(tmp_path / "a.csv", *lines, time_unit="frames", first_frame=1)
    assert annotation["frame"].values.tolist() == [2]


def test_a_given_range_is_mapped_to_minus_one_and_one(tmp_path):
    lines = ("frame,valence,arousal", "0,1,9", "1,5,3")
    annotation = read(tmp_path / "a.csv", *lines, label_range=(1, 9))
    assert values(annotation) == [[-1, 1], [0, -0.5]]
    assert annotation.attrs["source_range"]["arousal"] == [1, 9]
    with pytest.raises(AffectkitError, match=r"line 2: expected .* in \[1, 5\], got 9"):
        read(tmp_path / "a.csv", *lines, label_range=(1, 5))


@pytest.mark.parametrize(
    ("between", "expected"),
    [("", [0, np.nan, np.nan, 0.5, np.nan, 1, np.nan]),
     ("nearest", [0, np.nan, np.nan, 0.5, np.nan, 1, np.nan]),
     ("hold", [0, 0, 0, 0.5, 0.5, 1, 1])],
)  # fmt: skip
def test_a_table_written_on_change_is_held(between, expected, tmp_path):
    rows = ["0,0,0", "0.01,0,0", "0.02,0,0", "0.03,0,0", "3,0.5,0", "5,1,0"]
    by_time = read(tmp_path / "a.csv", "time,valence,arousal", *rows, between=between)
    aligned = align_to_frames(by_time, np.arange(7.0))["annotation"].sel(affect="valence")
    np.testing.assert_allclose(aligned, expected)


def test_frames_between_the_rows_of_a_table_by_frame_have_no_label_by_default(tmp_path):
    lines = ("frame,valence,arousal", "0,0,0", "2,0.5,0")
    for between, expected in (("", [0, np.nan, 0.5, np.nan]), ("hold", [0, 0, 0.5, 0.5]),
                              ("linear", [0, 0.25, 0.5, 0.5])):  # fmt: skip
        annotation = read(tmp_path / "a.csv", *lines, between=between)
        aligned = align_to_frames(annotation, np.arange(4) / 25)["annotation"]
        np.testing.assert_allclose(aligned.sel(affect="valence"), expected)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"time_unit": "hours"}, "unknown time unit 'hours'"),
        ({"between": "spline"}, "unknown method between rows 'spline'"),
        ({"first_frame": 2}, "expected 0 or 1 as the first frame, got 2"),
        ({"label_range": (5, 1)}, "expected a label range LOW HIGH, got 5 1"),
        ({"first_frame": 1}, "the first frame was given for a table by time"),
    ],
)
def test_a_wrong_label_format_is_refused(labels, message, tmp_path):
    with pytest.raises(AffectkitError, match=message):
        read(tmp_path / "a.csv", "time,valence,arousal", "0,0,0", **labels)
