"""Predict every frame of a recording, chunk by chunk: as one stream or in sliding windows.

A stream carries the hidden state of the RNN from the first frame to the last. Sliding windows each
start from an empty state; overlapping ones are blended. The paper's evaluation uses windows of 80
frames without overlap, the default of `SlidingWindows`. Memory use does not depend on the length of
the recording, except for a bidirectional model without windows.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain

import torch
import xarray as xr
from torch import Tensor

from affectkit.errors import AffectkitError, unknown
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.models.device import memory_error_hint
from affectkit.models.inputs import Chunk, process_chunks, read_chunks
from affectkit.models.temporal import State
from affectkit.recording import AFFECT, FACE_CHUNK

MEMORY_HINT = "predict in shorter windows, or on another device"


def mean(length: int) -> Tensor:
    """Equal weights for all frames of a window."""
    return torch.ones(length)


def triangular(length: int) -> Tensor:
    """Weights that grow linearly with the distance of a frame from the ends of its window."""
    position = torch.arange(1, length + 1)
    return torch.minimum(position, position.flip(0)).float()


BLENDS: dict[str, Callable[[int], Tensor]] = {"mean": mean, "triangular": triangular}


@dataclass(frozen=True)
class SlidingWindows:
    """Length and stride of windows, and how overlapping windows are blended."""

    length: int = 80  # frames
    stride: int = 80  # frames from one start to the next
    blend: str = "mean"  # a name in `BLENDS`

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            AffectkitError: some frames would be in no window, or the blend is unknown.
        """
        if not 1 <= self.stride <= self.length:
            raise AffectkitError(
                f"the stride of windows of {self.length} frames should be 1 to {self.length} "
                f"frames, got {self.stride}; a longer stride leaves frames without a prediction"
            )
        if self.blend not in BLENDS:
            raise unknown("blend", self.blend, BLENDS)


def predict_frames(
    model: CnnRnn,
    recording: xr.Dataset,
    input_size: int,
    chunk: int = FACE_CHUNK,
    windows: SlidingWindows | None = None,
    *,
    autocast: torch.dtype | None = None,
) -> xr.Dataset:
    """Predict valence and arousal of every frame. The arguments are those of `compute_outputs`.

    Returns:
        `prediction` (frame, affect), clipped to [-1, 1], and `std` (frame, affect), the predicted
        standard deviation, if the model has one. Frames without a crop are NaN.
    """
    outputs = compute_outputs(model, recording, input_size, chunk, windows, autocast=autocast)
    template = recording["annotation"]
    values = {"prediction": outputs[:, : len(AFFECT)].clamp(-1, 1)}
    if outputs.shape[1] > len(AFFECT):
        values["std"] = outputs[:, len(AFFECT) :]
    arrays = {name: (template.dims, value.numpy()) for name, value in values.items()}
    has_crop = recording["crop_box"].notnull().all("edge")
    return xr.Dataset(arrays, template.coords).where(has_crop)


def compute_outputs(
    model: CnnRnn,
    recording: xr.Dataset,
    input_size: int,
    chunk: int = FACE_CHUNK,
    windows: SlidingWindows | None = None,
    *,
    autocast: torch.dtype | None = None,
) -> Tensor:
    """Outputs of the model for every frame: (frame, A) as `CnnRnn.decode` returns them, on the CPU.

    A bidirectional model keeps the features of the whole recording in memory, 4 F bytes for each
    frame, but not its images: 0.4 GB for an hour at 25 frames a second and F = 1024. With `windows`
    it keeps one window.

    Args:
        model: in evaluation mode. It is not changed.
        recording: with `face`.
        input_size: side of the input images in pixels.
        chunk: frames processed together, fewer if memory is too small. The state is carried over,
            so the result does not depend on this number.
        windows: predict in these windows, each from an empty state, instead of in one stream.
        autocast: the type in which the CNN and the fully connected layers compute; None: 32 bit.

    Raises:
        AffectkitError: memory is too small even for a single frame.
    """
    with torch.inference_mode(), memory_error_hint(MEMORY_HINT):
        chunks = read_chunks(model, recording, input_size, chunk)
        features = compute_features(model, chunks, autocast)
        if windows:
            outputs = decode_windows(model, features, recording.sizes["frame"], windows)
        else:
            outputs = _decode_stream(model, features)
        # one copy at the end: a copy of each output would wait for the GPU
        values = torch.cat([output.float() for output in outputs]).cpu().numpy()
    return torch.from_numpy(values)


def compute_features(
    model: CnnRnn, chunks: Iterator[Chunk], autocast: torch.dtype | None = None
) -> Iterator[Tensor]:
    """Features (T, F) of each chunk, in 32 bit.

    The RNN never computes in 16 bit: rounding errors would add up from frame to frame.
    """
    device = model.head.weight.device.type

    def compute(chunk: Chunk) -> Tensor:
        with torch.autocast(device, autocast, enabled=autocast is not None):
            return model.frame_features(*chunk).float()

    return process_chunks(compute, chunks)


def _decode_stream(model: CnnRnn, chunks: Iterator[Tensor]) -> Iterator[Tensor]:
    if not model.temporal.causal:  # a bidirectional model needs the features of all frames
        chunks = iter([torch.cat(list(chunks))])
    state: State = ()
    for features in chunks:
        output, state = model.decode(features.unsqueeze(0), state)
        yield output[0]


def decode_windows(
    model: CnnRnn, chunks: Iterator[Tensor], frames: int, windows: SlidingWindows
) -> Iterator[Tensor]:
    """Decode sliding windows and blend them where they overlap.

    The last window ends with the recording and may be short. Standard deviations are those of a
    mixture: the variance between overlapping windows is added to the mean of their variances.

    Args:
        model: in evaluation mode.
        chunks: features (T, F) of consecutive chunks.
        frames: number of frames of the recording.
        windows: only the features of one window are kept in memory. Windows longer than the
            recording are as long as the recording.

    Yields:
        One tensor (frame, A).
    """
    length = min(windows.length, frames)
    windows = replace(windows, length=length, stride=min(windows.stride, length))
    columns = len(AFFECT) * (1 if model.std_head is None else 2)
    total = torch.zeros(frames, columns, dtype=torch.float64)
    total_weight = torch.zeros(frames, 1, dtype=torch.float64)
    weight = BLENDS[windows.blend](windows.length).double()[:, None]
    for start, features in _cut_windows(chunks, windows):
        batch, length = features.shape[:2]
        moments = _moments(model.decode(features)[0].cpu().double())
        for number in range(batch):
            first = start + number * windows.stride
            total[first : first + length] += weight[:length] * moments[number]
            total_weight[first : first + length] += weight[:length]
    yield _from_moments(total / total_weight)


def _cut_windows(chunks: Iterator[Tensor], windows: SlidingWindows) -> Iterator[tuple[int, Tensor]]:
    """Batches of windows (B, T, F), each with the start of its first window."""
    kept, start, covered = next(chunks), 0, 0
    for chunk in chain([kept[:0]], chunks):
        kept = torch.cat([kept, chunk])
        if len(kept) < windows.length:
            continue
        batch = kept.unfold(0, windows.length, windows.stride).transpose(1, 2)
        yield start, batch
        covered = start + (len(batch) - 1) * windows.stride + windows.length
        start += len(batch) * windows.stride
        kept = kept[len(batch) * windows.stride :]
    if start + len(kept) > covered:
        yield start, kept.unsqueeze(0)


def _moments(output: Tensor) -> Tensor:
    """Convert (B, T, A) to moments that can be averaged: mean and, with std, mean square."""
    mean, std = output[..., : len(AFFECT)], output[..., len(AFFECT) :]
    return torch.cat([mean, std**2 + mean**2], 2) if std.shape[2] else mean


def _from_moments(moments: Tensor) -> Tensor:
    """Convert averaged moments back to (frame, A)."""
    mean, square = moments[:, : len(AFFECT)], moments[:, len(AFFECT) :]
    return torch.cat([mean, (square - mean**2).clamp(min=0).sqrt()], 1) if square.shape[1] else mean
