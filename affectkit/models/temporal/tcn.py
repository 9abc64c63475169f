"""A temporal convolutional network (TCN): causal, dilated, residual."""

from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from affectkit.models.temporal.base import State, TemporalModule, TemporalOptions


class CausalConvolution(nn.Module):
    """A convolution over time: the output at frame t depends on frames up to t."""

    def __init__(self, width: int, hidden: int, kernel: int, dilation: int) -> None:
        """Build the convolution; `padding` is the number of past frames it needs."""
        super().__init__()
        self.width = width
        self.padding = (kernel - 1) * dilation
        self.conv = weight_norm(nn.Conv1d(width, hidden, kernel, dilation=dilation))

    def forward(self, features: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """From (B, T, F) and the past frames (padding, B, F) to (B, T, hidden) and new past frames.

        At the start of a recording the past frames are zeros: the padding of a causal convolution.
        """
        padded = torch.cat([past.transpose(0, 1), features], dim=1)  # (B, padding + T, F)
        convolved = self.conv(padded.transpose(1, 2)).transpose(1, 2)
        return convolved, padded[:, -self.padding :].transpose(0, 1)


class Block(nn.Module):
    """Two convolutions and a shortcut connection."""

    def __init__(self, width: int, options: TemporalOptions, dilation: int) -> None:
        """Build both convolutions with the same dilation."""
        super().__init__()
        sizes = (options.hidden, options.kernel, dilation)
        self.first = CausalConvolution(width, *sizes)
        self.second = CausalConvolution(options.hidden, *sizes)
        self.dropout = nn.Dropout(options.temporal_dropout)
        self.shortcut = nn.Linear(width, options.hidden) if width != options.hidden else None

    def forward(
        self, features: Tensor, first_past: Tensor, second_past: Tensor
    ) -> tuple[Tensor, State]:
        """From (B, T, F) and the past frames of both convolutions to (B, T, hidden)."""
        hidden, first_past = self.first(features, first_past)
        hidden, second_past = self.second(self.dropout(hidden.relu()), second_past)
        shortcut = self.shortcut(features) if self.shortcut else features
        return (self.dropout(hidden.relu()) + shortcut).relu(), (first_past, second_past)


class Tcn(TemporalModule):
    """Blocks with doubling dilation (Bai, Kolter, Koltun 2018, arXiv 1803.01271).

    The receptive field includes 2 (kernel - 1) (2 ** layers - 1) past frames. The state keeps them
    as the past frames of each convolution.
    """

    def __init__(self, width: int, options: TemporalOptions) -> None:
        """Stack `options.layers` blocks."""
        super().__init__()
        self.width = options.hidden
        widths = [width, *[options.hidden] * (options.layers - 1)]
        self.blocks = nn.ModuleList(
            Block(each, options, 2**number) for number, each in enumerate(widths)
        )

    def forward(self, features: Tensor, state: State = ()) -> tuple[Tensor, State]:
        """From (B, T, F) to (B, T, hidden)."""
        past = state or self.empty_state(len(features))
        new_past: list[Tensor] = []
        for number, block in enumerate(self.blocks):
            features, block_past = block(features, *past[2 * number : 2 * number + 2])
            new_past.extend(block_past)
        return features, tuple(new_past)

    def empty_state(self, batch: int) -> State:
        """Zeros (padding, B, F), one tensor for each convolution."""
        weight: Tensor = next(self.parameters())
        blocks = cast(Iterable[Block], self.blocks)
        convolutions = [c for block in blocks for c in (block.first, block.second)]
        return tuple(weight.new_zeros(c.padding, batch, c.width) for c in convolutions)
