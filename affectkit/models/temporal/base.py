"""The interface of temporal modules, their options, and the modules without layers of their own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

# tensors (..., B, ...) with the batch as the second dimension; empty for modules without a state
State = tuple[Tensor, ...]


@dataclass(frozen=True)
class TemporalOptions:
    """Keys of a recipe's [model] for temporal modules. Each module uses some of them."""

    hidden: int = 64  # hidden units of a layer; the width of the transformer
    layers: int = 1
    temporal_dropout: float = 0.0  # between recurrent layers; inside the tcn and the transformer
    bidirectional: bool = False  # gru and lstm
    kernel: int = 3  # frames of a convolution, tcn
    heads: int = 4  # attention heads, transformer
    context: int = 64  # past frames that each layer attends to, transformer


class TemporalModule(nn.Module):
    """Maps features (B, T, F) and a state to (B, T, width) and the state after the last frame.

    A causal module can process a recording in chunks: if the state is carried over, the result is
    the same for all chunk lengths. A module that is not causal has no state and needs all frames in
    one call.
    """

    width: int
    causal: bool = True

    def forward(self, features: Tensor, state: State = ()) -> tuple[Tensor, State]:
        """Process T frames, starting from `state`; an empty one is the start of a recording."""
        raise NotImplementedError

    def empty_state(self, batch: int) -> State:
        """The state before the first frame."""
        return ()


class Identity(TemporalModule):
    """Returns the features unchanged: for a CNN that predicts each frame separately."""

    def __init__(self, width: int, options: TemporalOptions) -> None:
        """Take the same arguments as the other modules."""
        super().__init__()
        self.width = width

    def forward(self, features: Tensor, state: State = ()) -> tuple[Tensor, State]:
        """Return (B, T, F) unchanged."""
        return features, ()


class Parallel(TemporalModule):
    """Temporal modules that each process their own part of the features; outputs are concatenated.

    The state is the states of all branches, in order.
    """

    def __init__(self, branches: Sequence[TemporalModule], widths: Sequence[int]) -> None:
        """Give `branches[i]` the next `widths[i]` features."""
        super().__init__()
        self.branches = nn.ModuleList(branches)
        self.widths = list(widths)
        self.width = sum(branch.width for branch in branches)
        self.causal = all(branch.causal for branch in branches)
        self.state_sizes = [len(branch.empty_state(1)) for branch in branches]

    def forward(self, features: Tensor, state: State = ()) -> tuple[Tensor, State]:
        """From (B, T, sum of widths) to (B, T, sum of the branches' widths)."""
        outputs: list[Tensor] = []
        end_states: list[Tensor] = []
        remaining = list(state or self.empty_state(len(features)))
        parts = torch.split(features, self.widths, dim=2)
        for branch, part, size in zip(self.branches, parts, self.state_sizes, strict=True):
            output, end_state = branch(part, tuple(remaining[:size]))
            outputs.append(output)
            end_states.extend(end_state)
            remaining = remaining[size:]
        return torch.cat(outputs, dim=2), tuple(end_states)

    def empty_state(self, batch: int) -> State:
        """The empty states of all branches, in order."""
        branches = cast(Iterable[TemporalModule], self.branches)
        return tuple(tensor for branch in branches for tensor in branch.empty_state(batch))
