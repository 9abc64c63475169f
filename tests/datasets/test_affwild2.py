"""The Aff-Wild2 loader on a small handmade copy with known quirks."""

from pathlib import Path

import numpy as np
import pytest

from affectkit.datasets import affwild2
from affectkit.errors import AffectkitError
from affectkit.video import write_video

TIME = np.arange(4) / 15


def write_annotation(path: Path, *lines: str, end: str = "\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(end.join(["valence,arousal", *lines, ""]).encode())
    return path


def draw_video(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    black = np.zeros((16, 16, 3), np.uint8)
    write_video(path, ((time, black) for time in TIME), fps=15)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two videos in two folders; one has two people and hidden files in its folder."""
    draw_video(tmp_path / "batch1" / "10-60-1280x720.mp4")
    draw_video(tmp_path / "batch2" / "102.mp4").with_name("._102.mp4").touch()
    train = tmp_path / "VA_Estimation_Challenge" / "Train_Set"
    for name in ("10-60-1280x720", "10-60-1280x720_left", "10-60-1280x720_right", "no_video"):
        write_annotation(train / f"{name}.txt", "0.5,-0.25")
    write_annotation(train.with_name("Validation_Set") / "102.txt", "0.5,-0.25")
    (train / ".DS_Store").touch()
    (train / "._102.txt").touch()
    return tmp_path


def read(path: Path) -> np.ndarray:
    return affwild2.read_annotation(path)


def test_index_has_one_row_per_annotation_and_finds_the_shared_video(root):
    index = affwild2.index(root).set_index("recording")
    assert list(index["split"]) == ["train"] * 4 + ["validation"]
    both = index.loc[["10-60-1280x720_left", "10-60-1280x720_right", "10-60-1280x720"]]
    assert set(both["video"]) == {str(root / "batch1" / "10-60-1280x720.mp4")}
    assert set(both["subject"]) == {"10-60-1280x720"}
    assert index.loc["102", "video"] == str(root / "batch2" / "102.mp4")
    assert index.loc["102", ["fps", "frames"]].tolist() == [15, 4]
    assert both["person"].tolist() == ["left", "right", ""]


def test_index_keeps_an_annotation_without_video(root):
    row = affwild2.index(root).set_index("recording").loc["no_video"]
    assert row["video"] == ""
    assert np.isnan(row["fps"])


def test_index_keeps_a_recording_with_a_broken_video(root):
    (root / "batch2" / "102.mp4").write_text("not a video")
    assert np.isnan(affwild2.index(root).set_index("recording").loc["102", "fps"])


def test_index_reads_the_layout_of_2020(tmp_path):
    write_annotation(tmp_path / "annotations" / "VA_Set" / "Training_Set" / "7.txt", "0,0")
    draw_video(tmp_path / "raw_videos" / "7.mp4")
    row = affwild2.index(tmp_path).iloc[0]
    assert (row["split"], Path(row["video"]).name) == ("train", "7.mp4")


@pytest.mark.parametrize(
    ("tracks", "subjects"),
    [
        (["v_left", "v_right"], ["left", "right"]),
        (["v", "v_right"], ["left", "right"]),
        (["v", "v_left"], ["right", "left"]),
        (["v", "v_left", "v_right"], ["", "left", "right"]),
        (["v_left"], ["left"]),
        (["v", "w_right"], ["", "right"]),
    ],
)
def test_people_who_share_a_video_have_a_side(tmp_path, tracks, subjects):
    for name in tracks:
        write_annotation(tmp_path / "VA_Set" / "Train_Set" / f"{name}.txt", "0,0")
    index = affwild2.index(tmp_path).set_index("recording")
    assert index.loc[tracks, "person"].tolist() == subjects


def test_a_track_without_annotation_determines_the_side_of_the_other(tmp_path):
    write_annotation(tmp_path / "VA_Set" / "Train_Set" / "v.txt", "0,0")
    draw_video(tmp_path / "batch1" / "v.mp4")
    (tmp_path / "cropped_aligned" / "v_right").mkdir(parents=True)
    assert affwild2.index(tmp_path)["person"].tolist() == ["left"]


def test_a_person_in_a_separate_video_has_no_side(tmp_path):
    write_annotation(tmp_path / "VA_Set" / "Train_Set" / "v_left.txt", "0,0")
    video = draw_video(tmp_path / "batch1" / "v_left.mp4")
    row = affwild2.index(tmp_path).iloc[0]
    assert (row["person"], row["subject"], row["video"]) == ("", "v", str(video))


def test_nested_copies_are_read_and_other_tasks_ignored(tmp_path):
    release = tmp_path / "6th_ABAW_Annotations"
    train = release / "VA_Estimation_Challenge" / "VA_Estimation_Challenge" / "Train_Set"
    write_annotation(train / "Train_Set" / "7.txt", "0,0")
    write_annotation(release / "AU_Detection_Challenge" / "Train_Set" / "8.txt", "0,0")
    write_annotation(release / "EXPR_Recognition_Challenge" / "Train_Set" / "7.txt", "0,0")
    video = draw_video(tmp_path / "batch3" / "batch3" / "7.mp4")
    row = affwild2.index(tmp_path).iloc[0]
    assert (row["recording"], row["split"], row["video"]) == ("7", "train", str(video))
    assert affwild2.annotations(tmp_path, "7").sizes["frame"] == 1


def test_the_outer_of_two_copies_is_read(tmp_path):
    train = tmp_path / "VA_Set" / "Train_Set"
    write_annotation(train / "Train_Set" / "7.txt", "0.5,0")
    outer = write_annotation(train / "7.txt", "0.25,0")
    assert affwild2.index(tmp_path)["annotation"].tolist() == [(str(outer),)]


def test_a_name_in_two_splits_is_read_once_with_a_warning(tmp_path):
    for split in ("Train_Set", "Validation_Set"):
        write_annotation(tmp_path / "VA_Set" / split / "7.txt", "0,0")
    with pytest.warns(UserWarning, match=r"Validation_Set/7\.txt is ignored: .*Train_Set/7\.txt"):
        assert affwild2.index(tmp_path)["split"].tolist() == ["train"]


def test_crops_without_videos_give_a_warning_with_the_dataset_for_crops(tmp_path):
    write_annotation(tmp_path / "VA_Set" / "Train_Set" / "7.txt", "0,0")
    (tmp_path / "cropped_aligned" / "7").mkdir(parents=True)
    with pytest.warns(UserWarning, match="use the dataset affwild2-crops"):
        row = affwild2.index(tmp_path).iloc[0]
    assert (row["recording"], row["video"]) == ("7", "")


def test_a_folder_that_links_to_itself_is_searched_once(root):
    (root / "batch1" / "loop").symlink_to(root)
    (root / "VA_Estimation_Challenge" / "Train_Set" / "loop").symlink_to(root)
    assert len(affwild2.index(root)) == 5


def test_a_wrong_root_error_names_expected_and_existing_files(tmp_path):
    (tmp_path / "holiday").mkdir()
    with pytest.raises(AffectkitError, match=r"VA_Estimation_Challenge.*found holiday"):
        affwild2.index(tmp_path)
    with pytest.raises(AffectkitError, match="the folder does not exist"):
        affwild2.index(tmp_path / "nowhere")


def test_annotation_is_labelled_and_line_k_is_frame_k(root):
    path = root / "VA_Estimation_Challenge" / "Train_Set" / "no_video.txt"
    write_annotation(path, "0.1,-0.2", "0.3,0.4", "-1,1", "0,0")
    dataset = affwild2.annotations(root, "no_video")
    assert dataset["annotation"].dims == ("frame", "affect")
    assert dataset["annotation"].dtype == np.float32
    assert dataset["annotation"].sel(frame=1, affect="arousal").item() == np.float32(0.4)
    assert dataset.attrs["source_range"] == {"valence": [-1, 1], "arousal": [-1, 1]}
    assert dataset.attrs["recording"] == "no_video"


def test_an_unknown_recording_is_reported_with_the_most_similar_name(root):
    with pytest.raises(AffectkitError, match="unknown recording 'no_vide': did you mean 'no_video"):
        affwild2.annotations(root, "no_vide")


def test_minus_five_in_either_column_makes_both_nan(tmp_path):
    path = write_annotation(tmp_path / "a.txt", "-5,-5", "0.2,-5", "-5,0.2", "0.1,0.1")
    assert np.isnan(read(path)).all(axis=1).tolist() == [True, True, True, False]


def test_crlf_byte_order_mark_and_blank_last_lines_are_tolerated(tmp_path):
    path = write_annotation(tmp_path / "a.txt", "0.5, -0.5", "", " ", end="\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert read(path).tolist() == [[0.5, -0.5]]


@pytest.mark.parametrize("line", ["0.1,happy", "0.1", "0.1,0.2,0.3", "1.2,0", "0,-4", "nan,0", ""])
def test_an_invalid_line_is_named_with_its_number(tmp_path, line):
    path = write_annotation(tmp_path / "a.txt", "0,0", line, "0,0")
    with pytest.raises(AffectkitError, match=r"a\.txt, line 3: expected valence,arousal"):
        read(path)


@pytest.mark.parametrize("content", [b"arousal,valence\n0,0\n", b"", b"0.1,0.2\n"])
def test_other_header_is_refused(tmp_path, content):
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    with pytest.raises(AffectkitError, match=r"a\.txt, line 1: expected the header"):
        read(path)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00\x9c"])
def test_a_missing_or_binary_file_gives_one_line(tmp_path, content):
    path = tmp_path / "a.txt"
    if content:
        path.write_bytes(content)
    with pytest.raises(AffectkitError, match=r"a\.txt cannot be read as text"):
        read(path)
