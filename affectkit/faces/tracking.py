"""Follow every face through a video without looking for faces in every frame.

- The detector looks at key frames, every 16th by their number, so that batches do not matter.
- In between, the 68 points are fitted in a box that the points of the frame before carry along: its
  size and its offset from their centre go evenly from one key frame's to the next one's.
- That is trusted if it arrives: at the next key frame, the points carried there lie on those fitted
  in the box found there. Where they do not, and where a face comes or goes, the detector looks at
  the frame in the middle, near the faces only, and both halves are followed on their own, if need
  be down to single frames. Between two shots it looks on both sides of the suspected cut.
- A face that was lost for up to a second takes up its track again where it was, unless there was a
  suspected cut. A face that does not look the same from one frame to the next begins a new track.

Pixels are kept for two key frames at most; what grows with the video is the tracks.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from affectkit.faces.boxes import fresh_boxes, pair
from affectkit.faces.carrying import carry
from affectkit.faces.detector import Boxes, Detector, Picture, Points
from affectkit.faces.looks import colours, describe, likeness, see
from affectkit.faces.nearby import find_near
from affectkit.faces.shots import AROUND, is_suspect, thumbnail
from affectkit.faces.tracks import Followed, Track

EVERY = 16  # frames
ARRIVED = 0.05  # mean distance of the points over the width of the box
LOST = 1.0  # seconds after which a lost face takes up its track no more
ALIKE, ALIKE_IN_CUT = 0.65, 0.8  # correlation of a face with itself in the next frame
LOOKS = (0, 2 * EVERY, 10 * EVERY)  # frames after a track's first to look at the face


@dataclass
class _View:
    """The part of the video that is looked at."""

    detector: Detector
    known: Followed = field(default_factory=Followed)
    live: list[Track] = field(default_factory=list)  # tracks that may go on
    pictures: dict[int, Picture] = field(default_factory=dict)
    found: dict[int, tuple[Boxes, NDArray[np.bool_]]] = field(default_factory=dict)
    changes: list[float] = field(default_factory=list)
    last: NDArray[np.float32] | None = None  # thumbnail

    def find(self, frame: int) -> tuple[Boxes, NDArray[np.bool_]]:
        """What the detector finds in a frame, looked for once."""
        if frame not in self.found:
            self.found[frame] = self.detector.find(self.pictures[frame])
        return self.found[frame]


def follow(
    batches: Iterable[tuple[NDArray[np.float64], NDArray[np.uint8]]],
    detector: Detector,
    *,
    every: int = EVERY,
) -> Followed:
    """Follow all faces of a video.

    Args:
        batches: time (frame) in seconds and rgb (frame, row, col, channel), as `read_frames` gives
            them; how many frames are in a batch changes nothing.
        detector: finds faces and points.
        every: frames from one key frame to the next; 1 looks for faces in every frame.

    Returns:
        The times of all frames, the tracks in the order in which they begin, and suspected cuts.
    """
    view, key = _View(detector), -1
    for times, rgb in batches:
        for time, picture in zip(times, rgb, strict=True):
            newest = _add(view, float(time), picture)
            following = 0 if key < 0 else key + every
            if newest == following + AROUND:
                key = _advance(view, key, following)
    newest = len(view.known.time) - 1
    while key < newest:
        key = _advance(view, key, min(0 if key < 0 else key + every, newest))
    return view.known


def _add(view: _View, time: float, picture: Picture) -> int:
    small = thumbnail(picture)
    change = 0.0 if view.last is None else float(np.abs(small - view.last).mean())
    number = len(view.known.time)
    view.known.time.append(time)
    view.changes.append(change)
    view.pictures[number], view.last = picture, small
    return number


def _advance(view: _View, start: int, end: int) -> int:
    """Follow from one key frame to the next, and forget what lies before it."""
    view.known.suspects += [n for n in range(start + 1, end + 1) if is_suspect(view.changes, n)]
    _between(view, start, end)
    for number in [number for number in view.pictures if number < end]:
        del view.pictures[number]
        view.found.pop(number, None)
    return end


def _between(view: _View, start: int, end: int) -> None:
    """Follow the live tracks from frame `start`, which is done, to frame `end`."""
    if end - start == 1:
        _step(view, end)
        return
    cut = next((n for n in range(start + 1, end + 1) if is_suspect(view.changes, n)), None)
    if cut is None and _carry_all(view, start, end):
        return
    inner = [_look_between(view, start, end)] if cut is None else [cut - 1, cut]
    for one, two in pairwise([start, *inner, end]):
        if one < two:
            _between(view, one, two)


def _look_between(view: _View, start: int, end: int) -> int:
    """Look for faces in the middle, where they were last and will be; gives the frame's number."""
    middle = (start + end) // 2
    boxes, sure = view.find(end)
    pairs = _pair(view, start, end)
    will_be = boxes[[*pairs, *fresh_boxes(boxes, sure, pairs)]]
    expected = np.stack([*(track.last_box for track in view.live), *will_be])
    if middle not in view.found:
        view.found[middle] = find_near(view.detector, view.pictures[middle], expected)
    return middle


def _step(view: _View, frame: int) -> None:
    """Go one frame on, by what the detector finds there."""
    boxes, sure = view.find(frame)
    pairs = _pair(view, frame - 1, frame)
    chosen = [*pairs, *fresh_boxes(boxes, sure, pairs)]
    points = view.detector.fit(view.pictures[frame], boxes[chosen])
    going: list[Track] = []
    for number, landmark in zip(chosen, points, strict=True):
        track = pairs.get(number)
        if track is None or not _goes_on(view, track, frame, landmark):
            if not sure[number]:
                continue
            track = Track()
            view.known.tracks.append(track)
        track.extend([frame], boxes[number][None], landmark[None])
        going.append(track)
        _look(view, track, frame, bool(sure[number]))
    done = {id(track) for track in (*going, *pairs.values())}
    lost = [track for track in view.live if id(track) not in done]
    cut = is_suspect(view.changes, frame)
    view.live = going if cut else [*_recent(view, lost, frame), *going]


def _carry_all(view: _View, start: int, end: int) -> bool:
    """Carry every face from one frame to another; False, and nothing done, if that fails."""
    boxes, sure = view.find(end)
    pairs = _pair(view, start, end)
    here = [track for track in view.live if track.frame[-1] == start]
    if {*map(id, pairs.values())} != {*map(id, here)} or fresh_boxes(boxes, sure, pairs):
        return False
    if not pairs:
        return True
    numbers, tracks = list(pairs), list(pairs.values())
    frames = range(start + 1, end + 1)
    left = (
        np.stack([track.last_box for track in tracks]),
        np.stack([track.last_landmark for track in tracks]),
    )
    arrival = boxes[numbers], view.detector.fit(view.pictures[end], boxes[numbers])
    box, landmark = carry(
        view.detector.fit, [view.pictures[frame] for frame in frames], left, arrival
    )
    miss = np.linalg.norm(landmark[-1] - arrival[1], axis=-1).mean(axis=-1)
    if (miss > ARRIVED * np.ptp(boxes[numbers][:, [0, 2]], axis=1)).any():
        return False
    box[-1], landmark[-1] = arrival
    shown = np.concatenate([left[1][None], landmark])
    if not all(_same_face(view, start, shown[:, place], ALIKE) for place in range(len(tracks))):
        return False
    for place, (number, track) in enumerate(pairs.items()):
        track.extend(frames, box[:, place], landmark[:, place])
        _look(view, track, end, bool(sure[number]))
    return True


def _recent(view: _View, tracks: Iterable[Track], frame: int) -> list[Track]:
    """The tracks that were lost no longer than `LOST` before a frame."""
    time = view.known.time
    return [track for track in tracks if time[frame] - time[track.frame[-1]] <= LOST]


def _pair(view: _View, start: int, end: int) -> dict[int, Track]:
    """The boxes found in frame `end` that lie on a live track, closest first."""
    boxes, _ = view.find(end)
    here = [track for track in view.live if track.frame[-1] == start]
    lost = [track for track in view.live if track.frame[-1] < start]
    live = [*here, *_recent(view, lost, end)]
    expected = np.array([track.last_box for track in live], np.float32).reshape(-1, 4)
    return {number: live[row] for number, row in pair(expected, boxes).items()}


def _goes_on(view: _View, track: Track, frame: int, points: Points) -> bool:
    """Whether the face found where the track was is the same one."""
    cut = is_suspect(view.changes, frame)
    if track.frame[-1] < frame - 1:
        return not cut
    seen = np.stack([track.last_landmark, points])
    return _same_face(view, frame - 1, seen, ALIKE_IN_CUT if cut else ALIKE)


def _same_face(view: _View, first: int, points: NDArray[np.float32], least: float) -> bool:
    """Whether a face looks the same from frame to frame.

    Args:
        view: has the pictures.
        first: number of the first frame.
        points: (frame, point, axis) from that frame on.
        least: correlation of one frame with the next.
    """
    ends = [(view.pictures[first + step], points[step]) for step in (0, len(points) - 1)]
    if likeness([colours(*each) for each in ends])[0, 1] > least:
        return True
    shown = [colours(view.pictures[first + step], each) for step, each in enumerate(points)]
    return bool((np.diag(likeness(shown), k=1) > least).all())


def _look(view: _View, track: Track, frame: int, sure: bool) -> None:
    seen = len(track.looks)
    if not sure or seen == len(LOOKS) or frame - track.frame[0] < LOOKS[seen]:
        return
    look = see(view.pictures[frame], track.last_landmark)
    # who is who is only asked where there are several
    track.looks.append(describe(look) if len(view.known.tracks) > 1 else look)
