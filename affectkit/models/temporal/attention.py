"""A causal transformer that looks back over a limited number of frames."""

import torch
from torch import Tensor, nn

from affectkit.errors import AffectkitError
from affectkit.models.temporal.part import Options, Part, State


class Block(nn.Module):
    """Attention, then two layers on every frame by itself; each on top of what came in."""

    def __init__(self, options: Options) -> None:
        """Normalise before each (Xiong et al. 2020)."""
        super().__init__()
        width = options.hidden
        self.heads, self.dropout = options.heads, options.temporal_dropout
        self.norm_attention = nn.LayerNorm(width)
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.merge = nn.Linear(width, width)
        self.frame_by_frame = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 4 * width),
            nn.GELU(),
            nn.Dropout(options.temporal_dropout),
            nn.Linear(4 * width, width),
            nn.Dropout(options.temporal_dropout),
        )

    def forward(self, features: Tensor, before: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """From (B, T, D), keys and values of the frames before (L, B, 2 D), and a bias.

        The bias (B, heads, T, L + T) holds what each frame (T) may see, and how far away it is.
        Gives (B, T, D), and keys and values of the last L frames.
        """
        normed = self.norm_attention(features)
        both = torch.cat([before.transpose(0, 1), self.key_value(normed)], dim=1)
        query, key, value = (  # (B, heads, T or L + T, D / heads)
            each.unflatten(2, (self.heads, -1)).transpose(1, 2)
            for each in (self.query(normed), *both.chunk(2, dim=2))
        )
        dropout = self.dropout if self.training else 0.0
        seen = nn.functional.scaled_dot_product_attention(query, key, value, bias, dropout)
        features = features + self.merge(seen.transpose(1, 2).flatten(2))
        return features + self.frame_by_frame(features), both[:, -len(before) :].transpose(0, 1)


class CausalTransformer(Part):
    """Blocks in which a frame sees itself and the `look_back` frames before it.

    How far away a frame is enters as a penalty that grows with the distance, steeper from head to
    head (ALiBi: Press, Smith, Lewis 2022), so there are no positions to run out of. The state is
    the keys and values of the last `look_back` frames, and which of these there are.
    """

    def __init__(self, width: int, options: Options) -> None:
        """Take features to `options.hidden` and stack `options.layers` blocks."""
        super().__init__()
        if options.hidden % options.heads:
            raise AffectkitError(
                f"model.hidden should be a multiple of model.heads ({options.heads}), "
                f"got {options.hidden}"
            )
        self.width, self.look_back = options.hidden, options.look_back
        self.heads = options.heads
        self.enter = nn.Linear(width, options.hidden)
        self.blocks = nn.ModuleList(Block(options) for _ in range(options.layers))
        self.leave = nn.LayerNorm(options.hidden)

    def forward(self, features: Tensor, state: State = ()) -> tuple[Tensor, State]:
        """From (B, T, F) to (B, T, hidden)."""
        state = state or self.empty_state(len(features))
        outputs = []
        for piece in torch.split(
            features, self.look_back, dim=1
        ):  # memory grows with T, not its square
            output, state = self._attend(self.enter(piece), *state)
            outputs.append(output)
        return self.leave(torch.cat(outputs, dim=1)), state

    def _attend(self, features: Tensor, known: Tensor, *before: Tensor) -> tuple[Tensor, State]:
        now = known.new_ones(features.shape[1], *known.shape[1:])
        known = torch.cat([known, now])  # (L + T, B, 1)
        bias = self._bias(known, features.shape[1]).to(features.dtype)
        after = []
        for block, own in zip(self.blocks, before, strict=True):
            features, own = block(features, own, bias)
            after.append(own)
        return features, (known[-self.look_back :], *after)

    def _bias(self, known: Tensor, frames: int) -> Tensor:
        """What is added to the attention of T frames to L + T: (B, heads, T, L + T)."""
        place = torch.arange(len(known), device=known.device)
        distance = place[-frames:, None] - place  # (T, L + T)
        near = (distance >= 0) & (distance <= self.look_back)
        seen = near & (known[..., 0].T[:, None] > 0)  # (B, T, L + T)
        slope = 2.0 ** (-8 * torch.arange(1, self.heads + 1, device=known.device) / self.heads)
        penalty = -slope[:, None, None] * distance  # (heads, T, L + T)
        return penalty.where(seen[:, None], -torch.inf)

    def empty_state(self, batch: int) -> State:
        """No frame known (L, B, 1), and zeros (L, B, 2 D) for each block."""
        weight = self.enter.weight
        known = weight.new_zeros(self.look_back, batch, 1)
        empty = weight.new_zeros(self.look_back, batch, 2 * self.width)
        return (known, *(empty for _ in self.blocks))
