"""The loader `table`: any delimiter, by frame or time, one table for all videos or one each."""

import warnings

import numpy as np
import pytest

from affectkit.datasets import align_to_frames, table
from affectkit.errors import AffectkitError
from tests.datasets.files import write_grey, write_lines


def read(root, name="clip"):
    return table.annotations(root, name)["annotation"].values.tolist()


def table_of(path, *lines, end="\n"):
    return table.read_table(write_lines(path, *lines, end=end))


def test_one_table_for_all_videos(tmp_path):
    write_lines(
        tmp_path / "all.csv",
        "Video,frame,valence,arousal,subject,split",
        "b.mp4,0,0.5,-0.5,Bo,dev",
        "a,1,0.25,0,,Training",
        "b.mp4,1,1,-1,Bo,",
        "a,0,0,0.125,,",
    )
    write_grey(tmp_path / "clips" / "b.mp4")
    index = table.index(tmp_path).set_index("recording")
    assert list(index.index) == ["a", "b"]
    assert list(index["subject"]) == ["a", "Bo"]
    assert list(index["split"]) == ["train", "validation"]
    assert list(index["video"]) == ["", str(tmp_path / "clips" / "b.mp4")]
    assert read(tmp_path, "a") == [[0, 0.125], [0.25, 0]]
    assert read(tmp_path, "b") == [[0.5, -0.5], [1, -1]]


def test_one_table_per_video_with_the_same_name(tmp_path):
    write_lines(tmp_path / "labels" / "clip.csv", "frame,valence,arousal", "3,0.5,-0.5")
    write_grey(tmp_path / "clip.mp4")
    row = table.index(tmp_path).iloc[0]
    assert (row["recording"], row["subject"], row["split"]) == ("clip", "clip", "")
    assert row["video"] == str(tmp_path / "clip.mp4")
    assert table.annotations(tmp_path, "clip")["frame"].values.tolist() == [3]


def test_videos_with_one_name_in_two_folders_are_distinguished(tmp_path):
    for folder, value in (("p1", 0.25), ("p2", 0.5)):
        write_lines(tmp_path / folder / "clip.csv", "frame,valence,arousal", f"0,{value},0")
        write_grey(tmp_path / folder / "clip.mp4")
    index = table.index(tmp_path)
    assert list(index["recording"]) == ["p1_clip", "p2_clip"]
    assert list(index["video"]) == [str(tmp_path / p / "clip.mp4") for p in ("p1", "p2")]
    assert read(tmp_path, "p2_clip") == [[0.5, 0]]


@pytest.mark.parametrize("cell", ["p1/clip.mp4", r"p1\clip.mp4", "./p1/clip", "p1/clip"])
def test_a_row_may_name_the_folder_of_its_video(cell, tmp_path):
    for folder in ("p1", "p2"):
        write_grey(tmp_path / folder / "clip.mp4")
    write_lines(tmp_path / "all.csv", "video,frame,valence,arousal", f"{cell},0,0,0")
    row = table.index(tmp_path).iloc[0]
    assert (row["recording"], row["subject"]) == ("p1_clip", "p1_clip")
    assert row["video"] == str(tmp_path / "p1" / "clip.mp4")


@pytest.mark.parametrize("name", ["clip.MP4", "clip.m4v", "clip.MTS", "clip.wmv", "clip.GIF"])
@pytest.mark.parametrize("cell", ["{}", "clip", "../videos/clip", "clip.mp4"])
def test_videos_are_found_by_all_suffixes_in_any_case(name, cell, tmp_path):
    cell = cell.format(name)
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / name).touch()
    write_lines(tmp_path / "labels" / "a.csv", "video,frame,valence,arousal", f"{cell},0,0,0")
    row = table.index(tmp_path).iloc[0]
    assert row["video"] == str(tmp_path / "videos" / name)


def test_a_table_may_have_recording_and_video_columns_with_any_characters(tmp_path):
    write_grey(tmp_path / "im Büro (1).mp4")
    write_lines(
        tmp_path / "a.csv",
        "recording,video,frame,valence,arousal",
        '"Gespräch, zwei",im Büro (1).mp4,0,0,1',
    )
    row = table.index(tmp_path).iloc[0]
    assert row["recording"] == "Gespräch, zwei"
    assert row["frames"] == 4
    assert read(tmp_path, "Gespräch, zwei") == [[0, 1]]


def test_links_to_folders_are_followed_and_loops_end(tmp_path):
    write_grey(tmp_path / "disk" / "clip.mp4")
    root = tmp_path / "root"
    write_lines(root / "clip.csv", "frame,valence,arousal", "0,0,0")
    (root / "videos").symlink_to(tmp_path / "disk", target_is_directory=True)
    (root / "loop").symlink_to(root, target_is_directory=True)
    index = table.index(root)
    assert list(index["recording"]) == ["clip"]
    assert index["frames"].item() == 4


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "lines",
    [
        ("frame,valence,arousal", "0,0.5,-0.25"),
        ("frame;valence;arousal", "0;0,5;-0,25"),
        ("\ufeffarousal\tvalence\tframe", "-0,25\t0,5\t0", "\t\t"),
        ("Frame, Valence , AROUSAL", "", '"0", "0.5", "-0.25"', ""),
        ("frame,time,valence,arousal", "0,7,0.5,-0.25"),
    ],
)
def test_delimiters_and_decimal_signs_are_detected(lines, end, tmp_path):
    annotation = table_of(tmp_path / "clip.csv", *lines, end=end)
    assert annotation["annotation"].dims == ("frame", "affect")
    assert annotation["annotation"].values.tolist() == [[0.5, -0.25]]


@pytest.mark.parametrize(
    ("column", "cell"),
    [("time", "1.5"), ("time_s", "1.5"), ("timestamp", "1.5"), ("Time [s]", "1.5"),
     ("time_ms", "1500"), ("time (ms)", "1500"), ("timestamp[milliseconds]", "1500"),
     ("time [min]", "0.025")],
)  # fmt: skip
def test_the_column_name_determines_the_unit_of_time(column, cell, tmp_path):
    annotation = table_of(tmp_path / "clip.csv", f"{column},valence,arousal", f"{cell},0,0")
    assert annotation["annotation"].dims == ("sample", "affect")
    assert annotation["time"].values.tolist() == pytest.approx([1.5])


def test_rows_are_sorted_and_blank_values_are_not_annotated(tmp_path):
    lines = ["2,0.5,0.5", "0,,0.5", "1,nan,NaN", "3,0.25"]
    annotation = table_of(tmp_path / "clip.csv", "frame,valence,arousal", *lines)
    assert annotation["frame"].values.tolist() == [0, 1, 2, 3]
    assert np.isnan(annotation["annotation"].values).all(axis=1).tolist() == [
        True,
        True,
        False,
        True,
    ]


def test_raters_of_the_same_frames_are_kept_and_averaged(tmp_path):
    lines = ["0,Bo,0.5,0", "1,Bo,1,0", "1,Al,0,0.5", "0,Al,0.25,1", "2,Al,0.5,0"]
    annotation = table_of(tmp_path / "clip.csv", "frame,rater,valence,arousal", *lines)
    assert annotation["rating"].dims == ("rater", "frame", "affect")
    assert annotation["rater"].values.tolist() == ["Al", "Bo"]
    assert annotation["annotation"].values.tolist() == [[0.375, 0.5], [0.5, 0.25], [0.5, 0]]
    assert np.isnan(annotation["rating"].sel(rater="Bo", frame=2)).all()


def test_raters_with_different_times_are_interpolated_at_all_times(tmp_path):
    lines = [f"{time},{rater},{time},0" for rater, shift in (("a", 0), ("b", 0.05))
             for time in np.arange(4) / 10 + shift]  # fmt: skip
    annotation = table_of(tmp_path / "clip.csv", "time,rater,valence,arousal", *lines)
    assert annotation.sizes["sample"] == 8
    both = annotation["rating"].sel(affect="valence")
    np.testing.assert_allclose(both[:, 1:-1], [annotation["time"][1:-1]] * 2, rtol=1e-6)


def test_a_table_by_time_is_aligned_to_the_frames(tmp_path):
    annotation = table_of(tmp_path / "clip.csv", "time_ms,valence,arousal", "0,0,0", "100,1,-1")
    aligned = align_to_frames(annotation, np.array([0, 0.025, 0.1]))["annotation"]
    np.testing.assert_allclose(aligned, [[0, 0], [0.25, -0.25], [1, -1]], rtol=1e-6)


def test_other_and_broken_tables_are_ignored_with_one_warning(tmp_path):
    write_lines(tmp_path / "clip.csv", "frame,valence,arousal", "0,0,0")
    write_lines(tmp_path / "people.csv", "name,age", "a,30")
    (tmp_path / "broken.tsv").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "README.txt").write_text("my videos")
    with pytest.warns(
        UserWarning, match=r"ignored broken\.tsv is not a text.* \| people\.csv has no"
    ):
        assert list(table.index(tmp_path)["recording"]) == ["clip"]


def test_a_video_without_rows_is_not_listed(tmp_path):
    write_lines(tmp_path / "clip.csv", "frame,valence,arousal", "0,0,0")
    write_grey(tmp_path / "other.mp4")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert list(table.index(tmp_path)["recording"]) == ["clip"]


def test_a_recording_in_two_tables_is_listed_and_refused(tmp_path):
    for name in ("a.csv", "b.csv"):
        write_lines(tmp_path / name, "video,frame,valence,arousal", "clip,0,0,0")
    assert len(table.index(tmp_path)["annotation"].item()) == 2
    with pytest.raises(AffectkitError, match=r"'clip' has rows in .*a\.csv and .*b\.csv"):
        read(tmp_path)


def test_wrong_root_and_unknown_recording_are_named(tmp_path):
    (tmp_path / "holiday").mkdir()
    with pytest.raises(AffectkitError, match=r"no annotation tables in .* found holiday"):
        table.index(tmp_path)
    write_lines(tmp_path / "clip.csv", "frame,valence,arousal", "0,0,0")
    with pytest.raises(AffectkitError, match="did you mean 'clip'"):
        read(tmp_path, "clipp")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["c,0,0,0,A,", "c,1,0,0,B,"], "from line 2: expected one subject .* got A, B"),
        (["c,0,0,0,,exam"], "unknown split 'exam'"),
        (["c,0,0,0,,", ",1,0,0,,"], "line 3: expected a video, got a blank cell"),
    ],
)
def test_contradictions_are_reported(lines, message, tmp_path):
    header = "video,frame,valence,arousal,subject,split"
    write_lines(tmp_path / "all.csv", header, *lines)
    with pytest.raises(AffectkitError, match=rf"all\.csv.*{message}"):
        table.index(tmp_path)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["frame,valence", "0,0"], "no column 'arousal'"),
        (
            ["moment,valence,arousal", "0,0,0"],
            "no column 'time' or 'frame'.*'moment,valence,arousal'",
        ),
        (["time_hours,valence,arousal", "0,0,0"], "no column 'time' or 'frame'"),
        (
            ["frame,valence,arousal", "0,5,0"],
            r"line 2: .* in \[-1, 1\], got 5 .*valence' has 5 to 5.; give .*--label",
        ),
        (["frame,valence,arousal", "0,0,0", "1,,-9"], "line 3: .* got -9"),
        (["frame,valence,arousal", "0,a,0"], "line 2: expected numbers only, got valence 'a'"),
        (["frame,valence,arousal", "0.5,0,0"], "line 2: expected frames 0, 1, 2, .* got '0.5'"),
        (["frame,valence,arousal", "-1,0,0"], "line 2: expected frames 0, 1, 2"),
        (["frame,valence,arousal", ",0,0"], "line 2: expected numbers only, got frame ''"),
        (["frame,valence,arousal", "1,0,0", "1,0,0"], "line 3: two rows for frame 1; expected"),
        (["frame,rater,valence,arousal", "0,a,0,0", "1,,0,0"], "line 3: expected a rater"),
        (["Valence,valence,arousal,frame", "0,0,0,0"], "two columns 'valence'"),
        (["video,frame,valence,arousal", "a,0,0,0", "b,0,0,0"], r"2 recordings \(a, b\)"),
        (["frame,valence,arousal", "0,0,5,0,3"], "line 2: expected 3 cells as in the header"),
        (["frame,valence,arousal"], "no rows below its header .UTF-8 text that begins with 'frame"),
        (["frame,valence,arousal", "1e30,0,0"], "line 2: expected frames 0, 1, 2, .* got '1e30'"),
        (
            ["frame,valence,arousal", "0,0.5,0", "1,-5,-5"],
            "line 3: .*Aff-Wild2 it marks frames without annotation.; leave these cells blank$",
        ),
        (["time,valence", "0,0"], "expected valence and arousal.*got a table of valence only"),
    ],
)
def test_an_invalid_table_is_named_with_its_line(lines, message, tmp_path):
    with pytest.raises(AffectkitError, match=rf"clip\.csv.*{message}") as error:
        table_of(tmp_path / "clip.csv", *lines)
    assert "\n" not in str(error.value)
