"""Track every face through a video without running the detector on every frame.

- The detector runs on key frames only, every 16th frame. The result does not depend on batches.
- Between two key frames, the landmarks are fitted in a box that is propagated from frame to frame.
- Propagation is accepted if it reaches the next key frame close to the landmarks fitted there in
  the detected box. Otherwise, and where faces appear or disappear, the detector runs on the frame
  in the middle, near the faces only, and both halves are tracked separately; down to single frames
  if necessary. At a possible shot cut, the detector runs on the frame before and the frame after.
- A face that was lost for up to a second continues its track if it is found again at the same
  place, unless there was a possible cut. A face that looks different from one frame to the next
  begins a new track.

Pictures are kept for at most two key frames; memory grows with the length of the tracks only.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from affectkit.faces.detector import Detector, Points
from affectkit.faces.embedding import add_descriptor, embed_face
from affectkit.faces.frame_buffer import NEIGHBOURS, FrameBuffer
from affectkit.faces.propagation import is_same_face, propagate
from affectkit.faces.tracks import FaceTracks, Track, match_boxes, new_faces

DETECT_EVERY = 16  # frames
MAX_ERROR = 0.05  # of propagated landmarks: mean distance over the width of the box
MAX_GAP = 1.0  # seconds after which a lost face begins a new track
MIN_SIMILARITY, MIN_SIMILARITY_AT_CUT = 0.65, 0.8  # of a face in two consecutive frames
EMBED_AT = (0, 2 * DETECT_EVERY, 10 * DETECT_EVERY)  # frames after the first frame of a track


@dataclass
class _Tracker:
    """State of the tracking of one video."""

    frames: FrameBuffer
    result: FaceTracks = field(default_factory=FaceTracks)
    active: list[Track] = field(default_factory=list)  # tracks that may continue


def track_faces(
    batches: Iterable[tuple[NDArray[np.float64], NDArray[np.uint8]]],
    detector: Detector,
    *,
    detect_every: int = DETECT_EVERY,
) -> FaceTracks:
    """Track all faces of a video.

    Args:
        batches: time (frame) in seconds and rgb (frame, row, col, channel), as from `read_frames`;
            the result does not depend on the batch size.
        detector: detects faces and landmarks.
        detect_every: frames from one key frame to the next; 1 runs the detector on every frame.

    Returns:
        The times of all frames, the tracks in the order of their first frames, and possible cuts.
    """
    tracker, key = _Tracker(FrameBuffer(detector)), -1
    times = tracker.result.time
    for batch_times, rgb in batches:
        for time, picture in zip(batch_times, rgb, strict=True):
            times.append(float(time))
            tracker.frames.add(picture)
            next_key = 0 if key < 0 else key + detect_every
            if len(times) - 1 == next_key + NEIGHBOURS:
                key = _track_to_key_frame(tracker, key, next_key)
    last = len(times) - 1
    while key < last:
        next_key = min(0 if key < 0 else key + detect_every, last)
        key = _track_to_key_frame(tracker, key, next_key)
    return tracker.result


def _track_to_key_frame(tracker: _Tracker, start: int, end: int) -> int:
    """Track from one key frame to the next, and free the pictures before it."""
    new = range(start + 1, end + 1)
    tracker.result.possible_cuts += [n for n in new if tracker.frames.is_possible_cut(n)]
    _track_between(tracker, start, end)
    tracker.frames.drop_before(end)
    return end


def _track_between(tracker: _Tracker, start: int, end: int) -> None:
    """Continue the active tracks from frame `start`, which is done, to frame `end`."""
    if end - start == 1:
        _track_one_frame(tracker, end)
        return
    cuts = (n for n in range(start + 1, end + 1) if tracker.frames.is_possible_cut(n))
    cut = next(cuts, None)
    if cut is None and _propagate_all(tracker, start, end):
        return
    inner = [_detect_in_the_middle(tracker, start, end)] if cut is None else [cut - 1, cut]
    for one, two in pairwise([start, *inner, end]):
        if one < two:
            _track_between(tracker, one, two)


def _detect_in_the_middle(tracker: _Tracker, start: int, end: int) -> int:
    """Detect faces in the middle frame, near their places before and after; returns its number."""
    boxes, score = tracker.frames.detect(end)
    matches = _match_tracks(tracker, start, end)
    confident = tracker.frames.detector.is_confident(score)
    after = boxes[[*matches, *new_faces(boxes, confident, matches)]]
    middle = (start + end) // 2
    expected = np.stack([*(track.last_box for track in tracker.active), *after])
    tracker.frames.detect_near(middle, expected)
    return middle


def _track_one_frame(tracker: _Tracker, frame: int) -> None:
    """Continue, begin and end tracks by the faces detected in the next frame."""
    boxes, score = tracker.frames.detect(frame)
    confident = tracker.frames.detector.is_confident(score)
    matches = _match_tracks(tracker, frame - 1, frame)
    chosen = [*matches, *new_faces(boxes, confident, matches)]
    (picture,) = tracker.frames.pictures(frame, frame)
    points = tracker.frames.detector.landmarks(picture, boxes[chosen])
    continued: list[Track] = []
    for index, landmark in zip(chosen, points, strict=True):
        track = matches.get(index)
        if track is None or not _continues(tracker, track, frame, landmark):
            if not confident[index]:
                continue
            track = Track()
            tracker.result.tracks.append(track)
        track.extend([frame], boxes[[index]], landmark[None], score[[index]])
        continued.append(track)
        _embed(tracker, track, frame, bool(confident[index]))
    done = {id(track) for track in (*continued, *matches.values())}
    lost = [track for track in tracker.active if id(track) not in done]
    cut = tracker.frames.is_possible_cut(frame)
    tracker.active = continued if cut else [*_recent(tracker, lost, frame), *continued]


def _propagate_all(tracker: _Tracker, start: int, end: int) -> bool:
    """Propagate every face from frame `start` to `end`; False if that fails, without a change."""
    boxes, score = tracker.frames.detect(end)
    confident = tracker.frames.detector.is_confident(score)
    matches = _match_tracks(tracker, start, end)
    here = [track for track in tracker.active if track.frame[-1] == start]
    if {*map(id, matches.values())} != {*map(id, here)} or new_faces(boxes, confident, matches):
        return False
    if not matches:
        return True
    indices, tracks = list(matches), list(matches.values())
    find_landmarks, pictures = (
        tracker.frames.detector.landmarks,
        tracker.frames.pictures(start, end),
    )
    begin = (
        np.stack([track.last_box for track in tracks]),
        np.stack([track.last_landmark for track in tracks]),
    )
    arrival = boxes[indices], find_landmarks(pictures[-1], boxes[indices])
    box, landmark = propagate(find_landmarks, pictures[1:], begin, arrival)
    error = np.linalg.norm(landmark[-1] - arrival[1], axis=-1).mean(axis=-1)
    if (error > MAX_ERROR * np.ptp(boxes[indices][:, [0, 2]], axis=1)).any():
        return False
    box[-1], landmark[-1] = arrival
    path = np.concatenate([begin[1][None], landmark])
    for face in range(len(tracks)):
        if not is_same_face(pictures, path[:, face], MIN_SIMILARITY):
            return False
    for face, (index, track) in enumerate(matches.items()):
        scores = np.full(end - start, np.nan, np.float32)
        scores[-1] = score[index]  # the detector ran on the last frame only
        track.extend(range(start + 1, end + 1), box[:, face], landmark[:, face], scores)
        _embed(tracker, track, end, bool(confident[index]))
    return True


def _recent(tracker: _Tracker, tracks: Iterable[Track], frame: int) -> list[Track]:
    """The tracks that were lost at most `MAX_GAP` before a frame."""
    time = tracker.result.time
    return [track for track in tracks if time[frame] - time[track.frame[-1]] <= MAX_GAP]


def _match_tracks(tracker: _Tracker, start: int, end: int) -> dict[int, Track]:
    """Match the boxes detected in frame `end` to active tracks: index of the box to its track."""
    boxes, _ = tracker.frames.detect(end)
    here = [track for track in tracker.active if track.frame[-1] == start]
    lost = [track for track in tracker.active if track.frame[-1] < start]
    candidates = [*here, *_recent(tracker, lost, end)]
    expected = np.array([track.last_box for track in candidates], np.float32).reshape(-1, 4)
    return {index: candidates[row] for index, row in match_boxes(expected, boxes).items()}


def _continues(tracker: _Tracker, track: Track, frame: int, points: Points) -> bool:
    """Whether a face detected at the place of a track is the same face."""
    cut = tracker.frames.is_possible_cut(frame)
    if track.frame[-1] < frame - 1:
        return not cut
    path = np.stack([track.last_landmark, points])
    min_similarity = MIN_SIMILARITY_AT_CUT if cut else MIN_SIMILARITY
    return is_same_face(tracker.frames.pictures(frame - 1, frame), path, min_similarity)


def _embed(tracker: _Tracker, track: Track, frame: int, confident: bool) -> None:
    """Store an embedding of the face if one is due."""
    count = len(track.embeddings)
    if not confident or count == len(EMBED_AT) or frame - track.frame[0] < EMBED_AT[count]:
        return
    (picture,) = tracker.frames.pictures(frame, frame)
    embedding = embed_face(picture, track.last_landmark)
    # people are compared only if there are several tracks
    several = len(tracker.result.tracks) > 1
    track.embeddings.append(add_descriptor(embedding) if several else embedding)
