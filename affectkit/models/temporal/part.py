"""What every temporal part is: features of every frame in and out, with a state to carry."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

State = tuple[Tensor, ...]  # each (..., B, ...) with the batch second; empty without memory


@dataclass(frozen=True)
class Options:
    """Keys of a recipe's [model] that shape a temporal part; each part takes what it knows."""

    hidden: int = 64  # units of a layer; the transformer's width
    layers: int = 1
    temporal_dropout: float = 0.0  # between recurrent layers, within TCN and transformer
    bidirectional: bool = False  # gru and lstm
    kernel: int = 3  # frames of a convolution, tcn
    heads: int = 4  # transformer
    look_back: int = 64  # frames before its own that a frame of a layer sees, transformer


class Part(nn.Module):
    """From (B, T, F) and a state to (B, T, width) and the state after the last frame.

    A causal part can be fed a recording in pieces: with the state carried over, any cut gives what
    the whole gives. One that is not causal has no state and needs all frames at once.
    """

    width: int
    causal: bool = True

    def forward(self, features: Tensor, state: State = ()) -> tuple[Tensor, State]:
        """Go over T frames, on from `state`; an empty one is a recording's start."""
        raise NotImplementedError

    def empty_state(self, batch: int) -> State:
        """The state before the first frame."""
        return ()


class NoMemory(Part):
    """Passes every frame on by itself: the CNN-only sister of each net."""

    def __init__(self, width: int, options: Options) -> None:
        """Take the arguments of its siblings."""
        super().__init__()
        self.width = width

    def forward(self, features: Tensor, state: State = ()) -> tuple[Tensor, State]:
        """Give (B, T, F) back as it is."""
        return features, ()


class SideBySide(Part):
    """Parts that each see features of their own; their outputs are put next to one another."""

    def __init__(self, parts: Sequence[Part], widths: Sequence[int]) -> None:
        """Give `parts[i]` the next `widths[i]` of the features."""
        super().__init__()
        self.parts = nn.ModuleList(parts)
        self.widths = list(widths)
        self.width = sum(part.width for part in parts)
        self.causal = all(part.causal for part in parts)
        self.tensors = [len(part.empty_state(1)) for part in parts]  # of each part's state

    def forward(self, features: Tensor, state: State = ()) -> tuple[Tensor, State]:
        """From (B, T, sum of widths) to (B, T, sum of the parts' widths)."""
        outputs: list[Tensor] = []
        after: list[Tensor] = []
        left = list(state or self.empty_state(len(features)))
        slices = torch.split(features, self.widths, dim=2)
        for part, own, count in zip(self.parts, slices, self.tensors, strict=True):
            output, end = part(own, tuple(left[:count]))
            outputs.append(output)
            after.extend(end)
            left = left[count:]
        return torch.cat(outputs, dim=2), tuple(after)

    def empty_state(self, batch: int) -> State:
        """The states of all parts, one after the other."""
        parts = cast(Iterable[Part], self.parts)
        return tuple(tensor for part in parts for tensor in part.empty_state(batch))
