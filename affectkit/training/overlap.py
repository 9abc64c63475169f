"""A recording cut into windows that each start from an empty state, and overlap if wished.

The paper's evaluation reads windows of 80 frames, none of which overlap (`Windows()`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor

from affectkit.errors import AffectkitError, unknown
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.recording import AFFECT


@dataclass(frozen=True)
class Windows:
    """Where windows lie, and how overlapping ones are blended."""

    length: int = 80  # frames
    stride: int = 80  # frames from one start to the next
    blend: str = "mean"  # a name in `BLENDS`

    def __post_init__(self) -> None:
        """Refuse what leaves frames out.

        Raises:
            AffectkitError: saying what is expected.
        """
        if not 1 <= self.stride <= self.length:
            raise AffectkitError(
                f"windows of {self.length} frames should start 1 to {self.length} frames apart, "
                f"got {self.stride}: frames would be left out"
            )
        if self.blend not in BLENDS:
            raise unknown("blend", self.blend, BLENDS)


def mean(length: int) -> Tensor:
    """All frames of a window count alike."""
    return torch.ones(length)


def triangular(length: int) -> Tensor:
    """A frame counts the more, the farther it is from its window's ends."""
    place = torch.arange(1, length + 1)
    return torch.minimum(place, place.flip(0)).float()


BLENDS: dict[str, Callable[[int], Tensor]] = {"mean": mean, "triangular": triangular}


def blend_windows(
    model: CnnRnn, pieces: Iterator[Tensor], frames: int, windows: Windows
) -> Iterator[Tensor]:
    """Read out windows and blend them where they overlap.

    The last window ends with the recording and may be short. Spreads are those of a mixture: the
    disagreement of overlapping windows is added to their own.

    Args:
        model: in evaluation mode.
        pieces: features (T, F), piece by piece.
        frames: of the recording.
        windows: where they lie; only the features of one are kept.

    Yields:
        Once: (frame, A).
    """
    columns = len(AFFECT) * (1 if model.spread is None else 2)
    total = torch.zeros(frames, columns, dtype=torch.float64)
    share = torch.zeros(frames, 1, dtype=torch.float64)
    weight = BLENDS[windows.blend](windows.length).double()[:, None]
    for start, features in _cut(pieces, windows):
        batch, length = features.shape[:2]
        moments = _moments(model.read_out(features)[0].double().cpu())
        for number in range(batch):
            first = start + number * windows.stride
            total[first : first + length] += weight[:length] * moments[number]
            share[first : first + length] += weight[:length]
    yield _from_moments(total / share)


def _cut(pieces: Iterator[Tensor], windows: Windows) -> Iterator[tuple[int, Tensor]]:
    """Windows (B, T, F) that lie a stride apart, as many as are there, with the first's start."""
    held, start, covered = next(pieces), 0, 0
    for piece in chain([held[:0]], pieces):
        held = torch.cat([held, piece])
        if len(held) < windows.length:
            continue
        batch = held.unfold(0, windows.length, windows.stride).transpose(1, 2)
        yield start, batch
        covered = start + (len(batch) - 1) * windows.stride + windows.length
        start += len(batch) * windows.stride
        held = held[len(batch) * windows.stride :]
    if start + len(held) > covered:
        yield start, held.unsqueeze(0)


def _moments(out: Tensor) -> Tensor:
    """(B, T, A) as what may be averaged: the mean and, of a spread, the mean of the squares."""
    mean, spread = out[..., : len(AFFECT)], out[..., len(AFFECT) :]
    return torch.cat([mean, spread**2 + mean**2], 2) if spread.shape[2] else mean


def _from_moments(moments: Tensor) -> Tensor:
    """(frame, A) from averaged moments."""
    mean, square = moments[:, : len(AFFECT)], moments[:, len(AFFECT) :]
    return torch.cat([mean, (square - mean**2).clamp(min=0).sqrt()], 1) if square.shape[1] else mean
