"""Perceptual hashes of clips: similar for a clip that is encoded again, rescaled or brightened.

Some frames, evenly spaced over the clip, have a hash of 63 bits each: whether a coefficient among
the lowest frequencies of the discrete cosine transform is above their median (Zauner,
"Implementation and Benchmarking of Perceptual Image Hash Functions", 2010). The mean, and with it
the brightness, is left out.
"""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

FRAMES = 16
SIZE = 32  # width and height of the small pictures in pixels
LOW = 8  # coefficients on either axis
BITS = LOW * LOW - 1
FLAT = 4.0  # grey levels: a picture with a smaller standard deviation gets no hash
SIMILAR = 0.12  # fraction of different bits in copies; tests/checking/test_hashing.py has examples
ENOUGH = FRAMES // 4  # frames for which both clips must have a hash


def sample_evenly(pictures: Iterable[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """`FRAMES` evenly spaced pictures (frame, row, col) from a stream of any length."""
    kept: list[NDArray[np.uint8]] = []
    step, count = 1, 0
    for picture in pictures:
        if count % step == 0:
            kept.append(picture)
        count += 1
        if len(kept) == 8 * FRAMES:
            kept, step = kept[::2], step * 2
    if not kept:
        return np.zeros((FRAMES, SIZE, SIZE), np.uint8)
    positions = (np.arange(FRAMES) + 0.5) / FRAMES * count / step
    return np.stack([kept[min(int(position), len(kept) - 1)] for position in positions])


def hash_pictures(pictures: NDArray[np.uint8]) -> NDArray[np.int8]:
    """Hashes (frame, bit) of small grey pictures (frame, row, col): 1 or -1; 0 if it is flat."""
    hashes = np.zeros((len(pictures), BITS), np.int8)
    for number, picture in enumerate(pictures):
        if picture.std() >= FLAT:
            low = cv2.dct(picture.astype(np.float32))[:LOW, :LOW].ravel()[1:]
            hashes[number] = np.where(low > np.median(low), 1, -1)
    return hashes


def hash_distances(first: NDArray[np.int8], second: NDArray[np.int8]) -> NDArray[np.float32]:
    """The fraction of bits that differ between clips (one, frame, bit) and (other, frame, bit).

    Returns:
        (one, other); NaN if fewer than `ENOUGH` frames of the two can be compared.
    """
    pair = [clips.reshape(len(clips), -1).astype(np.float32) for clips in (first, second)]
    common = np.abs(pair[0]) @ np.abs(pair[1]).T
    agreement = pair[0] @ pair[1].T / np.maximum(common, 1)
    distance: NDArray[np.float32] = np.where(common < ENOUGH * BITS, np.nan, (1 - agreement) / 2)
    return distance
