"""Which tracks show the same person, and which person is meant.

Tracks are joined two by two, the most alike first, by the mean distance of their looks. Two that
share a frame are two people. Being at the same place with no cut in between counts for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from affectkit.errors import AffectkitError
from affectkit.faces import boxes
from affectkit.faces.looks import Look, describe, likeness
from affectkit.faces.tracks import Followed, Track
from affectkit.recording import POINTS

PERSON = ("", "left", "right")
SAME = 0.72  # how far two looks of one person are apart at most (`_apart`)
COLOURS = 0.3  # how much colours count beside the net, whose own limit is 0.6
SAME_WITHOUT_NET = 0.4
SAME_PLACE = 0.2  # how much less two tracks differ that lie on each other with no cut between
BRIEF = 0.05  # of the frames of the most present person: who shows for less is not the second one


@dataclass(frozen=True, eq=False)
class Person:
    """Everything that is known of one person in a video, in all its frames."""

    box: NDArray[np.float32]  # (frame, edge); NaN = not found
    landmark: NDArray[np.float32]  # (frame, point, axis); NaN = not found
    cuts: NDArray[np.int64]  # frames at which a shot begins, for this person

    @property
    def area(self) -> float:
        """The face's area in all frames together, in pixels."""
        return float(np.nansum(boxes.area(self.box)))

    @property
    def frames(self) -> int:
        """In how many frames the face was found."""
        return int(np.isfinite(self.box[:, 0]).sum())


def find_people(followed: Followed) -> list[Person]:
    """Join tracks to people; nobody is at two places in one frame."""
    groups = [[track] for track in followed.tracks]
    if len(groups) > 1:
        distance, counts = _distances(followed), np.ones(len(groups))
        while distance.min() < 0:
            one, two = sorted(np.unravel_index(distance.argmin(), distance.shape))
            # infinite for those who share a frame, and for all who join one of them
            mean = np.average(distance[[one, two]], axis=0, weights=counts[[one, two]])
            distance[one], distance[:, one], distance[one, one] = mean, mean, np.inf
            distance[two], distance[:, two] = np.inf, np.inf
            counts[one] += counts[two]
            groups[one] += groups[two]
            groups[two] = []
    return [_assemble(group, followed) for group in groups if group]


def _distances(followed: Followed) -> NDArray[np.float64]:
    """How far tracks are from being the same person: below 0 they are, infinite cannot be."""
    tracks = followed.tracks
    looks = [describe(look) for track in tracks for look in track.looks]
    owner = np.repeat(np.arange(len(tracks)), [len(track.looks) for track in tracks])
    mean = (owner == np.arange(len(tracks))[:, None]) / np.bincount(owner)[:, None]
    distance = mean @ _apart(looks) @ mean.T - SAME_PLACE * _same_place(followed)
    distance[_together(tracks)] = np.inf
    return np.asarray(distance, np.float64)


def _apart(looks: Sequence[Look]) -> NDArray[np.float64]:
    """How far each look is from each other one, below 0 for the same person."""
    unlike = 1 - likeness([look.colour for look in looks])
    nets = [look.net for look in looks if look.net is not None]
    if len(nets) < len(looks):
        return np.asarray(unlike - SAME_WITHOUT_NET)
    return np.asarray(cdist(nets, nets) + COLOURS * unlike - SAME)


def _together(tracks: Sequence[Track]) -> NDArray[np.bool_]:
    """Which tracks share a frame, themselves among them."""
    first, last = np.array([(track.frame[0], track.frame[-1]) for track in tracks]).T
    together = (first[:, None] <= last) & (first <= last[:, None])
    frames = [set(track.frame) for track in tracks]
    for one, two in np.argwhere(together):  # one may lie in a gap of the other
        together[one, two] = not frames[one].isdisjoint(frames[two])
    return np.asarray(together)


def _same_place(followed: Followed) -> NDArray[np.bool_]:
    """Which tracks begin where another one ended, with no cut in between."""
    tracks = followed.tracks
    first, last = np.array([(track.frame[0], track.frame[-1]) for track in tracks]).T
    start, end = (np.searchsorted(followed.suspects, each, side="right") for each in (first, last))
    begun = np.stack([track.box[0] for track in tracks])
    ended = np.stack([track.last_box for track in tracks])
    after = (
        (end[:, None] == start)
        & (last[:, None] < first)
        & (boxes.overlap(ended, begun) > boxes.SAME)
    )
    return np.asarray(after | after.T)


def _assemble(tracks: Sequence[Track], followed: Followed) -> Person:
    frames = len(followed.time)
    box = np.full((frames, 4), np.nan, np.float32)
    landmark = np.full((frames, POINTS, 2), np.nan, np.float32)
    through: set[int] = set()  # frames that go on from the one before
    for track in tracks:
        box[track.frame] = track.box
        landmark[track.frame] = track.landmark
        through |= {frame for last, frame in pairwise(track.frame) if frame == last + 1}
    cuts = [cut for cut in followed.suspects if cut not in through]
    return Person(box, landmark, np.array(cuts, np.int64))


def choose_person(people: Sequence[Person], which: str, width: int) -> Person | None:
    """The person that is meant.

    Args:
        people: all of a video.
        which: "left" or "right" in the picture, of the two most present; or "" for the viewer: the
            person whose face takes most area over all frames, so that one on a screen behind loses.
        width: of the picture, in pixels. If there is one person only, left and right are halves
            of it.

    Returns:
        None if there is no such person.

    Raises:
        AffectkitError: `which` is something else.
    """
    if which not in PERSON:
        raise AffectkitError(f"expected 'left', 'right' or '' for the person, got {which!r}")
    if not people:
        return None
    if not which:
        return max(people, key=lambda person: person.area)
    present = sorted(people, key=lambda person: person.frames, reverse=True)[:2]
    present = [person for person in present if person.frames >= BRIEF * present[0].frames]
    places = [float(np.nanmean(person.box[:, [0, 2]])) for person in present]
    if len(present) == 1:
        return present[0] if (places[0] < width / 2) == (which == "left") else None
    return present[int(np.argmin(places) if which == "left" else np.argmax(places))]
