"""Frames as independent samples: with the state before each frame fixed, they are one batch.

The CNN processes each frame separately, and a causal temporal module needs of all earlier frames
only its state. So a function of one frame, its landmarks and the state before it gives the same
output as the whole model, and any method for single images explains a whole video.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor

from affectkit.errors import AffectkitError
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.models.temporal import State


class Maps(NamedTuple):
    """Attributions of T consecutive frames."""

    attribution: Tensor  # (2, T, H, W), of valence and of arousal, signed
    completeness_gap: Tensor | None = None  # (2, T); None if the method promises no sum


def require_causal(model: CnnRnn) -> None:
    """Check that the model has a state before each frame.

    Raises:
        AffectkitError: the model is bidirectional.
    """
    if not model.temporal.causal:
        raise AffectkitError(
            "attribution needs a model that processes the frames in order, and this one is "
            "bidirectional; train with model.bidirectional = false"
        )


def states_before(model: CnnRnn, features: Tensor, state: State) -> tuple[State, State]:
    """States of the temporal module before each frame.

    Args:
        model: in evaluation mode.
        features: (T, F)
        state: before the first frame, for a batch of one; or empty.

    Returns:
        The states before each frame, stacked as a batch of T, and the state after the last frame.
    """
    before = []
    state = state or model.temporal.empty_state(1)
    with torch.no_grad():
        for feature in features:  # one step of the RNN takes little time compared to the CNN
            before.append(state)
            _, state = model.temporal(feature.view(1, 1, -1), state)
    stacked = tuple(torch.cat(parts, dim=1) for parts in zip(*before, strict=True))
    return stacked, state


def decode_frames(model: CnnRnn, features: Tensor, before: State) -> Tensor:
    """Valence and arousal (N, 2) from features (N, F) and the states before the N frames.

    The result has gradients, also in evaluation mode on a GPU.
    """
    # cuDNN has no backward pass of RNNs in evaluation mode; the kernel of torch has one
    with torch.backends.cudnn.flags(enabled=False):
        affect, _ = model.decode(features.unsqueeze(1), before)
    return affect[:, 0, :2]


def frame_function(model: CnnRnn) -> Callable[..., Tensor]:
    """The model as a function of independent frames, as Captum takes it.

    Returns:
        A function from images (N, C, H, W), landmarks (N, P, 2) and the tensors of the states, with
        the batch as their first dimension (see `batch_first`), to valence and arousal (N, 2).
    """

    def forward(image: Tensor, landmark: Tensor, *state: Tensor) -> Tensor:
        features = model.frame_features(image, landmark)
        return decode_frames(model, features, batch_first(state))

    return forward


def batch_first(state: State) -> State:
    """Swap the first two dimensions: states have the batch as the second, Captum as the first."""
    return tuple(part.transpose(0, 1).contiguous() for part in state)


@contextmanager
def frozen_weights(model: CnnRnn) -> Iterator[None]:
    """Compute no gradients of the weights: they would take as long as those of the pixels."""
    before = [parameter.requires_grad for parameter in model.parameters()]
    model.requires_grad_(False)
    try:
        yield
    finally:
        for parameter, requires_grad in zip(model.parameters(), before, strict=True):
            parameter.requires_grad_(requires_grad)
