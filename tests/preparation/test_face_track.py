"""Detection and tracking of one person in a video."""

from pathlib import Path

import numpy as np
import pytest

from affectkit.faces import Crop, crop_boxes
from affectkit.preparation import prepare_video
from affectkit.preparation.face_track import find_person
from affectkit.recording import open_recording
from affectkit.video import read_times, write_video
from tests.faces.conftest import subjects  # noqa: F401
from tests.faces.scene import FPS, LEFT, RIGHT, blank, paste, to_scene


def write_scene(path: Path, scene: np.ndarray) -> Path:
    write_video(path, ((frame / FPS, rgb) for frame, rgb in enumerate(scene)), fps=FPS)
    return path


@pytest.fixture(scope="module")
def two(subjects, tmp_path_factory) -> Path:  # noqa: F811
    """Two people; the left one is hidden for 0.5 s, and 1 s later for 2 s."""
    scene = blank(60)
    paste(scene, subjects[0].rgb, LEFT)
    paste(scene, subjects[1].rgb, RIGHT)
    for first, last in ((8, 14), (26, 50)):
        scene[first:last, 70:180, LEFT + 40 : LEFT + 150] = 95
    return write_scene(tmp_path_factory.mktemp("two") / "two people.mp4", scene)


def test_the_person_on_the_left_or_right_is_found(two, subjects):  # noqa: F811
    for side, subject, left in (("left", 0, LEFT), ("right", 1, RIGHT), ("", 1, RIGHT)):
        found = find_person(two, person=side)
        off = np.linalg.norm(found.landmark - to_scene(subjects[subject].landmark, left), axis=2)
        assert np.nanmedian(off) < 3
        np.testing.assert_array_equal(found.time, read_times(two))


def test_crops_are_interpolated_over_short_gaps_only_and_landmarks_never(two):
    found = find_person(two, person="left")
    lost = [*range(8, 14), *range(26, 50)]
    assert np.flatnonzero(~found.detected).tolist() == lost
    np.testing.assert_array_equal(np.isnan(found.box).any(axis=1), ~found.detected)
    np.testing.assert_array_equal(np.isnan(found.landmark).any(axis=(1, 2)), ~found.detected)
    square = crop_boxes(found.landmark, found.time, Crop(), found.cuts)
    assert np.flatnonzero(np.isnan(square[:, 0])).tolist() == lost[6:]


def test_progress_counts_all_frames_and_the_result_is_reproducible(two):
    done = []
    one, other = (find_person(two, progress=done.append) for _ in range(2))
    assert done == [*range(4, 61, 4)] * 2
    for name in ("time", "box", "landmark", "detected", "cuts"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_a_video_without_a_face_gives_an_empty_track_and_a_warning(tmp_path):
    path = write_scene(tmp_path / "no face.mp4", blank(20))
    with pytest.warns(UserWarning, match=r"no face\.mp4: no face found in 20 frames; try --det"):
        found = find_person(path)
    assert not found.detected.any()
    assert found.box.shape == (20, 4)
    assert found.landmark.shape == (20, 68, 2)
    assert np.isnan(found.landmark).all()
    assert (found.box.dtype, found.landmark.dtype, found.detected.dtype) == ("f4", "f4", bool)


def test_a_single_person_on_the_other_side_is_not_used(subjects, tmp_path):  # noqa: F811
    scene = blank(20)
    paste(scene, subjects[0].rgb, LEFT)
    path = write_scene(tmp_path / "alone.mp4", scene)
    assert find_person(path, person="left").detected.all()
    with pytest.warns(UserWarning, match=r"alone\.mp4: the only person found is not on the right"):
        assert not find_person(path, person="right").detected.any()


def test_each_person_of_a_video_can_be_prepared(two, subjects, tmp_path):  # noqa: F811
    for person, subject, left in (("left", 0, LEFT), ("2", 0, LEFT), ("right", 1, RIGHT)):
        path = prepare_video(two, tmp_path, person=person, crop=Crop(size=32))
        assert path.name == f"two people_{person}.zarr"
        recording = open_recording(path)
        expected = to_scene(subjects[subject].landmark, left)
        off = np.linalg.norm(recording["landmark"].values - expected, axis=2)
        assert np.nanmedian(off) < 3
        assert recording.attrs["recording"] == recording.attrs["subject"] == path.stem


def test_a_person_that_the_video_does_not_have_is_a_warning_with_the_number(two):
    with pytest.warns(UserWarning, match="found 2 people, so there is no person 3; the recording"):
        assert not find_person(two, person="3").detected.any()
