"""The loader of Aff-Wild2 crops on small handmade copies with known quirks."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from affectkit.datasets.affwild2 import crops
from affectkit.errors import AffectkitError
from tests.datasets.test_affwild2 import draw_video, write_annotation

LINES = ("0.1,0", "0.2,0", "-5,-5", "0.4,0", "0.5,0")


def draw_crops(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        cv2.imwrite(str(folder / name), np.zeros((112, 112, 3), np.uint8))
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A recording of five lines with three pictures, one of them with a padded name."""
    write_annotation(tmp_path / "VA_Set" / "Train_Set" / "7_left.txt", *LINES)
    folder = tmp_path / "cropped_aligned" / "7_left"
    draw_crops(folder, "     2.jpg", "00004.jpg", "00005.jpg")
    for name in (".DS_Store", "._00001.jpg", "Thumbs.db", "notes.jpg"):
        (folder / name).write_text("no picture")
    return tmp_path


def test_index_has_the_folder_the_line_count_and_no_side(root):
    row = crops.index(root).iloc[0]
    assert row["video"] == str(root / "cropped_aligned" / "7_left")
    assert (row["recording"], row["subject"], row["person"]) == ("7_left", "7", "")
    assert (row["frames"], row["fps"]) == (5, 30)


def test_fps_is_that_of_the_video_if_it_exists(root):
    draw_video(root / "batch1" / "7.mp4")
    assert crops.index(root)["fps"].tolist() == [15]


def test_line_k_is_picture_k_despite_missing_pictures(root):
    read = crops.annotations(root, "7_left")
    assert read["still"].values.tolist() == ["", "     2.jpg", "", "00004.jpg", "00005.jpg"]
    np.testing.assert_allclose(read["annotation"][:, 0], [0.1, 0.2, np.nan, 0.4, 0.5], rtol=1e-6)
    seen = [False, True, False, True, True]
    np.testing.assert_array_equal(read["crop_box"].notnull().all("edge"), seen)
    assert read["crop_box"].sel(frame=1).values.tolist() == [0, 0, 112, 112]
    assert read.attrs["alignment"] == "line k is picture k: 5 lines, 3 pictures"


def test_an_extra_picture_is_ignored(root):
    draw_crops(root / "cropped_aligned" / "7_left", "00006.jpg")
    assert crops.annotations(root, "7_left").sizes["frame"] == 5


def test_a_name_of_five_digits_is_preferred_to_a_padded_name(root):
    draw_crops(root / "cropped_aligned" / "7_left", "00002.jpg")
    assert crops.annotations(root, "7_left")["still"].values[1] == "00002.jpg"


def test_later_years_and_nested_copies_are_found(root):
    train = root / "VA_Set" / "Train_Set"
    write_annotation(train / "461.txt", "0,0")
    write_annotation(train / "462.txt", "0,0")
    new = draw_crops(root / "batch2" / "cropped_aligned_new_50_vids" / "461", "00001.jpg")
    nested = draw_crops(root / "cropped_aligned" / "cropped_aligned" / "462", "00001.jpg")
    index = crops.index(root).set_index("recording")
    assert index.loc[["461", "462"], "video"].tolist() == [str(new), str(nested)]


def test_a_recording_without_crops_has_no_stills(root):
    write_annotation(root / "VA_Set" / "Train_Set" / "8.txt", *LINES)
    assert crops.index(root).set_index("recording").loc["8", "video"] == ""
    read = crops.annotations(root, "8")
    assert set(read["still"].values) == {""}
    assert read["crop_box"].isnull().all()


def test_a_broken_picture_does_not_hide_others(root):
    folder = root / "cropped_aligned" / "7_left"
    (folder / "00001.jpg").write_text("no picture")
    assert crops.annotations(root, "7_left")["crop_box"][0].values.tolist() == [0, 0, 112, 112]
    for path in folder.glob("*[1-5].jpg"):
        path.write_text("no picture")
    with pytest.raises(AffectkitError, match=r"7_left: none of its pictures can be read"):
        crops.annotations(root, "7_left")


def test_a_broken_annotation_does_not_hide_other_recordings(root):
    (root / "VA_Set" / "Train_Set" / "7_left.txt").write_bytes(b"\xff\xfe\x00")
    assert crops.index(root)["frames"].tolist() == [0]


def test_a_root_without_crops_names_the_dataset_for_videos(tmp_path):
    write_annotation(tmp_path / "VA_Set" / "Train_Set" / "7.txt", *LINES)
    with pytest.raises(AffectkitError, match=r"no crops of Aff-Wild2 .*affwild2 reads videos"):
        crops.index(tmp_path)
