import numpy as np

from affectkit.faces.tracks import Track, intersection_over_union, match_boxes, new_faces

SQUARE = np.float32([0, 0, 10, 10])
SHIFTS = np.float32([[0, 0, 0, 0], [1, 0, 1, 0], [50, 0, 50, 0]])
BOXES = SQUARE + SHIFTS


def test_intersection_over_union_of_known_boxes():
    inner = np.float32([[0, 0, 5, 10]])
    np.testing.assert_allclose(intersection_over_union(SQUARE[None], inner), 0.5)
    expected = [[1, 90 / 110, 0]]
    np.testing.assert_allclose(intersection_over_union(SQUARE[None], BOXES), expected, rtol=1e-6)


def test_each_expected_box_matches_at_most_one_box():
    assert match_boxes(SQUARE[None], BOXES) == {0: 0}
    assert match_boxes(BOXES[:2], BOXES[[1, 2]]) == {0: 1}
    assert match_boxes(BOXES[:0], BOXES) == {}


def test_new_faces_are_confident_and_overlap_no_other_face():
    everyone = np.ones(3, bool)
    assert new_faces(BOXES, everyone, []) == [0, 2]
    assert new_faces(BOXES, everyone, [2]) == [0]
    assert new_faces(BOXES, np.array([True, True, False]), [0]) == []


def test_a_track_returns_what_was_appended():
    box = BOXES
    landmark = np.random.default_rng(0).normal(size=(3, 68, 2)).astype(np.float32)
    score = np.float32([1, np.nan, 2])
    track = Track()
    track.extend([4, 5], box[:2], landmark[:2], score[:2])
    track.extend([8], box[2:], landmark[2:], score[2:])
    assert track.frame == [4, 5, 8]
    np.testing.assert_array_equal(track.box, box)
    np.testing.assert_array_equal(track.landmark, landmark)
    np.testing.assert_array_equal(track.score, score)
    np.testing.assert_array_equal(track.last_box, box[2])
    np.testing.assert_array_equal(track.last_landmark, landmark[2])
