"""Simulated emotions, the movements that express them, and their ratings.

Valence moves the mouth and the brows, each with slow noise. Arousal moves the eyelids and the jaw
weakly, confounded by talking. It determines the speed of the head movement strongly, at a constant
amplitude, so that no single frame shows it. Raters respond late and smoothly, as with a joystick.
"""

from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import lfilter

MOVEMENT = ("AU12", "AU15", "AU4", "AU5", "AU26", "blink", "yaw", "pitch", "roll", "right", "down")

Signal = NDArray[np.float64]

WARM_UP = 2.0  # seconds before the first frame, in which slow signals settle
HOLD = (2.0, 4.0)  # seconds that one target emotion lasts
QUADRANTS = ((1, 1), (1, -1), (-1, 1), (-1, -1))
HEAD_FREQUENCY = (0.25, 2.6)  # Hz, at lowest and highest arousal
REACTION = 0.3  # seconds, time constant of a rater's response
BLINK = (0.6, 1.0, 0.6)  # how far the lids close, frame by frame at 15 frames per second


class Rater(NamedTuple):
    """The delay of one rater in seconds, and the gain and offset of the rating scale."""

    delay: float
    gain: float
    offset: float


RATERS = {
    "rater_1": Rater(0.3, 0.95, 0.02),
    "rater_2": Rater(0.4, 1.00, -0.03),
    "rater_3": Rater(0.5, 1.05, 0.01),
}


def simulate_emotion(rng: Generator, frames: int, fps: float) -> Signal:
    """Emotion (frame, affect) with warm-up: random targets in all four quadrants, smoothed."""
    count = frames + round(WARM_UP * fps)
    target = np.zeros((count, 2))
    first, quadrants = 0, list(rng.permutation(QUADRANTS))
    while first < count:
        quadrants = quadrants or list(rng.permutation(QUADRANTS))
        last = first + round(fps * rng.uniform(*HOLD))
        target[first:last] = quadrants.pop() * rng.uniform(0.2, 1, 2)
        first = last
    smooth = gaussian_filter1d(target, fps * 0.55, axis=0)
    slow_noise = [_slow_noise(rng, count, fps, 1.2, 0.12) for _ in range(2)]
    return np.asarray(np.clip(smooth + np.stack(slow_noise, axis=1), -1, 1))


def simulate_ratings(rng: Generator, emotion: Signal, fps: float) -> Signal:
    """Ratings (rater, frame, affect) of an emotion; each rater has an individual delay."""
    count = len(emotion)
    traces = [
        _delayed(emotion, fps, rater.delay) * rater.gain
        + rater.offset
        + np.stack([_slow_noise(rng, count, fps, 1.0, 0.03) for _ in range(2)], axis=1)
        for rater in RATERS.values()
    ]
    return np.clip(traces, -1, 1)


def simulate_movements(rng: Generator, emotion: Signal, fps: float) -> Signal:
    """Movements (frame, movement) that express an emotion.

    Action units and blink are in [0, 1], head turns in radians, and shifts to the right and down in
    units of the face.
    """
    count = len(emotion)
    gain, offset = rng.uniform(0.85, 1.15, 2), rng.normal(0, 0.06, 2)
    expressed = emotion * gain + offset
    valence = expressed[:, 0] + _slow_noise(rng, count, fps, 0.45, 0.33)
    arousal = expressed[:, 1] + _slow_noise(rng, count, fps, 0.45, 0.42)
    brows = -0.9 * (valence + _slow_noise(rng, count, fps, 0.45, 0.1))
    lids = 0.45 + 0.4 * arousal
    jaw = 0.44 * arousal.clip(0) + 0.25 * _talking(rng, count, fps)
    action_units = np.stack([valence, -valence, brows, lids, jaw], axis=1).clip(0, 1)
    blink = _blink(rng, emotion[:, 1], fps)
    return np.column_stack([action_units, blink, _head_motion(rng, emotion[:, 1], fps)])


def _slow_noise(rng: Generator, count: int, fps: float, seconds: float, std: float) -> Signal:
    """Slow noise (frame): an Ornstein-Uhlenbeck process, slightly smoothed."""
    keep = np.exp(-1 / (fps * seconds))
    steps = rng.normal(size=count) * std * np.sqrt(1 - keep**2)
    steps[0] = rng.normal() * std
    return np.asarray(gaussian_filter1d(lfilter([1], [1, -keep], steps), fps / 15))


def _delayed(emotion: Signal, fps: float, delay: float) -> Signal:
    """The emotion (frame, affect), delayed by `delay` seconds and low-pass filtered causally."""
    frame = np.arange(len(emotion))
    delayed = [np.interp(frame - delay * fps, frame, trace) for trace in emotion.T]
    keep = np.exp(-1 / (fps * REACTION))
    return np.stack(
        [lfilter([1 - keep], [1, -keep], trace, zi=[keep * trace[0]])[0] for trace in delayed],
        axis=1,
    )


def _talking(rng: Generator, count: int, fps: float) -> Signal:
    syllables = np.abs(np.sin(2 * np.pi * np.cumsum(rng.uniform(2.5, 4, count)) / fps))
    return np.asarray(_slow_noise(rng, count, fps, 2.0, 0.5).clip(0, 1) * syllables)


def _blink(rng: Generator, arousal: Signal, fps: float) -> Signal:
    shape = np.interp(np.arange(0, 3, 15 / fps), range(3), BLINK)
    blink, pause = np.zeros(len(arousal)), 0
    chance = rng.random(len(arousal)) < (0.12 + 0.45 * (arousal + 1) / 2) / fps
    for frame in range(len(arousal)):
        pause -= 1
        if chance[frame] and pause < 0:
            end = frame + len(shape)
            blink[frame:end] = shape[: len(blink[frame:end])]
            pause = len(shape) + 1
    return blink


def _head_motion(rng: Generator, arousal: Signal, fps: float) -> Signal:
    """Head movement (frame, [yaw, pitch, roll, right, down]), faster at higher arousal."""
    low, high = HEAD_FREQUENCY
    frequency = low + (high - low) * ((arousal + 1) / 2) ** 1.3
    phase = 2 * np.pi * np.cumsum(frequency) / fps
    amplitude, start = rng.uniform(0.10, 0.15), rng.uniform(0, 2 * np.pi, 3)

    def slow_noise(std: float, seconds: float = 3.0) -> Signal:
        return _slow_noise(rng, len(arousal), fps, seconds, std)

    yaw = amplitude * np.sin(phase + start[0]) + slow_noise(0.05)
    pitch = 0.5 * amplitude * np.sin(0.8 * phase + start[1]) + slow_noise(0.04)
    roll = 0.35 * amplitude * np.sin(0.9 * phase + start[2]) + slow_noise(0.03)
    right, down = 0.35 * yaw + slow_noise(0.02, 4.0), 0.3 * pitch + slow_noise(0.02, 4.0)
    return np.stack([yaw, pitch, roll, right, down], axis=1)
