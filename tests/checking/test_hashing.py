"""Copies are below the threshold and other subjects above it, both with a margin."""

import cv2
import numpy as np
import pytest

from affectkit.checking.hashing import FRAMES, SIMILAR, hash_distances, hash_pictures, sample_evenly
from affectkit.video import read_thumbnails
from tests.checking.conftest import rewrite_video, video

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
    return hash_pictures(sample_evenly(picture for _, picture in read_thumbnails(path)))


@pytest.mark.parametrize("kind", COPIES)
def test_copies_are_below_the_threshold(kind, synthetic_root, tmp_path):
    for name in ("person_000", "person_005", "person_009"):
        copy = rewrite_video(video(synthetic_root, name), tmp_path / f"{name}.mp4", COPIES[kind])
        apart = hash_distances(hash_of(video(synthetic_root, name))[None], hash_of(copy)[None])
        assert apart.item() < SIMILAR / 2


def test_other_subjects_are_above_the_threshold(synthetic_root):
    hashes = np.stack([hash_of(path) for path in sorted((synthetic_root / "batch1").glob("*.mp4"))])
    apart = hash_distances(hashes, hashes)
    assert (apart.diagonal() == 0).all()
    assert apart[np.triu_indices(len(apart), 1)].min() > 1.5 * SIMILAR


def test_flat_pictures_have_no_hash():
    black = hash_pictures(np.zeros((FRAMES, 32, 32), np.uint8))
    assert not black.any()
    assert np.isnan(hash_distances(black[None], black[None])).all()


@pytest.mark.parametrize("count", [1, 5, 16, 100, 127, 128, 129, 5000])
def test_pictures_are_sampled_evenly(count):
    """Each picture is filled with its number, so the sampled positions can be read back."""
    stream = (np.full((1, 1), number, np.uint16) for number in range(count))
    chosen = sample_evenly(stream).ravel().astype(int)
    middle = (np.arange(FRAMES) + 0.5) / FRAMES * count
    assert (np.abs(chosen - middle) <= max(1, count / 64)).all()


def test_no_pictures_have_no_hash():
    assert not hash_pictures(sample_evenly(iter(()))).any()


def test_distances_use_only_frames_with_a_hash_in_both():
    one = np.ones((FRAMES, 63), np.int8)
    other = one.copy()
    other[:8] = 0
    other[8:, :21] = -1
    assert hash_distances(one[None], other[None]).item() == pytest.approx(1 / 3)
