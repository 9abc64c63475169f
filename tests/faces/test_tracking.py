from dataclasses import replace

import numpy as np
import pytest

from affectkit.faces import Detector, load_detector
from affectkit.faces.tracking import follow
from affectkit.faces.tracks import Followed
from tests.faces.stage import FPS, LEFT, RIGHT, batches, empty, put, truth


@pytest.fixture(scope="module")
def detector() -> Detector:
    return load_detector("dlib")


def points(followed: Followed, track: int = 0) -> np.ndarray:
    return followed.tracks[track].landmark


def assert_same(one: Followed, other: Followed) -> None:
    assert one.time == other.time
    assert one.suspects == other.suspects
    assert [track.frame for track in one.tracks] == [track.frame for track in other.tracks]
    for a, b in zip(one.tracks, other.tracks, strict=True):
        np.testing.assert_array_equal(a.box, b.box)
        np.testing.assert_array_equal(a.landmark, b.landmark)


def test_points_between_key_frames_are_those_of_detecting_on_every_frame(actors, detector):
    frames = batches(actors[0].rgb)
    looked = []
    counting = replace(detector, find=lambda rgb: looked.append(0) or detector.find(rgb))
    tracked, every = follow(frames, counting), follow(frames, detector, every=1)
    assert [track.frame for track in tracked.tracks] == [list(range(60))]
    assert len(looked) < 60 / 5
    assert np.median(np.linalg.norm(points(tracked) - points(every), axis=2)) < 1.5
    for followed in (tracked, every):
        assert np.median(np.linalg.norm(points(followed) - actors[0].landmark, axis=2)) < 3


def test_frames_of_a_batch_change_nothing(actors, detector):
    stage = empty(60)
    put(stage, actors[0].rgb[:40], LEFT)
    put(stage, actors[1].rgb[:50], RIGHT, first=10)
    whole = follow(batches(stage, 60), detector)
    assert len(whole.tracks) == 2
    for size in (1, 7, 16):
        assert_same(follow(batches(stage, size), detector), whole)


def test_a_cut_begins_a_new_track_on_its_very_frame(actors, detector):
    film = np.concatenate([actors[0].rgb[:27], actors[1].rgb[:30]])
    followed = follow(batches(film), detector)
    assert [(track.frame[0], track.frame[-1]) for track in followed.tracks] == [(0, 26), (27, 56)]
    assert followed.suspects == [27]


def test_two_cuts_between_two_key_frames_are_both_found(actors, detector):
    film = np.concatenate([actors[0].rgb[:19], actors[1].rgb[:5], actors[2].rgb[:20]])
    followed = follow(batches(film), detector)
    assert followed.suspects == [19, 24]
    assert [track.frame[0] for track in followed.tracks] == [0, 19, 24]


def test_a_face_lost_for_a_moment_takes_up_its_track_on_its_very_frame(actors, detector):
    stage = empty(48)
    put(stage, actors[0].rgb[:48], LEFT)
    hidden = range(20, 27)  # 0.6 s
    stage[20:27, 70:180, LEFT + 40 : LEFT + 150] = 95
    followed = follow(batches(stage), detector)
    assert followed.suspects == []
    assert [track.frame for track in followed.tracks] == [
        [frame for frame in range(48) if frame not in hidden]
    ]
    shown = np.isin(np.arange(48), hidden, invert=True)
    error = points(followed) - truth(actors[0].landmark[:48], LEFT)[shown]
    assert np.median(np.linalg.norm(error, axis=2)) < 3


def test_a_face_lost_for_long_begins_a_new_track(actors, detector):
    stage = empty(60)
    put(stage, actors[0].rgb[:60], LEFT)
    stage[20 : 20 + 2 * FPS, 70:180, LEFT + 40 : LEFT + 150] = 95
    followed = follow(batches(stage), detector)
    assert [track.frame[0] for track in followed.tracks] == [0, 44]
    assert followed.tracks[0].frame[-1] == 19


def test_a_cut_on_a_screen_behind_does_not_end_the_track_of_the_face_before_it(actors, detector):
    stage = empty(60)
    put(stage, actors[0].rgb[:60], LEFT)
    put(stage, actors[1].rgb[:30], RIGHT)
    put(stage, actors[2].rgb[:30], RIGHT, first=30)
    followed = follow(batches(stage), detector)
    assert followed.suspects == [30]
    assert sorted((track.frame[0], track.frame[-1]) for track in followed.tracks) == [
        (0, 29),
        (0, 59),
        (30, 59),
    ]


def test_no_face_no_track_and_one_frame_is_enough(actors, detector):
    assert follow(batches(empty(40)), detector).tracks == []
    assert follow([], detector) == Followed()
    assert follow(batches(actors[0].rgb[:1]), detector).tracks[0].frame == [0]


def test_a_weak_candidate_counts_only_where_a_face_is(actors):
    """A made-up detector: sure of the face in frame 0, unsure later, and of a place without one."""
    face, other = [20, 20, 60, 60], [100, 20, 140, 60]

    def find(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        first = picture[0, 0, 0] == 0
        return np.float32([face, other]), np.array([first, False])

    def fit(picture: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        corner, size = boxes[:, None, :2], boxes[:, None, 2:] - boxes[:, None, :2]
        return np.float32(corner + size * np.linspace(0.1, 0.9, 68)[:, None])

    film = np.tile(np.random.default_rng(0).integers(0, 255, (80, 160, 3), np.uint8), (40, 1, 1, 1))
    film[:, 0, 0] = np.minimum(np.arange(40), 1)[:, None]
    followed = follow(batches(film), Detector(find, fit))
    assert [track.frame for track in followed.tracks] == [list(range(40))]
    np.testing.assert_allclose(followed.tracks[0].box, [face] * 40, atol=1e-4)


def test_another_face_at_the_same_place_begins_a_new_track_though_little_else_changes(
    actors, detector
):
    stage = empty(48)
    put(stage, actors[0].rgb[:48], LEFT)
    stage[21:, 60:190, LEFT + 30 : LEFT + 160] = actors[1].rgb[21:48, 52:182, 30:160]
    stage = np.concatenate([stage] + [empty(48)] * 4, axis=2)
    followed = follow(batches(stage), detector)
    assert followed.suspects == []
    assert [track.frame for track in followed.tracks] == [list(range(21)), list(range(21, 48))]
