"""Which windows an epoch shows, and in which order.

A window lies inside one recording, and inside one piece of it: with `windows.max_gap`, a recording
is cut wherever more seconds pass from one frame with a face to the next. Missing frames, cuts and
long stretches without a face all show as such a gap.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from affectkit.errors import AffectkitError
from affectkit.training.balance import draw_balanced
from affectkit.training.recipe import Recipe, WindowSection
from affectkit.training.windows import Source, Window

STILLS = 1.0  # seconds from frame to frame beyond which they are pictures that follow no other


class Piece(NamedTuple):
    """Frames of a recording, from `start` up to `stop`, without a gap."""

    recording: int
    start: int
    stop: int


def check_stills(sources: Sequence[Source], recipe: Recipe) -> None:
    """Refuse to show a net with a memory pictures that have nothing to do with each other as film.

    Raises:
        AffectkitError: a recording has such pictures, and the recipe's windows reach over several.
    """
    if recipe.model.temporal == "none" or recipe.windows.length == 1:
        return
    for source in sources:
        step = float(np.median(np.diff(source.time))) if len(source.time) > 1 else 0.0
        if STILLS < step <= recipe.windows.max_gap:
            raise AffectkitError(
                f"recording {source.name!r} has a frame every {step:g} s: to the "
                f"{recipe.model.temporal} they would look like film. Set model.temporal to 'none', "
                "or windows.max_gap to a second or so, which makes every frame a window of its own"
            )


def find_pieces(sources: Sequence[Source], max_gap: float) -> list[Piece]:
    """Cut recordings at gaps of more than `max_gap` seconds; without limit they stay whole.

    A gap reaches from one frame with a face to the next. What lies in it, and frames without a
    face at either end, belong to no piece.

    Raises:
        AffectkitError: no frame has a face.
    """
    if np.isinf(max_gap):
        return [Piece(number, 0, len(source.time)) for number, source in enumerate(sources)]
    pieces = []
    for number, source in enumerate(sources):
        seen = np.flatnonzero(source.seen)
        after = np.flatnonzero(np.diff(source.time[seen]) > max_gap) + 1
        pieces += [Piece(number, p[0], p[-1] + 1) for p in np.split(seen, after) if p.size]
    if not pieces:
        raise AffectkitError("no frame to train on has a face; see 'affectkit check'")
    return [Piece(*map(int, piece)) for piece in pieces]


def count_batches(sources: Sequence[Source], windows: WindowSection) -> int:
    """Batches in an epoch: the full ones there are however the windows' offsets fall."""
    pieces = find_pieces(sources, windows.max_gap)
    return max(1, sum(_fewest(piece, windows) for piece in pieces) // windows.batch)


def _fewest(piece: Piece, windows: WindowSection) -> int:
    return max(1, (_end(piece, windows) - piece.start) // windows.step)


def _end(piece: Piece, windows: WindowSection) -> int:
    """No window starts from here on: the one before it has reached the end of the piece."""
    return piece.stop - max(0, windows.length - windows.step)


def plan_epoch(
    sources: Sequence[Source], windows: WindowSection, seed: Sequence[int]
) -> list[list[Window]]:
    """The windows of an epoch, batch by batch; each epoch has `count_batches` of them.

    Windows start from a random offset on in steps of `windows.stride`, so that no frame is always
    at a window's start, or with `windows.starts = "random"` anywhere; the last of a piece may be
    short. They are shuffled, or, with `windows.order = "carried"`, dealt so that the windows at one
    place of the batches follow one another through whole pieces: a state may be carried from each
    batch to the next. With `windows.quadrants` they are drawn by `draw_balanced`.

    Args:
        sources: the recordings, by whose position in the list a window names its own.
        windows: the recipe's section.
        seed: of this epoch; the same seed gives the same windows.
    """
    random = np.random.default_rng(seed)
    pieces = find_pieces(sources, windows.max_gap)
    batches = count_batches(sources, windows)
    if windows.order == "carried":
        shuffled = [pieces[i] for i in random.permutation(len(pieces))]
        row = [window for piece in shuffled for window in _cut(piece, windows, random)]
        return _side_by_side(row, batches, windows.batch)
    drawn = [window for piece in pieces for window in _cut(piece, windows, random)]
    if windows.quadrants:
        drawn = draw_balanced(drawn, sources, windows.quadrants, random)
    row = [drawn[i]._replace(carried=False) for i in random.permutation(len(drawn))]
    return [row[i * windows.batch : (i + 1) * windows.batch] for i in range(batches)]


def _cut(piece: Piece, windows: WindowSection, random: np.random.Generator) -> Iterator[Window]:
    """Windows of one piece, in order where they are strided."""
    room = piece.stop - piece.start - windows.length
    if windows.starts == "random":
        starts = piece.start + random.integers(0, max(1, room + 1), _fewest(piece, windows))
    else:
        first = piece.start + int(random.integers(max(1, min(windows.step, room))))
        starts = np.arange(first, max(first + 1, _end(piece, windows)), windows.step)
    for start in map(int, starts):
        stop = min(start + windows.length, piece.stop)
        yield Window(piece.recording, start, stop, carried=start > starts[0])


def _side_by_side(row: Sequence[Window], batches: int, batch: int) -> list[list[Window]]:
    """Cut a row of windows into streams of equal length that run beside each other."""
    first = [start for start in range(0, batch * batches, batches) if start < len(row)]
    return [
        [row[start + i]._replace(carried=row[start + i].carried and i > 0) for start in first]
        for i in range(batches)
    ]
