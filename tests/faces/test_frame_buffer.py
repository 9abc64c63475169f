import numpy as np
import pytest

from affectkit.faces import Detector
from affectkit.faces.frame_buffer import FrameBuffer, frame_thumbnail, is_possible_cut


def possible_cuts(changes: list[float]) -> list[int]:
    return [frame for frame in range(len(changes)) if is_possible_cut(changes, frame)]


def test_a_change_much_larger_than_its_neighbours_is_a_possible_cut():
    assert possible_cuts([0, 1, 1, 30, 1, 1, 1]) == [3]
    assert possible_cuts([0, 30, 1, 1, 1]) == [1]
    assert possible_cuts([0, 1, 1, 1, 30]) == [4]
    assert possible_cuts([0, 40]) == [1]


def test_small_changes_pans_and_repeated_frames_are_no_cuts():
    assert possible_cuts([0, 0, 0, 5, 0, 0]) == []
    assert possible_cuts([0, 1, 15, 20, 25, 20, 15, 1]) == []
    assert not {*possible_cuts([0, 10] * 8)} & {*range(3, 13)}
    assert possible_cuts([50]) == []


def test_two_cuts_close_to_each_other_are_both_found():
    assert possible_cuts([0, 1, 1, 30, 1, 40, 1, 1]) == [3, 5]


def test_the_thumbnail_does_not_depend_on_the_picture_size():
    small = np.zeros((48, 64, 3), np.uint8)
    small[:, 32:] = 200
    large = small.repeat(20, axis=0).repeat(20, axis=1)
    for picture in (small, large):
        thumb = frame_thumbnail(picture)
        np.testing.assert_array_equal(thumb[:, :8], 0)
        np.testing.assert_array_equal(thumb[:, 8:], 200)
    assert frame_thumbnail(small[:7, :9]).shape == frame_thumbnail(large).shape


def test_the_buffer_detects_once_per_frame_and_drops_old_pictures():
    detected = []

    def detect(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        detected.append(int(picture[0, 0, 0]))
        return np.zeros((0, 4), np.float32), np.zeros(0, np.float32)

    frames = FrameBuffer(Detector(detect, lambda picture, boxes: boxes))
    for grey in (0, 10, 250):
        frames.add(np.full((48, 64, 3), grey, np.uint8))
    assert frames.changes == [0, 10, 240]
    assert frames.is_possible_cut(2)
    for _ in range(2):
        frames.detect(1)
        frames.detect_near(2, np.float32([[20, 20, 30, 30]]))
    assert detected == [10, 250]
    frames.drop_before(2)
    assert [picture[0, 0, 0] for picture in frames.pictures(2, 2)] == [250]
    with pytest.raises(KeyError):
        frames.pictures(1, 2)
