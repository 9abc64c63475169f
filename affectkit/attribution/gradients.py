"""Own-frame gradients of a CNN-RNN: exact, in two backward passes for any number of frames.

The CNN processes each frame separately, then the RNN processes the features of all frames. So the
gradient of the output at frame t with respect to the pixels of frame t is

    dy_t / dx_t  =  (dy_t / df_t)  (df_t / dx_t),      f_t: the features of frame t,

and dy_t / df_t depends on the hidden state before frame t, but on no other frame. First the RNN
runs over the frames to collect these states. Then all frames are one batch of sequences of length
one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor

from affectkit.errors import AffectkitError
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.models.inputs import Chunk, process_chunks
from affectkit.models.temporal import State


class FrameGradients(NamedTuple):
    """Gradients of T frames."""

    image: Tensor  # (T, C, H, W), the input images
    gradient: Tensor  # (2, T, C, H, W), of valence and of arousal


def own_frame_gradients(model: CnnRnn, chunks: Iterator[Chunk]) -> Iterator[FrameGradients]:
    """Gradients of valence and arousal of each frame with respect to the pixels of that frame.

    Each chunk takes one forward pass and two backward passes through the CNN. A chunk that is too
    large for the memory of the device is split. Memory use does not depend on the length of the
    recording.

    Args:
        model: in evaluation mode; in training mode, batch norms would mix the frames.
        chunks: consecutive chunks of one recording.

    Raises:
        AffectkitError: the model is bidirectional: it has no hidden state before a frame; or memory
            is too small even for a single frame.
    """
    if not model.temporal.causal:
        raise AffectkitError(
            "attribution needs a model that processes the frames in order, and this one is "
            "bidirectional; train with model.bidirectional = false"
        )
    state: State = ()

    def process(chunk: Chunk) -> FrameGradients:
        nonlocal state
        image = chunk.image.detach().requires_grad_()
        features = model.frame_features(image, chunk.landmark)
        before, after = states_before(model, features.detach(), state)
        # cuDNN has no backward pass of RNNs in evaluation mode; the kernel of torch has one
        with torch.backends.cudnn.flags(enabled=False):
            affect, _ = model.decode(features.unsqueeze(1), before)
        gradients = [
            torch.autograd.grad(affect[:, 0, k].sum(), image, retain_graph=k == 0)[0]
            for k in range(2)
        ]
        state = after  # only now: `process_chunks` repeats a call that runs out of memory
        return FrameGradients(image.detach(), torch.stack(gradients))

    with frozen_weights(model):
        yield from process_chunks(process, chunks)


def states_before(model: CnnRnn, features: Tensor, state: State) -> tuple[State, State]:
    """Hidden states of the RNN before each frame.

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
