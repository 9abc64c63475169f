"""A causal transformer that attends to a limited number of past frames."""

import torch
from torch import Tensor, nn

from affectkit.errors import AffectkitError
from affectkit.models.temporal.base import State, TemporalModule, TemporalOptions


class Block(nn.Module):
    """Attention and a feed-forward network, both residual."""

    def __init__(self, options: TemporalOptions) -> None:
        """Build the block with layer norm before both parts (Xiong et al. 2020)."""
        super().__init__()
        width = options.hidden
        self.heads, self.dropout = options.heads, options.temporal_dropout
        self.attention_norm = nn.LayerNorm(width)
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out_proj = nn.Linear(width, width)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 4 * width),
            nn.GELU(),
            nn.Dropout(options.temporal_dropout),
            nn.Linear(4 * width, width),
            nn.Dropout(options.temporal_dropout),
        )

    def forward(self, features: Tensor, past: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """Process T frames, with a context of L past frames.

        Args:
            features: (B, T, D).
            past: keys and values of the past frames (L, B, 2 D).
            bias: added to the attention scores (B, heads, T, L + T).

        Returns:
            (B, T, D), and the keys and values of the last L frames.
        """
        normed = self.attention_norm(features)
        key_value = torch.cat([past.transpose(0, 1), self.key_value(normed)], dim=1)
        query, key, value = (  # (B, heads, T or L + T, D / heads)
            each.unflatten(2, (self.heads, -1)).transpose(1, 2)
            for each in (self.query(normed), *key_value.chunk(2, dim=2))
        )
        dropout = self.dropout if self.training else 0.0
        attended = nn.functional.scaled_dot_product_attention(query, key, value, bias, dropout)
        features = features + self.out_proj(attended.transpose(1, 2).flatten(2))
        new_past = key_value[:, -len(past) :].transpose(0, 1)
        return features + self.feed_forward(features), new_past


class CausalTransformer(TemporalModule):
    """Blocks in which each frame attends to itself and to the `context` frames before it.

    A penalty that grows with the distance between two frames, with a different slope for each head,
    replaces position embeddings (ALiBi: Press, Smith, Lewis 2022). So there is no longest sequence.
    The state is a mask of the past `context` frames that exist, and their keys and values.
    """

    def __init__(self, width: int, options: TemporalOptions) -> None:
        """Project the features to `options.hidden` and stack `options.layers` blocks."""
        super().__init__()
        if options.hidden % options.heads:
            raise AffectkitError(
                f"model.hidden should be a multiple of model.heads ({options.heads}), "
                f"got {options.hidden}"
            )
        self.width, self.context = options.hidden, options.context
        self.heads = options.heads
        self.in_proj = nn.Linear(width, options.hidden)
        self.blocks = nn.ModuleList(Block(options) for _ in range(options.layers))
        self.out_norm = nn.LayerNorm(options.hidden)

    def forward(self, features: Tensor, state: State = ()) -> tuple[Tensor, State]:
        """From (B, T, F) to (B, T, hidden)."""
        state = state or self.empty_state(len(features))
        outputs = []
        # chunk by chunk, so that memory use grows with T and not with its square
        for chunk in torch.split(features, self.context, dim=1):
            output, state = self._attend(self.in_proj(chunk), *state)
            outputs.append(output)
        return self.out_norm(torch.cat(outputs, dim=1)), state

    def _attend(self, features: Tensor, exists: Tensor, *past: Tensor) -> tuple[Tensor, State]:
        new = exists.new_ones(features.shape[1], *exists.shape[1:])
        exists = torch.cat([exists, new])  # (L + T, B, 1)
        bias = self._attention_bias(exists, features.shape[1]).to(features.dtype)
        new_past = []
        for block, block_past in zip(self.blocks, past, strict=True):
            features, block_past = block(features, block_past, bias)
            new_past.append(block_past)
        return features, (exists[-self.context :], *new_past)

    def _attention_bias(self, exists: Tensor, frames: int) -> Tensor:
        """The bias of the attention of T frames to L + T frames: (B, heads, T, L + T)."""
        position = torch.arange(len(exists), device=exists.device)
        distance = position[-frames:, None] - position  # (T, L + T)
        in_context = (distance >= 0) & (distance <= self.context)
        visible = in_context & (exists[..., 0].T[:, None] > 0)  # (B, T, L + T)
        slope = 2.0 ** (-8 * torch.arange(1, self.heads + 1, device=exists.device) / self.heads)
        penalty = -slope[:, None, None] * distance  # (heads, T, L + T)
        return penalty.where(visible[:, None], -torch.inf)

    def empty_state(self, batch: int) -> State:
        """A mask of zeros (L, B, 1), and zeros (L, B, 2 D) for each block."""
        weight = self.in_proj.weight
        exists = weight.new_zeros(self.context, batch, 1)
        empty = weight.new_zeros(self.context, batch, 2 * self.width)
        return (exists, *(empty for _ in self.blocks))
