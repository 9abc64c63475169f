"""The Aff-Wild loader on small handmade copies with known quirks."""

from pathlib import Path

import numpy as np
import pytest

from affectkit.datasets import affwild, align_to_frames
from affectkit.errors import AffectkitError
from tests.datasets.test_affwild2 import TIME, draw_video

FRAMES = len(TIME)  # of the video
NAN = float("nan")


def write_text(path: Path, *lines: str, end: str = "\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(end.join([*lines, ""]).encode())
    return path


def write_values(base: Path, name: str, *valence: float, arousal: int | None = None) -> None:
    """Write valence, and arousal as its negative, with the same or another number of lines."""
    lines = [f"{-value}" for value in valence][:arousal]
    for affect, values in (("valence", map(str, valence)), ("arousal", lines)):
        write_text(base / "annotations" / "train" / affect / f"{name}.txt", *values)


def write_points(path: Path, *points: tuple[float, float]) -> Path:
    rows = [f"{x} {y}" for x, y in points]
    return write_text(path, "version: 1", f"n_points: {len(rows)}", "{", *rows, "}")


def write_box(folder: Path, number: int) -> Path:
    """Write a box from (10 * number, 5) to (10 * number + 8, 7), with unordered corners."""
    left, right = 10.0 * number, 10.0 * number + 8
    return write_points(folder / f"{number}.pts", (right, 5), (left, 7), (right, 7), (left, 5))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """One video of four frames with a label for each, boxes on frames 0, 1 and 3."""
    draw_video(tmp_path / "videos" / "train" / "105.mp4")
    draw_video(tmp_path / "videos" / "test" / "9.mp4")
    write_values(tmp_path, "105", 0.1, 0.2, 0.3, 0.4)
    for number in (1, 2, 4):
        write_box(tmp_path / "bboxes" / "train" / "105", number)
    return tmp_path


def valence(root: Path, name: str = "105") -> dict[int, float]:
    """Valence by frame, without NaN."""
    annotation = affwild.annotations(root, name)["annotation"].sel(affect="valence")
    annotation = annotation.dropna("frame")
    return {int(frame): round(float(value), 4) for frame, value in annotation.to_series().items()}


def test_index_lists_annotated_recordings_as_train(root):
    index = affwild.index(root)
    assert index["recording"].tolist() == ["105"]  # not the video of the test set
    row = index.iloc[0]
    assert (row["split"], row["subject"], row["person"]) == ("train", "105", "")
    assert row["video"] == str(root / "videos" / "train" / "105.mp4")
    assert [Path(path).parent.name for path in row["annotation"]] == ["valence", "arousal"]
    assert (row["frames"], row["fps"]) == (4, 15)


@pytest.mark.parametrize("top", ["", "aff_wild_annotations_bboxes_landmarks_new", "a/b"])
@pytest.mark.parametrize("nested", ["train", "train/train"])
def test_all_ways_to_unpack_the_archives_are_read(tmp_path, top, nested):
    base = tmp_path / top
    video = draw_video(base / "videos" / nested / "105.mp4")
    for affect in ("valence", "arousal"):
        write_text(base / "annotations" / nested / affect / "105.txt", *["0.5"] * FRAMES)
    write_box(base / "bboxes" / nested / "105", 3)
    write_points(base / "landmarks" / nested / "105" / "3.pts", *[(1, 2)] * 68)
    assert affwild.index(tmp_path)["video"].tolist() == [str(video)]
    read = affwild.annotations(tmp_path, "105")
    assert read["box"].sel(frame=2).values.tolist() == [30, 5, 38, 7]
    assert read["landmark"].sel(frame=2).values.tolist() == [[1, 2]] * 68


def test_hidden_files_are_ignored(root):
    write_text(root / "annotations" / "train" / "valence" / "._105.txt")
    write_text(root / "annotations" / "train" / "valence" / ".DS_Store")
    write_text(root / "bboxes" / "train" / "105" / "._1.pts")
    assert affwild.index(root)["recording"].tolist() == ["105"]
    assert affwild.annotations(root, "105")["box"].notnull().all("edge").sum() == 3


def test_lines_as_many_as_frames_are_frames_from_0(root):
    assert valence(root) == {0: 0.1, 1: 0.2, 2: 0.3, 3: 0.4}
    read = affwild.annotations(root, "105")
    assert read.attrs["alignment"] == "line i is frame i: 4 lines, 4 video frames, 3 boxes"
    assert read["annotation"].sel(frame=1, affect="arousal").item() == np.float32(-0.2)


def test_lines_as_many_as_boxes_belong_to_frames_with_a_box(root):
    write_values(root, "105", 0.1, 0.2, 0.3)
    assert valence(root) == {0: 0.1, 1: 0.2, 3: 0.3}
    assert affwild.annotations(root, "105").attrs["alignment"] == (
        "a line for each frame with a box: 3 lines, 4 video frames, 3 boxes"
    )
    aligned = align_to_frames(affwild.annotations(root, "105"), TIME)["annotation"][:, 0]
    np.testing.assert_allclose(aligned, [0.1, 0.2, NAN, 0.3], rtol=1e-6)


def test_lines_as_many_as_boxes_and_frames_are_frames(root):
    write_box(root / "bboxes" / "train" / "105", 3)
    assert affwild.annotations(root, "105").attrs["alignment"].startswith("line i is frame i: 4")


@pytest.mark.parametrize("count", [5, 6])
def test_lines_that_fit_neither_count_are_frames(root, count):
    write_values(root, "105", *[0.5] * count)
    assert list(valence(root)) == list(range(count))


def test_frames_are_counted_in_the_file_and_may_be_unknown(root):
    (root / "videos" / "train" / "105.mp4").write_text("no video")
    assert (
        "4 lines, unknown video frames, 3 boxes"
        in affwild.annotations(root, "105").attrs["alignment"]
    )
    (root / "videos" / "train" / "105.mp4").unlink()
    write_values(root, "105", 0.1, 0.2, 0.3)
    assert valence(root) == {0: 0.1, 1: 0.2, 3: 0.3}


def test_many_more_boxes_than_lines_give_a_warning(root):
    write_values(root, "105", 0.1, 0.2)
    with pytest.warns(UserWarning, match="105: the annotation has 2 frames, the boxes 4"):
        read = affwild.annotations(root, "105")
    assert read["annotation"].isnull().all("affect").values.tolist() == [False, False, True]


def test_a_box_is_the_range_of_its_corners_on_the_frame_before_its_number(root):
    box = affwild.annotations(root, "105")["box"]
    np.testing.assert_array_equal(box, [[10, 5, 18, 7], [20, 5, 28, 7], [NAN] * 4, [40, 5, 48, 7]])


def test_a_missing_landmark_file_means_no_face(root):
    points = [(float(number), 2.5) for number in range(68)]
    write_points(root / "landmarks" / "train" / "105" / "2.pts", *points)
    landmark = affwild.annotations(root, "105")["landmark"]
    assert landmark.sel(frame=1).values.tolist() == [list(point) for point in points]
    assert landmark.notnull().all(["point", "axis"]).values.tolist() == [False, True, False, False]


def test_without_points_there_is_neither_box_nor_landmark(tmp_path):
    write_values(tmp_path, "7", 0.1)
    assert set(affwild.annotations(tmp_path, "7").data_vars) == {"annotation"}


def test_boxes_are_computed_from_landmarks_if_missing(root):
    points = [(float(number), 2.5) for number in range(68)]
    write_values(root, "7", 0.1)
    write_points(root / "landmarks" / "train" / "7" / "1.pts", *points)
    assert affwild.annotations(root, "7")["box"].values.tolist() == [[0, 2.5, 67, 2.5]]


def test_files_of_unequal_length_are_cut_with_a_warning(root):
    write_values(root, "105", 0.1, 0.2, 0.3, 0.4, arousal=3)
    expected = r"105: 4 lines in .*valence/105\.txt and 3 lines in .*arousal/105\.txt; lines after"
    with pytest.warns(UserWarning, match=expected):
        assert valence(root) == {0: 0.1, 1: 0.2, 3: 0.3}


def test_crlf_byte_order_mark_and_blank_last_lines_are_tolerated(root):
    path = root / "annotations" / "train" / "valence" / "105.txt"
    write_text(path, "0.1", " 0.2 ", "0.3", "0.4", "", " ", end="\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert list(valence(root).values()) == [0.1, 0.2, 0.3, 0.4]


@pytest.mark.parametrize("line", ["1.01", "-5", "nan", "0.1,0.2", "happy", ""])
def test_an_invalid_line_is_named_with_its_number(root, line):
    write_text(root / "annotations" / "train" / "arousal" / "105.txt", "0", line, "0", "0")
    with pytest.raises(AffectkitError, match=r"arousal/105\.txt, line 2: expected a number in"):
        affwild.annotations(root, "105")


def test_an_empty_or_missing_file_does_not_hide_other_recordings(root):
    write_text(root / "annotations" / "train" / "valence" / "8.txt")
    (root / "annotations" / "train" / "valence" / "105.txt").write_text("")
    assert affwild.index(root)["recording"].tolist() == ["105", "8"]
    with pytest.raises(
        AffectkitError, match=r"105\.txt: expected one number per line, got an empty"
    ):
        affwild.annotations(root, "105")
    with pytest.raises(
        AffectkitError, match=r"'8': expected a file arousal/8\.txt, found only .*valence/8\.txt"
    ):
        affwild.annotations(root, "8")


def test_invalid_points_are_named_with_file_and_line(root):
    path = root / "bboxes" / "train" / "105" / "2.pts"
    write_points(path, (0, 0), (1, 1), (2, 2))
    with pytest.raises(AffectkitError, match=r"2\.pts: expected .* 4 points .* 8 lines, got 7"):
        affwild.annotations(root, "105")
    path.write_text(path.read_text().replace("1 1", "1 1\n1 one"))
    with pytest.raises(
        AffectkitError, match=r"2\.pts, line 6: expected the numbers x and y, got '1 one'"
    ):
        affwild.annotations(root, "105")


def test_points_numbered_from_0_are_refused(root):
    write_box(root / "bboxes" / "train" / "105", 0)
    with pytest.raises(AffectkitError, match=r"0\.pts: expected frame numbers from 1 as names"):
        affwild.annotations(root, "105")


def test_wrong_root_and_unknown_recording_give_one_line(root, tmp_path_factory):
    empty = tmp_path_factory.mktemp("empty")
    with pytest.raises(AffectkitError, match=r"no Aff-Wild in .*annotations/train/valence"):
        affwild.index(empty)
    with pytest.raises(AffectkitError, match="unknown recording '15': did you mean '105'"):
        affwild.annotations(root, "15")
