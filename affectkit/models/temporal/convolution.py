"""A temporal convolutional network: causal, dilated, residual."""

from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from affectkit.models.temporal.part import Options, Part, State


class CausalConvolution(nn.Module):
    """A convolution over time that sees no frame after its own."""

    def __init__(self, width: int, hidden: int, kernel: int, dilation: int) -> None:
        """Keep the frames that the next piece needs: `past` of them."""
        super().__init__()
        self.width = width
        self.past = (kernel - 1) * dilation
        self.part = weight_norm(nn.Conv1d(width, hidden, kernel, dilation=dilation))

    def forward(self, features: Tensor, before: Tensor) -> tuple[Tensor, Tensor]:
        """From (B, T, F) and the frames before (past, B, F) to (B, T, hidden) and the last frames.

        Zeros before a recording's start are the padding of a causal convolution.
        """
        whole = torch.cat([before.transpose(0, 1), features], dim=1)  # (B, past + T, F)
        convolved = self.part(whole.transpose(1, 2)).transpose(1, 2)
        return convolved, whole[:, -self.past :].transpose(0, 1)


class Block(nn.Module):
    """Two convolutions and a way past them."""

    def __init__(self, width: int, options: Options, dilation: int) -> None:
        """Dilate both convolutions alike."""
        super().__init__()
        sizes = (options.hidden, options.kernel, dilation)
        self.first = CausalConvolution(width, *sizes)
        self.second = CausalConvolution(options.hidden, *sizes)
        self.dropout = nn.Dropout(options.temporal_dropout)
        self.past_them = nn.Linear(width, options.hidden) if width != options.hidden else None

    def forward(self, features: Tensor, first: Tensor, second: Tensor) -> tuple[Tensor, State]:
        """From (B, T, F) to (B, T, hidden); `first` and `second` are the frames before."""
        hidden, first = self.first(features, first)
        hidden, second = self.second(self.dropout(hidden.relu()), second)
        around = self.past_them(features) if self.past_them else features
        return (self.dropout(hidden.relu()) + around).relu(), (first, second)


class Tcn(Part):
    """Blocks whose dilation doubles (Bai, Kolter, Koltun 2018, arXiv 1803.01271).

    A frame sees 2 (kernel - 1) (2 ** layers - 1) frames before its own; these are the state, kept
    where each convolution needs them.
    """

    def __init__(self, width: int, options: Options) -> None:
        """Stack `options.layers` blocks."""
        super().__init__()
        self.width = options.hidden
        widths = [width, *[options.hidden] * (options.layers - 1)]
        self.blocks = nn.ModuleList(
            Block(each, options, 2**number) for number, each in enumerate(widths)
        )

    def forward(self, features: Tensor, state: State = ()) -> tuple[Tensor, State]:
        """From (B, T, F) to (B, T, hidden)."""
        before = state or self.empty_state(len(features))
        after: list[Tensor] = []
        for number, block in enumerate(self.blocks):
            features, ends = block(features, *before[2 * number : 2 * number + 2])
            after.extend(ends)
        return features, tuple(after)

    def empty_state(self, batch: int) -> State:
        """Zeros (past, B, F), one for each convolution."""
        weight: Tensor = next(self.parameters())
        blocks = cast(Iterable[Block], self.blocks)
        convolutions = [c for block in blocks for c in (block.first, block.second)]
        return tuple(weight.new_zeros(c.past, batch, c.width) for c in convolutions)
