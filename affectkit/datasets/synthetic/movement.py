"""From emotion to movement, and from emotion to what raters write down.

Valence shows in the mouth and the brows, each with slow noise. Arousal shows weakly in lids and
jaw, where talking confounds it, and strongly in how fast the head swings: at constant amplitude, so
that no single frame shows it. Raters follow the emotion late and smoothly, as with a joystick.
"""

from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import lfilter

MOVEMENT = ("AU12", "AU15", "AU4", "AU5", "AU26", "blink", "yaw", "pitch", "roll", "right", "down")

Signal = NDArray[np.float64]

WARM_UP = 2.0  # seconds before the first frame, so that slow signals have settled
HOLD = (2.0, 4.0)  # seconds an emotion is aimed at
QUADRANTS = ((1, 1), (1, -1), (-1, 1), (-1, -1))
SWING = (0.25, 2.6)  # Hz, the head at lowest and highest arousal
REACTION = 0.3  # seconds, the time constant of a rater's hand
BLINK = (0.6, 1.0, 0.6)  # lids closed, frame by frame at 15 frames a second


class Rater(NamedTuple):
    """One rater's habits: seconds late, gain and offset of the scale."""

    lag: float
    gain: float
    offset: float


RATERS = {
    "rater_1": Rater(0.3, 0.95, 0.02),
    "rater_2": Rater(0.4, 1.00, -0.03),
    "rater_3": Rater(0.5, 1.05, 0.01),
}


def draw_emotion(rng: Generator, frames: int, fps: float) -> Signal:
    """Emotion (frame, affect), warm-up included: aims in all four quadrants, smoothly followed."""
    count = frames + round(WARM_UP * fps)
    aim = np.zeros((count, 2))
    first, waiting = 0, list(rng.permutation(QUADRANTS))
    while first < count:
        waiting = waiting or list(rng.permutation(QUADRANTS))
        last = first + round(fps * rng.uniform(*HOLD))
        aim[first:last] = waiting.pop() * rng.uniform(0.2, 1, 2)
        first = last
    smooth = gaussian_filter1d(aim, fps * 0.55, axis=0)
    wander = [_wander(rng, count, fps, 1.2, 0.12) for _ in range(2)]
    return np.asarray(np.clip(smooth + np.stack(wander, axis=1), -1, 1))


def rate(rng: Generator, emotion: Signal, fps: float) -> Signal:
    """Ratings (rater, frame, affect) of an emotion, each rater late in the own way."""
    count = len(emotion)
    traces = [
        _follow(emotion, fps, rater.lag) * rater.gain
        + rater.offset
        + np.stack([_wander(rng, count, fps, 1.0, 0.03) for _ in range(2)], axis=1)
        for rater in RATERS.values()
    ]
    return np.clip(traces, -1, 1)


def move(rng: Generator, emotion: Signal, fps: float) -> Signal:
    """Movements (frame, movement) that show an emotion.

    Action units and blink lie in [0, 1], head turns are in radians, shifts to the right and down
    in units of the face.
    """
    count = len(emotion)
    gain, offset = rng.uniform(0.85, 1.15, 2), rng.normal(0, 0.06, 2)
    own = emotion * gain + offset
    valence = own[:, 0] + _wander(rng, count, fps, 0.45, 0.33)
    arousal = own[:, 1] + _wander(rng, count, fps, 0.45, 0.42)
    brows = -0.9 * (valence + _wander(rng, count, fps, 0.45, 0.1))
    lids = 0.45 + 0.4 * arousal
    jaw = 0.44 * arousal.clip(0) + 0.25 * _talk(rng, count, fps)
    mimic = np.stack([valence, -valence, brows, lids, jaw], axis=1).clip(0, 1)
    blink = _blink(rng, emotion[:, 1], fps)
    return np.column_stack([mimic, blink, _swing(rng, emotion[:, 1], fps)])


def _wander(rng: Generator, count: int, fps: float, seconds: float, spread: float) -> Signal:
    """Slow noise (frame): an Ornstein-Uhlenbeck walk, a little smoothed."""
    keep = np.exp(-1 / (fps * seconds))
    steps = rng.normal(size=count) * spread * np.sqrt(1 - keep**2)
    steps[0] = rng.normal() * spread
    return np.asarray(gaussian_filter1d(lfilter([1], [1, -keep], steps), fps / 15))


def _follow(emotion: Signal, fps: float, lag: float) -> Signal:
    """The emotion (frame, affect) `lag` seconds late, through a causal low-pass."""
    frame = np.arange(len(emotion))
    late = [np.interp(frame - lag * fps, frame, trace) for trace in emotion.T]
    keep = np.exp(-1 / (fps * REACTION))
    return np.stack(
        [lfilter([1 - keep], [1, -keep], trace, zi=[keep * trace[0]])[0] for trace in late], axis=1
    )


def _talk(rng: Generator, count: int, fps: float) -> Signal:
    syllables = np.abs(np.sin(2 * np.pi * np.cumsum(rng.uniform(2.5, 4, count)) / fps))
    return np.asarray(_wander(rng, count, fps, 2.0, 0.5).clip(0, 1) * syllables)


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


def _swing(rng: Generator, arousal: Signal, fps: float) -> Signal:
    """Head (frame, [yaw, pitch, roll, right, down]) that swings faster at higher arousal."""
    low, high = SWING
    frequency = low + (high - low) * ((arousal + 1) / 2) ** 1.3
    phase = 2 * np.pi * np.cumsum(frequency) / fps
    reach, start = rng.uniform(0.10, 0.15), rng.uniform(0, 2 * np.pi, 3)

    def wander(spread: float, seconds: float = 3.0) -> Signal:
        return _wander(rng, len(arousal), fps, seconds, spread)

    yaw = reach * np.sin(phase + start[0]) + wander(0.05)
    pitch = 0.5 * reach * np.sin(0.8 * phase + start[1]) + wander(0.04)
    roll = 0.35 * reach * np.sin(0.9 * phase + start[2]) + wander(0.03)
    right, down = 0.35 * yaw + wander(0.02, 4.0), 0.3 * pitch + wander(0.02, 4.0)
    return np.stack([yaw, pitch, roll, right, down], axis=1)
