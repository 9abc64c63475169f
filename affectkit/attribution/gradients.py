"""Own-frame gradients of a CNN-RNN: exact, in two backward passes for any number of frames.

The CNN processes each frame separately, then the RNN processes the features of all frames. So the
gradient of the output at frame t with respect to the pixels of frame t is

    dy_t / dx_t  =  (dy_t / df_t)  (df_t / dx_t),      f_t: the features of frame t,

and dy_t / df_t depends on the hidden state before frame t, but on no other frame. First the RNN
runs over the frames to collect these states. Then all frames are one batch of sequences of length
one.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from affectkit.attribution.frames import (
    Maps,
    decode_frames,
    frozen_weights,
    require_causal,
    states_before,
)
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.models.inputs import Chunk, process_chunks
from affectkit.models.temporal import State


class FrameGradients(NamedTuple):
    """Gradients of T frames."""

    image: Tensor  # (T, C, H, W), the input images
    gradient: Tensor  # (2, T, C, H, W), of valence and of arousal


def gradient_x_input(model: CnnRnn, chunks: Iterator[Chunk]) -> Iterator[Maps]:
    """Gradient times input, summed over the colours.

    The input is the normalised image, so the baseline is the mean grey of the normalisation. For a
    linear model this is exactly weight x (input - baseline) (Shrikumar et al. 2016).
    """
    for image, gradient in own_frame_gradients(model, chunks):
        yield Maps((gradient * image).sum(2))


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
    require_causal(model)
    state: State = ()

    def process(chunk: Chunk) -> FrameGradients:
        nonlocal state
        image = chunk.image.detach().requires_grad_()
        features = model.frame_features(image, chunk.landmark)
        before, after = states_before(model, features.detach(), state)
        affect = decode_frames(model, features, before)
        gradients = [
            torch.autograd.grad(affect[:, k].sum(), image, retain_graph=k == 0)[0] for k in range(2)
        ]
        state = after  # only now: `process_chunks` repeats a call that runs out of memory
        return FrameGradients(image.detach(), torch.stack(gradients))

    with frozen_weights(model):
        yield from process_chunks(process, chunks)
