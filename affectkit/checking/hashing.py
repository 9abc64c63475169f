"""Clips as hashes that a copy keeps when it is encoded again, rescaled or brightened.

Of some frames spread over the clip, 64 bits each: whether a coefficient among the 64 of lowest
frequency of the discrete cosine transform lies above their median (Zauner, "Implementation and
Benchmarking of Perceptual Image Hash Functions", 2010). The mean, and with it the brightness, is
not among them.
"""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

FRAMES = 16
EDGE = 32  # pixels of the small pictures
LOW = 8  # coefficients on either axis
BITS = LOW * LOW - 1
FLAT = 4.0  # grey levels: a picture that varies less has no hash, its bits would be noise
ALIKE = 0.12  # of the bits; see tests/checking/test_hashing.py for what lies on either side
ENOUGH = FRAMES // 4  # frames that two clips must both have a hash of


def spread(pictures: Iterable[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """`FRAMES` pictures (frame, row, col) at even distances from a stream of any length."""
    kept: list[NDArray[np.uint8]] = []
    step, count = 1, 0
    for picture in pictures:
        if count % step == 0:
            kept.append(picture)
        count += 1
        if len(kept) == 8 * FRAMES:
            kept, step = kept[::2], step * 2
    if not kept:
        return np.zeros((FRAMES, EDGE, EDGE), np.uint8)
    places = (np.arange(FRAMES) + 0.5) / FRAMES * count / step
    return np.stack([kept[min(int(place), len(kept) - 1)] for place in places])


def hash_pictures(pictures: NDArray[np.uint8]) -> NDArray[np.int8]:
    """Hashes (frame, bit) of small grey pictures (frame, row, col): 1 or -1, 0 in flat ones."""
    hashes = np.zeros((len(pictures), BITS), np.int8)
    for number, picture in enumerate(pictures):
        if picture.std() >= FLAT:
            low = cv2.dct(picture.astype(np.float32))[:LOW, :LOW].ravel()[1:]
            hashes[number] = np.where(low > np.median(low), 1, -1)
    return hashes


def distances(first: NDArray[np.int8], second: NDArray[np.int8]) -> NDArray[np.float32]:
    """Share of bits that differ between clips (one, frame, bit) and (other, frame, bit).

    Returns:
        (one, other); NaN where fewer than `ENOUGH` frames of the two can be compared.
    """
    pair = [clips.reshape(len(clips), -1).astype(np.float32) for clips in (first, second)]
    common = np.abs(pair[0]) @ np.abs(pair[1]).T
    agreement = pair[0] @ pair[1].T / np.maximum(common, 1)
    apart: NDArray[np.float32] = np.where(common < ENOUGH * BITS, np.nan, (1 - agreement) / 2)
    return apart
