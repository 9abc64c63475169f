import numpy as np

from affectkit.faces.shots import is_suspect, thumbnail


def suspects(changes: list[float]) -> list[int]:
    return [frame for frame in range(len(changes)) if is_suspect(changes, frame)]


def test_a_change_that_stands_out_is_a_suspected_cut():
    assert suspects([0, 1, 1, 30, 1, 1, 1]) == [3]
    assert suspects([0, 30, 1, 1, 1]) == [1]
    assert suspects([0, 1, 1, 1, 30]) == [4]
    assert suspects([0, 40]) == [1]


def test_small_changes_pans_and_repeated_frames_are_none():
    assert suspects([0, 0, 0, 5, 0, 0]) == []
    assert suspects([0, 1, 15, 20, 25, 20, 15, 1]) == []
    assert not {*suspects([0, 10] * 8)} & {*range(3, 13)}
    assert suspects([50]) == []


def test_two_cuts_in_a_row_are_both_seen():
    assert suspects([0, 1, 1, 30, 1, 40, 1, 1]) == [3, 5]


def test_thumbnails_of_any_size_show_the_same_picture():
    small = np.zeros((48, 64, 3), np.uint8)
    small[:, 32:] = 200
    large = small.repeat(20, axis=0).repeat(20, axis=1)
    for picture in (small, large):
        thumb = thumbnail(picture)
        np.testing.assert_array_equal(thumb[:, :8], 0)
        np.testing.assert_array_equal(thumb[:, 8:], 200)
    assert thumbnail(small[:7, :9]).shape == thumbnail(large).shape
