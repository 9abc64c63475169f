from pathlib import Path

import numpy as np
import pytest

from affectkit.faces import Crop, crop_boxes
from affectkit.prepare.finding import find_person
from affectkit.video import read_times, write_video
from tests.faces.conftest import actors  # noqa: F401
from tests.faces.stage import FPS, LEFT, RIGHT, empty, put, truth


def film(path: Path, stage: np.ndarray) -> Path:
    write_video(path, ((frame / FPS, rgb) for frame, rgb in enumerate(stage)), fps=FPS)
    return path


@pytest.fixture(scope="module")
def two(actors, tmp_path_factory) -> Path:  # noqa: F811
    """The left one is lost for half a second, then, after a second, for two."""
    stage = empty(60)
    put(stage, actors[0].rgb, LEFT)
    put(stage, actors[1].rgb, RIGHT)
    for first, last in ((8, 14), (26, 50)):
        stage[first:last, 70:180, LEFT + 40 : LEFT + 150] = 95
    return film(tmp_path_factory.mktemp("two") / "two people.mp4", stage)


def test_left_and_right_are_found_where_they_are(two, actors):  # noqa: F811
    for side, actor, left in (("left", 0, LEFT), ("right", 1, RIGHT), ("", 1, RIGHT)):
        found = find_person(two, person=side)
        off = np.linalg.norm(found.landmark - truth(actors[actor].landmark, left), axis=2)
        assert np.nanmedian(off) < 3
        np.testing.assert_array_equal(found.time, read_times(two))


def test_short_gaps_are_bridged_in_the_crop_only_and_long_ones_are_not(two):
    found = find_person(two, person="left")
    lost = [*range(8, 14), *range(26, 50)]
    assert np.flatnonzero(~found.detected).tolist() == lost
    np.testing.assert_array_equal(np.isnan(found.box).any(axis=1), ~found.detected)
    np.testing.assert_array_equal(np.isnan(found.landmark).any(axis=(1, 2)), ~found.detected)
    square = crop_boxes(found.landmark, found.time, Crop(), found.cuts)
    assert np.flatnonzero(np.isnan(square[:, 0])).tolist() == lost[6:]


def test_all_frames_are_told_and_the_result_comes_again(two):
    done = []
    one, other = (find_person(two, progress=done.append) for _ in range(2))
    assert done == [*range(4, 61, 4)] * 2
    for name in ("time", "box", "landmark", "detected", "cuts"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_a_video_without_a_face_is_left_without_and_told(tmp_path):
    path = film(tmp_path / "no face.mp4", empty(20))
    with pytest.warns(UserWarning, match=r"no face\.mp4: no face found in 20 frames; try --det"):
        found = find_person(path)
    assert not found.detected.any()
    assert found.box.shape == (20, 4)
    assert found.landmark.shape == (20, 68, 2)
    assert np.isnan(found.landmark).all()
    assert (found.box.dtype, found.landmark.dtype, found.detected.dtype) == ("f4", "f4", bool)


def test_a_lone_person_on_the_other_side_is_not_taken(actors, tmp_path):  # noqa: F811
    stage = empty(20)
    put(stage, actors[0].rgb, LEFT)
    path = film(tmp_path / "alone.mp4", stage)
    assert find_person(path, person="left").detected.all()
    with pytest.warns(UserWarning, match=r"alone\.mp4: the one person found is not on the right"):
        assert not find_person(path, person="right").detected.any()
