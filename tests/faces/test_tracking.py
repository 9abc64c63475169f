from dataclasses import replace

import numpy as np
import pytest

from affectkit.faces import Detector, load_detector, track_faces
from affectkit.faces.tracks import FaceTracks
from tests.faces.scene import FPS, LEFT, RIGHT, batches, blank, paste, to_scene


@pytest.fixture(scope="module")
def detector() -> Detector:
    return load_detector("dlib")


def points(tracked: FaceTracks, track: int = 0) -> np.ndarray:
    return tracked.tracks[track].landmark


def assert_same(one: FaceTracks, other: FaceTracks) -> None:
    assert one.time == other.time
    assert one.possible_cuts == other.possible_cuts
    assert [track.frame for track in one.tracks] == [track.frame for track in other.tracks]
    for a, b in zip(one.tracks, other.tracks, strict=True):
        np.testing.assert_array_equal(a.box, b.box)
        np.testing.assert_array_equal(a.landmark, b.landmark)


def test_landmarks_between_key_frames_agree_with_detection_on_every_frame(subjects, detector):
    frames = batches(subjects[0].rgb)
    calls = []
    counting = replace(detector, detect=lambda rgb: calls.append(0) or detector.detect(rgb))
    tracked, every = track_faces(frames, counting), track_faces(frames, detector, detect_every=1)
    assert [track.frame for track in tracked.tracks] == [list(range(60))]
    assert len(calls) < 60 / 5
    assert np.median(np.linalg.norm(points(tracked) - points(every), axis=2)) < 1.5
    for each in (tracked, every):
        assert np.median(np.linalg.norm(points(each) - subjects[0].landmark, axis=2)) < 3


def test_tracks_do_not_depend_on_the_batch_size(subjects, detector):
    scene = blank(60)
    paste(scene, subjects[0].rgb[:40], LEFT)
    paste(scene, subjects[1].rgb[:50], RIGHT, first=10)
    whole = track_faces(batches(scene, 60), detector)
    assert len(whole.tracks) == 2
    for size in (1, 7, 16):
        assert_same(track_faces(batches(scene, size), detector), whole)


def test_a_new_track_begins_at_the_exact_frame_of_a_cut(subjects, detector):
    video = np.concatenate([subjects[0].rgb[:27], subjects[1].rgb[:30]])
    tracked = track_faces(batches(video), detector)
    assert [(track.frame[0], track.frame[-1]) for track in tracked.tracks] == [
        (0, 26),
        (27, 56),
    ]
    assert tracked.possible_cuts == [27]


def test_two_cuts_between_two_key_frames_are_both_found(subjects, detector):
    video = np.concatenate([subjects[0].rgb[:19], subjects[1].rgb[:5], subjects[2].rgb[:20]])
    tracked = track_faces(batches(video), detector)
    assert tracked.possible_cuts == [19, 24]
    assert [track.frame[0] for track in tracked.tracks] == [0, 19, 24]


def test_a_track_continues_after_a_short_gap(subjects, detector):
    scene = blank(48)
    paste(scene, subjects[0].rgb[:48], LEFT)
    hidden = range(20, 27)  # 0.6 s
    scene[20:27, 70:180, LEFT + 40 : LEFT + 150] = 95
    tracked = track_faces(batches(scene), detector)
    assert tracked.possible_cuts == []
    assert [track.frame for track in tracked.tracks] == [
        [frame for frame in range(48) if frame not in hidden]
    ]
    shown = np.isin(np.arange(48), hidden, invert=True)
    error = points(tracked) - to_scene(subjects[0].landmark[:48], LEFT)[shown]
    assert np.median(np.linalg.norm(error, axis=2)) < 3


def test_a_new_track_begins_after_a_long_gap(subjects, detector):
    scene = blank(60)
    paste(scene, subjects[0].rgb[:60], LEFT)
    scene[20 : 20 + 2 * FPS, 70:180, LEFT + 40 : LEFT + 150] = 95
    tracked = track_faces(batches(scene), detector)
    assert [track.frame[0] for track in tracked.tracks] == [0, 44]
    assert tracked.tracks[0].frame[-1] == 19


def test_a_cut_on_a_background_screen_does_not_end_the_track_of_a_face(subjects, detector):
    scene = blank(60)
    paste(scene, subjects[0].rgb[:60], LEFT)
    paste(scene, subjects[1].rgb[:30], RIGHT)
    paste(scene, subjects[2].rgb[:30], RIGHT, first=30)
    tracked = track_faces(batches(scene), detector)
    assert tracked.possible_cuts == [30]
    assert sorted((track.frame[0], track.frame[-1]) for track in tracked.tracks) == [
        (0, 29),
        (0, 59),
        (30, 59),
    ]


def test_videos_without_a_face_or_frame_have_no_tracks_and_one_frame_is_enough(subjects, detector):
    assert track_faces(batches(blank(40)), detector).tracks == []
    assert track_faces([], detector) == FaceTracks()
    assert track_faces(batches(subjects[0].rgb[:1]), detector).tracks[0].frame == [0]


def test_a_detection_without_confidence_counts_only_where_a_face_is_tracked():
    """The detector is confident of the face in frame 0 only, and never of another box."""
    face, other = [20, 20, 60, 60], [100, 20, 140, 60]

    def detect(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        first = picture[0, 0, 0] == 0
        return np.float32([face, other]), np.float32([2 if first else -0.3, -0.4])

    def landmarks(picture: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        corner, size = boxes[:, None, :2], boxes[:, None, 2:] - boxes[:, None, :2]
        return np.float32(corner + size * np.linspace(0.1, 0.9, 68)[:, None])

    video = np.tile(
        np.random.default_rng(0).integers(0, 255, (80, 160, 3), np.uint8), (40, 1, 1, 1)
    )
    video[:, 0, 0] = np.minimum(np.arange(40), 1)[:, None]
    tracked = track_faces(batches(video), Detector(detect, landmarks))
    assert [track.frame for track in tracked.tracks] == [list(range(40))]
    np.testing.assert_allclose(tracked.tracks[0].box, [face] * 40, atol=1e-4)
    ran = {0: 2, 16: -0.3, 32: -0.3, 39: -0.3}  # key frames, the last frame
    expected = [ran.get(frame, np.nan) for frame in range(40)]
    np.testing.assert_allclose(tracked.tracks[0].score, expected, rtol=1e-6)


def test_another_face_at_the_same_place_begins_a_new_track_without_a_cut(subjects, detector):
    scene = blank(48)
    paste(scene, subjects[0].rgb[:48], LEFT)
    scene[21:, 60:190, LEFT + 30 : LEFT + 160] = subjects[1].rgb[21:48, 52:182, 30:160]
    scene = np.concatenate([scene] + [blank(48)] * 4, axis=2)
    tracked = track_faces(batches(scene), detector)
    assert tracked.possible_cuts == []
    assert [track.frame for track in tracked.tracks] == [list(range(21)), list(range(21, 48))]
