"""Merge face tracks of the same person, and choose a person of a video.

Tracks are merged two by two, the most similar ones first, by the mean distance of their embeddings.
Two tracks that share a frame are two people. Two tracks at the same place without a possible cut
between them are more likely the same person.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from affectkit.errors import AffectkitError
from affectkit.faces.embedding import Embedding, add_descriptor, similarity
from affectkit.faces.tracks import (
    SAME_FACE,
    FaceTracks,
    Track,
    box_area,
    intersection_over_union,
)
from affectkit.recording import POINTS

SIDES = ("left", "right")
MAX_DISTANCE = 0.72  # between two embeddings of one person, thumbnails and descriptors together
THUMBNAIL_WEIGHT = 0.3  # relative to the distance of descriptors (usual limit 0.6)
MAX_DISTANCE_OF_THUMBNAILS = 0.4  # where there are no descriptors
SAME_PLACE_BONUS = 0.2  # subtracted from the distance of tracks at the same place without a cut
MIN_PRESENCE = 0.05  # of the frames of the most present person, to count as the second one


@dataclass(frozen=True, eq=False)
class Person:
    """One person in all frames of a video."""

    box: NDArray[np.float32]  # (frame, edge) in source pixels; NaN = not found
    landmark: NDArray[np.float32]  # (frame, point, axis) in source pixels; NaN = not found
    score: NDArray[np.float32]  # (frame) of the detector; NaN = not found, or tracked only
    cuts: NDArray[np.int64]  # frames at which a shot of this person begins

    @property
    def area(self) -> float:
        """The face's area, summed over all frames, in square pixels."""
        return float(np.nansum(box_area(self.box)))

    @property
    def frames(self) -> int:
        """Number of frames in which the face was found."""
        return int(np.isfinite(self.box[:, 0]).sum())


def find_people(face_tracks: FaceTracks) -> list[Person]:
    """Merge the tracks of a video into people."""
    groups = [[track] for track in face_tracks.tracks]
    if len(groups) > 1:
        distance, counts = _distances(face_tracks), np.ones(len(groups))
        while distance.min() < 0:
            one, two = sorted(np.unravel_index(distance.argmin(), distance.shape))
            # infinite for tracks that share a frame, and so for the groups that they belong to
            mean = np.average(distance[[one, two]], axis=0, weights=counts[[one, two]])
            distance[one], distance[:, one], distance[one, one] = mean, mean, np.inf
            distance[two], distance[:, two] = np.inf, np.inf
            counts[one] += counts[two]
            groups[one] += groups[two]
            groups[two] = []
    return [_make_person(group, face_tracks) for group in groups if group]


def _distances(face_tracks: FaceTracks) -> NDArray[np.float64]:
    """Distance between tracks: negative for the same person, infinite if they share a frame."""
    tracks = face_tracks.tracks
    embeddings = [add_descriptor(embedding) for track in tracks for embedding in track.embeddings]
    owner = np.repeat(np.arange(len(tracks)), [len(track.embeddings) for track in tracks])
    mean = (owner == np.arange(len(tracks))[:, None]) / np.bincount(owner)[:, None]
    bonus = SAME_PLACE_BONUS * _at_same_place(face_tracks)
    distance = mean @ _embedding_distances(embeddings) @ mean.T - bonus
    distance[_share_a_frame(tracks)] = np.inf
    return np.asarray(distance, np.float64)


def _embedding_distances(embeddings: Sequence[Embedding]) -> NDArray[np.float64]:
    """Distance between embeddings minus its limit: negative for the same person."""
    of_thumbnails = 1 - similarity([embedding.thumbnail for embedding in embeddings])
    descriptors = [each.descriptor for each in embeddings if each.descriptor is not None]
    if len(descriptors) < len(embeddings):
        return np.asarray(of_thumbnails - MAX_DISTANCE_OF_THUMBNAILS)
    of_descriptors = cdist(descriptors, descriptors)
    return np.asarray(of_descriptors + THUMBNAIL_WEIGHT * of_thumbnails - MAX_DISTANCE)


def _share_a_frame(tracks: Sequence[Track]) -> NDArray[np.bool_]:
    """Whether two tracks share a frame, (track, track); True on the diagonal."""
    first, last = np.array([(track.frame[0], track.frame[-1]) for track in tracks]).T
    shared = (first[:, None] <= last) & (first <= last[:, None])
    frames = [set(track.frame) for track in tracks]
    for one, two in np.argwhere(shared):  # one track may be in a gap of the other
        shared[one, two] = not frames[one].isdisjoint(frames[two])
    return np.asarray(shared)


def _at_same_place(face_tracks: FaceTracks) -> NDArray[np.bool_]:
    """Whether one of two tracks begins where the other ended, without a possible cut between."""
    tracks, cuts = face_tracks.tracks, face_tracks.possible_cuts
    first, last = np.array([(track.frame[0], track.frame[-1]) for track in tracks]).T
    start, end = (np.searchsorted(cuts, frames, side="right") for frames in (first, last))
    first_box = np.stack([track.box[0] for track in tracks])
    last_box = np.stack([track.last_box for track in tracks])
    after = (
        (end[:, None] == start)
        & (last[:, None] < first)
        & (intersection_over_union(last_box, first_box) > SAME_FACE)
    )
    return np.asarray(after | after.T)


def _make_person(tracks: Sequence[Track], face_tracks: FaceTracks) -> Person:
    frames = len(face_tracks.time)
    box = np.full((frames, 4), np.nan, np.float32)
    landmark = np.full((frames, POINTS, 2), np.nan, np.float32)
    score = np.full(frames, np.nan, np.float32)
    continued: set[int] = set()  # frames that directly follow another frame of the same track
    for track in tracks:
        box[track.frame] = track.box
        landmark[track.frame] = track.landmark
        score[track.frame] = track.score
        continued |= {frame for last, frame in pairwise(track.frame) if frame == last + 1}
    cuts = [cut for cut in face_tracks.possible_cuts if cut not in continued]
    return Person(box, landmark, score, np.array(cuts, np.int64))


def check_person(person: str) -> None:
    """Check how a person of a video is named; see `choose_person`.

    Raises:
        AffectkitError: it is not "", "left", "right" or a number from 1.
    """
    if person not in ("", *SIDES) and not re.fullmatch("[1-9][0-9]{0,2}", person):
        raise AffectkitError(
            f"unknown person {person!r}: expected 'left', 'right' or a number (1 = the largest "
            "face, 2 = the second largest, ...)"
        )


def choose_person(people: Sequence[Person], person: str, width: int) -> Person | None:
    """Choose a person of a video.

    Args:
        people: all people of the video.
        person: "left" or "right": of the two people in most frames, the one further left or right
            in the picture; "2": the person with the second largest face area over all frames, and
            so on; "": as "1", so that a viewer is preferred to faces on a screen in the background.
        width: of the picture in pixels. A single person is "left" or "right" by the half of the
            picture.

    Returns:
        The person, or None if there is no such person.

    Raises:
        AffectkitError: `person` is none of these.
    """
    check_person(person)
    if not people:
        return None
    if person not in SIDES:
        number = int(person or 1)
        largest = sorted(people, key=lambda each: each.area, reverse=True)
        return largest[number - 1] if number <= len(largest) else None
    present = sorted(people, key=lambda each: each.frames, reverse=True)[:2]
    present = [each for each in present if each.frames >= MIN_PRESENCE * present[0].frames]
    middles = [float(np.nanmean(each.box[:, [0, 2]])) for each in present]
    if len(present) == 1:
        return present[0] if (middles[0] < width / 2) == (person == "left") else None
    return present[int(np.argmin(middles) if person == "left" else np.argmax(middles))]
