"""Copies lie below the threshold, other people above, both with room to spare."""

import cv2
import numpy as np
import pytest

from affectkit.checking.hashing import ALIKE, FRAMES, distances, hash_pictures, spread
from affectkit.video import read_thumbnails
from tests.checking.conftest import redraw, video

COPIES = {
    "encoded again": lambda picture: picture,
    "rescaled": lambda picture: cv2.resize(picture, (96, 48), interpolation=cv2.INTER_AREA),
    "brightened": lambda picture: cv2.add(picture, (40, 40, 40, 0)),
    "darkened": lambda picture: (picture * 0.6).astype(np.uint8),
    "compressed": lambda picture: cv2.imdecode(
        cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 20])[1], cv2.IMREAD_COLOR
    ),
}


def hash_of(path):
    return hash_pictures(spread(picture for _, picture in read_thumbnails(path)))


@pytest.mark.parametrize("kind", COPIES)
def test_copies_are_found(kind, drawn, tmp_path):
    for name in ("person_000", "person_005", "person_009"):
        copy = redraw(video(drawn, name), tmp_path / f"{name}.mp4", COPIES[kind])
        apart = distances(hash_of(video(drawn, name))[None], hash_of(copy)[None])
        assert apart.item() < ALIKE / 2


def test_other_people_are_not(drawn):
    hashes = np.stack([hash_of(path) for path in sorted((drawn / "batch1").glob("*.mp4"))])
    apart = distances(hashes, hashes)
    assert (apart.diagonal() == 0).all()
    assert apart[np.triu_indices(len(apart), 1)].min() > 1.5 * ALIKE


def test_flat_pictures_are_like_nothing():
    black = hash_pictures(np.zeros((FRAMES, 32, 32), np.uint8))
    assert not black.any()
    assert np.isnan(distances(black[None], black[None])).all()


@pytest.mark.parametrize("count", [1, 5, 16, 100, 127, 128, 129, 5000])
def test_pictures_are_spread_evenly(count):
    """The pictures are their own numbers: each must lie in the middle of its share."""
    stream = (np.full((1, 1), number, np.uint16) for number in range(count))
    chosen = spread(stream).ravel().astype(int)
    middle = (np.arange(FRAMES) + 0.5) / FRAMES * count
    assert (np.abs(chosen - middle) <= max(1, count / 64)).all()


def test_no_pictures_have_no_hash():
    assert not hash_pictures(spread(iter(()))).any()


def test_the_share_of_bits_is_counted_over_frames_that_both_have():
    one = np.ones((FRAMES, 63), np.int8)
    other = one.copy()
    other[:8] = 0
    other[8:, :21] = -1
    assert distances(one[None], other[None]).item() == pytest.approx(1 / 3)
