"""The windows of an epoch, and their order.

A window is part of one recording, and of one segment of it: with `windows.max_gap`, a recording is
split where more seconds pass between one frame with a face and the next. Missing frames, cuts and
long stretches without a face all cause such gaps.

With `windows.quadrant_shares`, windows are sampled by the quadrant of valence and arousal of their
annotation. The paper duplicated short clips of the rare quadrants until 43 % of the frames were in
+V +A, 24 % in -V +A, 19 % in +V -A and 14 % in -V -A. Here, weighted sampling reaches such shares:
the length of an epoch stays the same, windows of rare quadrants occur several times in it, and some
windows of frequent quadrants occur only in another epoch.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from affectkit.errors import AffectkitError
from affectkit.training.recipe import Recipe
from affectkit.training.recipe_sections import WindowSection
from affectkit.training.windows import Window, WindowSource

MAX_FRAME_INTERVAL = 1.0  # seconds; frames further apart are unrelated pictures, not video
QUADRANTS = ("+V +A", "-V +A", "+V -A", "-V -A")
EM_ITERATIONS = 200  # 50 are enough if most windows lie in one quadrant


class Segment(NamedTuple):
    """Frames `start` to `stop` (exclusive) of a recording, without a gap."""

    recording: int
    start: int
    stop: int


def check_frames_are_video(sources: Sequence[WindowSource], recipe: Recipe) -> None:
    """Check that no temporal module is trained on unrelated pictures.

    Raises:
        AffectkitError: a recording has such pictures, and a window would hold several of them.
    """
    if recipe.model.temporal == "none" or recipe.windows.length == 1:
        return
    for source in sources:
        interval = float(np.median(np.diff(source.time))) if len(source.time) > 1 else 0.0
        if MAX_FRAME_INTERVAL < interval <= recipe.windows.max_gap:
            raise AffectkitError(
                f"recording {source.name!r} has one frame every {interval:g} s: these are "
                f"unrelated pictures, but the {recipe.model.temporal!r} module needs video. Set "
                "model.temporal to 'none', or windows.max_gap to about a second, which makes each "
                "frame a window of its own"
            )


def find_segments(sources: Sequence[WindowSource], max_gap: float) -> list[Segment]:
    """Split recordings at gaps of more than `max_gap` seconds; inf keeps them whole.

    A gap is the time from one frame with a face to the next. Frames in a gap, and frames without
    a face at either end of a recording, belong to no segment.

    Raises:
        AffectkitError: no frame has a face.
    """
    if np.isinf(max_gap):
        return [Segment(number, 0, len(source.time)) for number, source in enumerate(sources)]
    segments = []
    for number, source in enumerate(sources):
        frames = np.flatnonzero(source.has_face)
        splits = np.flatnonzero(np.diff(source.time[frames]) > max_gap) + 1
        segments += [
            Segment(number, int(part[0]), int(part[-1]) + 1)
            for part in np.split(frames, splits)
            if part.size
        ]
    if not segments:
        raise AffectkitError(
            "no frame of the training recordings has a face; affectkit doctor VIDEO shows whether "
            "faces are detected in a video"
        )
    return segments


def count_batches(sources: Sequence[WindowSource], windows: WindowSection) -> int:
    """Batches in an epoch: the full batches that every random offset of the windows allows."""
    segments = find_segments(sources, windows.max_gap)
    return max(1, sum(_min_windows(each, windows) for each in segments) // windows.batch)


def _min_windows(segment: Segment, windows: WindowSection) -> int:
    frames = _last_start(segment, windows) - segment.start
    return max(1, frames // windows.frames_between_starts)


def _last_start(segment: Segment, windows: WindowSection) -> int:
    """Windows start before this frame; a later one would only repeat frames of the one before."""
    return segment.stop - max(0, windows.length - windows.frames_between_starts)


def plan_epoch(
    sources: Sequence[WindowSource], windows: WindowSection, seed: Sequence[int]
) -> list[list[Window]]:
    """The windows of an epoch, batch by batch; every epoch has `count_batches` of them.

    The first window of a segment starts at a random offset and the following ones every
    `windows.stride` frames, so that no frame is always the first of a window. With
    `windows.starts = "random"`, all windows start at random frames. The last window of a segment
    may be shorter. The windows are shuffled or, with `windows.quadrant_shares`, sampled by
    `sample_balanced`. With `windows.order = "consecutive"`, the windows at one position of
    successive batches follow one another through whole segments, so that the hidden state can be
    carried over from batch to batch.

    Args:
        sources: the recordings; a window refers to its recording by the index in this list.
        windows: the recipe's `[windows]`.
        seed: of this epoch; the same seed gives the same windows.
    """
    random = np.random.default_rng(seed)
    segments = find_segments(sources, windows.max_gap)
    batches = count_batches(sources, windows)
    if windows.order == "consecutive":
        shuffled = [segments[i] for i in random.permutation(len(segments))]
        row = [window for segment in shuffled for window in _windows_in(segment, windows, random)]
        return _split_into_streams(row, batches, windows.batch)
    sampled = [window for segment in segments for window in _windows_in(segment, windows, random)]
    if windows.quadrant_shares:
        sampled = sample_balanced(sampled, sources, windows.quadrant_shares, random)
    row = [sampled[i]._replace(continues=False) for i in random.permutation(len(sampled))]
    return [row[i * windows.batch : (i + 1) * windows.batch] for i in range(batches)]


def _windows_in(
    segment: Segment, windows: WindowSection, random: np.random.Generator
) -> Iterator[Window]:
    """The windows of one segment, in order unless their starts are random."""
    stride = windows.frames_between_starts
    room = segment.stop - segment.start - windows.length
    if windows.starts == "random":
        count = _min_windows(segment, windows)
        starts = segment.start + random.integers(0, max(1, room + 1), count)
    else:
        first = segment.start + int(random.integers(max(1, min(stride, room))))
        starts = np.arange(first, max(first + 1, _last_start(segment, windows)), stride)
    for start in map(int, starts):
        stop = min(start + windows.length, segment.stop)
        yield Window(segment.recording, start, stop, continues=start > starts[0])


def _split_into_streams(row: Sequence[Window], batches: int, batch: int) -> list[list[Window]]:
    """Split a row of windows into `batch` streams of equal length, one per batch position."""
    starts = [start for start in range(0, batch * batches, batches) if start < len(row)]
    return [
        [row[start + i]._replace(continues=row[start + i].continues and i > 0) for start in starts]
        for i in range(batches)
    ]


def sample_balanced(
    windows: Sequence[Window],
    sources: Sequence[WindowSource],
    shares: Sequence[float],
    random: np.random.Generator,
) -> list[Window]:
    """Sample as many windows as given, so that the quadrants' shares of the frames are `shares`.

    Each window occurs as often as its weight requires, rounded up or down. Windows without
    annotated frames do not occur.

    Raises:
        AffectkitError: a quadrant with a share above 0 has no frames.
    """
    frames = count_quadrants(windows, sources)
    missing = (np.asarray(shares) > 0) & ~frames.any(0)
    empty = [QUADRANTS[i] for i in np.flatnonzero(missing)]
    if empty:
        raise AffectkitError(
            f"windows.quadrant_shares asks for frames in {', '.join(empty)}, but the training "
            "recordings have no annotated frames in these quadrants; set their shares to 0"
        )
    cumulative = np.cumsum(balance_weights(frames, shares))
    positions = (np.arange(len(windows)) + random.random()) / len(windows)
    return [windows[i] for i in np.searchsorted(cumulative / cumulative[-1], positions)]


def count_quadrants(
    windows: Sequence[Window], sources: Sequence[WindowSource]
) -> NDArray[np.float64]:
    """Annotated frames (window, quadrant); 0 counts as positive."""
    frames = np.zeros((len(windows), len(QUADRANTS)))
    for row, window in zip(frames, windows, strict=True):
        affect = sources[window.recording].annotation[window.start : window.stop]
        valence, arousal = affect[np.isfinite(affect).all(1)].T
        row += np.bincount((valence < 0) + 2 * (arousal < 0), minlength=len(row))
    return frames


def balance_weights(frames: NDArray[np.float64], shares: Sequence[float]) -> NDArray[np.float64]:
    """Weights (window) with which the quadrants' shares of all frames become `shares`.

    Computed by expectation-maximisation, as for the proportions of a mixture. If no weights give
    these shares, the result is the nearest possible (in Kullback-Leibler divergence).

    Args:
        frames: (window, quadrant).
        shares: (quadrant), summing to 1.
    """
    wanted, total = np.asarray(shares), frames.sum(1)
    inside = np.divide(frames, total[:, None], where=total[:, None] > 0, out=np.zeros_like(frames))
    mass = total / total.sum()
    for _ in range(EM_ITERATIONS):
        reached = mass @ inside
        ratio = np.divide(wanted, reached, where=reached > 0, out=np.zeros(len(wanted)))
        mass = mass * (inside @ ratio)
    weights: NDArray[np.float64] = np.divide(mass, total, where=total > 0, out=np.zeros_like(mass))
    return weights
