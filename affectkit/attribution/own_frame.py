"""Own-frame gradients of a CNN-RNN, factorised at the features: exact, at a few forward passes.

The net is a CNN on every frame by itself, then a memory. The gradient of the output at frame t
with respect to the pixels of frame t is therefore

    dy_t / dx_t  =  (dy_t / df_t)  (df_t / dx_t),      f_t the features of frame t,

and dy_t / df_t needs the memory's state before t, but no other frame. Frame after frame, the memory
is run to collect these states; then all frames are one batch of sequences of length one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor

from affectkit.errors import AffectkitError
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.models.temporal import State
from affectkit.training.stream import Chunk


class Gradient(NamedTuple):
    """Of T frames, for each affect: (2, T, ...)."""

    image: Tensor  # (T, C, H, W), what the gradient was taken at
    gradient: Tensor  # (2, T, C, H, W)


def states_before(model: CnnRnn, features: Tensor, state: State) -> tuple[State, State]:
    """States of the memory before each frame.

    Args:
        model: in evaluation mode.
        features: (T, F)
        state: before the first frame, with a batch of one, or empty.

    Returns:
        The states before each frame, stacked as a batch of T; and the state after the last frame.
    """
    before = []
    state = state or model.temporal.empty_state(1)
    with torch.no_grad():
        for feature in features:  # a step is tiny beside the CNN's
            before.append(state)
            _, state = model.temporal(feature.view(1, 1, -1), state)
    stacked = tuple(torch.cat(parts, dim=1) for parts in zip(*before, strict=True))
    return stacked, state


def own_frame_gradients(model: CnnRnn, chunks: Iterator[Chunk]) -> Iterator[Gradient]:
    """Gradients of valence and arousal of every frame with respect to its own pixels.

    One forward pass and two backward passes through the CNN, whatever the number of frames; they
    come chunk by chunk, so memory is flat.

    Args:
        model: in evaluation mode: batch normalisation in training mode would mix frames.
        chunks: of one recording, in order.

    Raises:
        AffectkitError: the memory looks ahead, so it has no state before a frame.
    """
    if not model.temporal.causal:
        raise AffectkitError(
            "the run's memory goes in both directions, and attribution goes frame by frame; "
            "train with model.bidirectional = false"
        )
    state: State = ()
    with weights_fixed(model):
        for image, landmark in chunks:
            image.requires_grad_()
            features = model.frame_features(image, landmark)
            before, state = states_before(model, features.detach(), state)
            # cuDNN has no recurrent backward pass in evaluation mode; torch's own kernel has
            with torch.backends.cudnn.flags(enabled=False):
                affect, _ = model.read_out(features.unsqueeze(1), before)
            gradients = [
                torch.autograd.grad(affect[:, 0, k].sum(), image, retain_graph=k == 0)[0]
                for k in range(2)
            ]
            yield Gradient(image.detach(), torch.stack(gradients))


@contextmanager
def weights_fixed(model: CnnRnn) -> Iterator[None]:
    """Ask for no gradients of the weights: they would cost as much as those of the pixels."""
    wanted = [parameter.requires_grad for parameter in model.parameters()]
    model.requires_grad_(False)
    try:
        yield
    finally:
        for parameter, before in zip(model.parameters(), wanted, strict=True):
            parameter.requires_grad_(before)
