"""Integrated gradients of every frame, from a blurred face to the face, by Captum.

All frames are independent samples (see `frames`): the path of a frame leads from its blurred image
to its image, while its landmarks and the state before it stay fixed.
"""

from collections.abc import Iterator

import torch
from captum.attr import IntegratedGradients
from torch import Tensor
from torch.nn import functional

from affectkit.attribution.frames import (
    Maps,
    batch_first,
    frame_function,
    frozen_weights,
    require_causal,
    states_before,
)
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.models.inputs import Chunk, process_chunks
from affectkit.models.temporal import State
from affectkit.recording import AFFECT

STEPS = 32  # points of each path, by default
PIXELS = 2**19  # of the images in one pass of the CNN, which bounds the memory: 128 of 64 px


def integrated_gradients(
    model: CnnRnn, chunks: Iterator[Chunk], *, steps: int = STEPS
) -> Iterator[Maps]:
    """Integrated gradients (Sundararajan et al. 2017), summed over the colours.

    The values have the unit of valence and arousal: their sum over the pixels of a frame is the
    output for the face minus the output for the blurred face, with the same landmarks and the same
    past. So the maps of all frames can be compared. The completeness gap is how much the sum is too
    large, because the path has `steps` points; it is exact for a linear model.

    For each of both outputs the CNN runs `steps` times forward and backward.

    Args:
        model: in evaluation mode.
        chunks: consecutive chunks of one recording.
        steps: points of each path.

    Raises:
        AffectkitError: the model is bidirectional: it has no state before a frame; or memory is too
            small even for a single frame.
    """
    require_causal(model)
    method = IntegratedGradients(frame_function(model))
    state: State = ()

    def process(chunk: Chunk) -> Maps:
        nonlocal state
        with torch.no_grad():
            features = model.frame_features(*chunk)
        before, after = states_before(model, features, state)
        samples = (*chunk, *batch_first(before))
        batch = max(1, PIXELS // chunk.image[0, 0].numel())
        parts = zip(*(torch.split(each, batch) for each in samples), strict=True)
        maps = [_explain(method, steps, *part) for part in parts]
        state = after  # only now: `process_chunks` repeats a call that runs out of memory
        return Maps(*(torch.cat(each, dim=1) for each in zip(*maps, strict=True)))

    with frozen_weights(model):
        yield from process_chunks(process, chunks)


def _explain(
    method: IntegratedGradients, steps: int, image: Tensor, *fixed: Tensor
) -> tuple[Tensor, Tensor]:
    """The attribution (2, N, H, W) of N frames, and its completeness gap (2, N)."""
    results = [
        method.attribute(
            image,
            blur(image),
            target=target,
            additional_forward_args=fixed,
            n_steps=steps,
            internal_batch_size=len(image),
            return_convergence_delta=True,
        )
        for target in range(len(AFFECT))
    ]
    maps, gaps = zip(*results, strict=True)
    return torch.stack(maps).sum(2), torch.stack(gaps)


def blur(image: Tensor) -> Tensor:
    """Mean over a square a third as wide as the image, with repeated edges: (N, C, H, W)."""
    radius = image.shape[-1] // 6
    padded = functional.pad(image, (radius,) * 4, mode="replicate")
    rows = functional.avg_pool2d(padded, (2 * radius + 1, 1), stride=1)
    return functional.avg_pool2d(rows, (1, 2 * radius + 1), stride=1)
