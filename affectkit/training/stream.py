"""A whole recording through the net, chunk by chunk: flat memory, and the state carried on."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from affectkit.models.cnn_rnn import CnnRnn
from affectkit.models.temporal import State
from affectkit.recording import AFFECT, FACE_CHUNK, POINTS
from affectkit.training.memory import keep_memory
from affectkit.training.overlap import Windows, blend_windows
from affectkit.training.pixels import face_reader
from affectkit.training.windows import landmark_in_crop, resize


class Chunk(NamedTuple):
    """T frames of a recording as the net wants them."""

    image: Tensor  # (T, C, H, W), normalised
    landmark: Tensor  # (T, P, 2)


def read_chunks(
    model: CnnRnn, recording: xr.Dataset, input_size: int, chunk: int = FACE_CHUNK
) -> Iterator[Chunk]:
    """Read a recording in pieces of at most `chunk` frames, on the model's device.

    Landmarks are 0 for a net that does not look at them.
    """
    device = model.output.weight.device
    needed = recording[["landmark", "crop_box"]]
    read_faces, shape = face_reader(recording), recording["face"].shape
    for start in range(0, shape[0], chunk):
        stop = min(start + chunk, shape[0])
        face = np.empty((stop - start, *shape[1:]), np.uint8)
        read_faces(start, stop, face)
        landmark = np.zeros((stop - start, POINTS, 2), np.float32)
        if model.landmarks:
            landmark = landmark_in_crop(needed.isel(frame=slice(start, stop)))
        resized = resize(torch.from_numpy(face).to(device), input_size)
        yield Chunk(model.normalise(resized), torch.from_numpy(landmark).to(device))


def read_features(model: CnnRnn, chunks: Iterator[Chunk]) -> Iterator[Tensor]:
    """Features (T, F) of each chunk.

    The next one is read before they are asked for: a GPU works meanwhile. On a CPU
    a thread that reads ahead made this slower: it was in the way of those of the CNN.
    """
    chunk = next(chunks, None)
    while chunk is not None:
        features = model.frame_features(*chunk)
        chunk = next(chunks, None)
        yield features


def read_outputs(
    model: CnnRnn,
    recording: xr.Dataset,
    input_size: int,
    chunk: int = FACE_CHUNK,
    windows: Windows | None = None,
) -> Tensor:
    """What the net gives for every frame: (frame, A), as `CnnRnn.read_out` has it, on the CPU.

    A net that looks ahead keeps the features of the whole recording, 4 F bytes a frame, though not
    its pictures: 0.4 GB for an hour at 25 frames a second and F = 1024. Windows spare that.

    Args:
        model: in evaluation mode; it stays as it is.
        recording: with `face`.
        input_size: pixels a side that the CNN sees.
        chunk: frames at a time; the state is carried, so any number gives the same result.
        windows: read out these windows, each from an empty state, in place of one stream.
    """
    keep_memory()
    rows = []
    with torch.inference_mode():
        pieces = read_features(model, read_chunks(model, recording, input_size, chunk))
        if windows:
            outputs = blend_windows(model, pieces, recording.sizes["frame"], windows)
        else:
            outputs = _read_stream(model, pieces)
        for out in outputs:
            rows.append(out.float().cpu().numpy())
    return torch.from_numpy(np.concatenate(rows))


def _read_stream(model: CnnRnn, pieces: Iterator[Tensor]) -> Iterator[Tensor]:
    if not model.temporal.causal:  # it looks ahead too: all features have to be there
        pieces = iter([torch.cat(list(pieces))])
    state: State = ()
    for features in pieces:
        out, state = model.read_out(features.unsqueeze(0), state)
        yield out[0]


def predict_frames(
    model: CnnRnn,
    recording: xr.Dataset,
    input_size: int,
    chunk: int = FACE_CHUNK,
    windows: Windows | None = None,
) -> xr.Dataset:
    """Predict valence and arousal of every frame; the arguments are those of `read_outputs`.

    Returns:
        `prediction` (frame, affect), clipped to [-1, 1]; for a net that gives it, `spread` (frame,
        affect), the standard deviation. A frame without a crop is NaN.
    """
    out = read_outputs(model, recording, input_size, chunk, windows)
    template = recording["annotation"]
    values = {"prediction": out[:, : len(AFFECT)].clamp(-1, 1)}
    if out.shape[1] > len(AFFECT):
        values["spread"] = out[:, len(AFFECT) :]
    arrays = {name: (template.dims, value.numpy()) for name, value in values.items()}
    seen = recording["crop_box"].notnull().all("edge")
    return xr.Dataset(arrays, template.coords).where(seen)


def predict_affect(
    model: CnnRnn, recording: xr.Dataset, input_size: int, chunk: int = FACE_CHUNK
) -> xr.DataArray:
    """Predict valence and arousal (frame, affect) only; as `predict_frames`."""
    return predict_frames(model, recording, input_size, chunk)["prediction"]
