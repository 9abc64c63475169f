"""The synthetic Aff-Wild2 layouts contain the quirks that they document."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from affectkit.datasets import affwild2, align_to_frames, synthetic
from affectkit.datasets.synthetic.movement import MOVEMENT
from affectkit.datasets.synthetic.rendering import render_face
from affectkit.datasets.synthetic.scene import make_scene, read_settings
from affectkit.video import read_frames, read_times

SIZE = 64


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """Four small subjects with all quirks."""
    folder = tmp_path_factory.mktemp("layouts") / "affwild2"
    return synthetic.write_synthetic(
        folder, quirks=True, subjects=(2, 1, 1), seconds=10, fps=8, size=SIZE, workers=1
    )


def test_two_subjects_share_two_videos_and_have_sides(root):
    index = affwild2.index(root).set_index("recording")
    assert index["person"].to_dict() == {
        "person_000_left": "left", "person_000_right": "right",
        "person_001": "left", "person_001_right": "right",
        "person_002": "", "person_003": "",
    }  # fmt: skip
    assert index.loc[["person_000_left", "person_000_right"], "video"].nunique() == 1
    assert index.loc[["person_001", "person_001_right"], "subject"].nunique() == 1


@pytest.mark.parametrize(
    ("video", "first", "subjects"), [("person_000", 0, (0, 1)), ("person_001", 40, (1, 0))]
)
def test_subjects_are_rendered_left_and_right(root, video, first, subjects):
    _, rgb = next(read_frames(root / "batch1" / f"{video}.mp4"))
    for place, number in enumerate(subjects):
        scene = make_scene(read_settings(root), number)
        movement = dict(zip(MOVEMENT, scene.movement[first].tolist(), strict=True))
        shown = rgb[0, :, place * SIZE : (place + 1) * SIZE].astype(float)
        assert np.abs(shown - render_face(scene.subject, movement)).mean() < 8


def test_the_right_tracks_have_an_extra_line(root):
    for name, lines in {"person_000_left": 40, "person_000_right": 41}.items():
        assert affwild2.annotations(root, name).sizes["frame"] == lines
    time = read_times(root / "batch1" / "person_000.mp4")
    assert (
        align_to_frames(affwild2.annotations(root, "person_000_right"), time).sizes["frame"] == 40
    )


def test_single_columns_are_marked_as_not_annotated(root):
    text = root / "VA_Estimation_Challenge" / "Train_Set" / "person_000_left.txt"
    rows = text.read_bytes().split(b"\r\n")
    assert rows[2] == b"-5.0000,-5.0000"
    assert rows[3].endswith(b",-5.0000")
    assert rows[4].startswith(b"-5.0000,")
    annotation = affwild2.annotations(root, "person_000_left")["annotation"]
    assert annotation[1:4].isnull().all()


def test_one_video_is_an_avi_at_24000_1001_frames_per_second(root):
    time = read_times(root / "batch1" / "person_002.avi")
    np.testing.assert_allclose(time, np.arange(240) * 1001 / 24000, atol=1e-6)
    assert affwild2.annotations(root, "person_002").sizes["frame"] == 240


def test_one_video_is_shorter_than_a_window(root):
    assert len(read_times(root / "batch1" / "person_003.mp4")) == 79


def test_hidden_files_exist(root):
    assert {path.name for path in root.rglob(".*")} >= {".DS_Store", "._person_000.mp4"}


def test_the_face_is_centred_in_a_crop(tmp_path):
    root = synthetic.write_synthetic(
        tmp_path / "crops",
        layout="affwild2_crops",
        subjects=(1, 0, 0),
        seconds=0.5,
        fps=8,
        size=256,
        workers=1,
    )
    picture = cv2.imread(str(root / "cropped_aligned" / "person_000" / "00001.jpg"))
    scene = make_scene(read_settings(root), 0)
    whole = render_face(scene.subject, dict(zip(MOVEMENT, scene.movement[0].tolist(), strict=True)))
    points = synthetic.ground_truth(root, "person_000")["landmark"].values[0]
    x, y = ((points.min(axis=0) + points.max(axis=0)) / 2).round().astype(int)
    middle = picture[48:64, 48:64, ::-1].mean(axis=(0, 1))
    assert picture.shape == (112, 112, 3)
    np.testing.assert_allclose(middle, whole[y - 12 : y + 12, x - 12 : x + 12].mean((0, 1)), atol=8)


def test_some_crops_are_missing_or_have_padded_names(tmp_path):
    root = synthetic.write_synthetic(
        tmp_path / "crops",
        layout="affwild2_crops",
        quirks=True,
        subjects=(1, 0, 0),
        seconds=1,
        fps=8,
        size=SIZE,
        workers=1,
    )
    names = {path.name for path in (root / "cropped_aligned" / "person_000").iterdir()}
    assert {".DS_Store", "     4.jpg", "00001.jpg", "00003.jpg"} < names
    assert not {"00002.jpg", "00004.jpg", "00005.jpg"} & names
