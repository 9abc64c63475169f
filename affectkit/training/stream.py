"""A whole recording through the net, chunk by chunk: flat memory, and the state carried on."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
import xarray as xr
from torch import Tensor

from affectkit.models.cnn_rnn import CnnRnn
from affectkit.models.temporal import State
from affectkit.recording import AFFECT
from affectkit.training.windows import landmark_in_crop, resize


class Chunk(NamedTuple):
    """T frames of a recording as the net wants them."""

    image: Tensor  # (T, C, H, W), normalised
    landmark: Tensor  # (T, P, 2)


def read_chunks(
    model: CnnRnn, recording: xr.Dataset, input_size: int, chunk: int = 256
) -> Iterator[Chunk]:
    """Read a recording in pieces of at most `chunk` frames, on the model's device."""
    device = model.output.weight.device
    for start in range(0, recording.sizes["frame"], chunk):
        piece = recording.isel(frame=slice(start, start + chunk))
        face = resize(torch.from_numpy(piece["face"].values).to(device), input_size)
        yield Chunk(model.normalise(face), torch.from_numpy(landmark_in_crop(piece)).to(device))


@torch.no_grad()
def read_outputs(model: CnnRnn, recording: xr.Dataset, input_size: int, chunk: int = 256) -> Tensor:
    """What the net gives for every frame: (frame, A), as `CnnRnn.read_out` has it, on the CPU.

    A net that looks ahead keeps the features of the whole recording, though not its pictures.

    Args:
        model: in evaluation mode; it stays as it is.
        recording: with `face`.
        input_size: pixels a side that the CNN sees.
        chunk: frames at a time; the state is carried, so any number gives the same result.
    """
    chunks = read_chunks(model, recording, input_size, chunk)
    pieces: Iterator[Tensor] = (model.frame_features(*piece) for piece in chunks)
    if not model.temporal.causal:  # it looks ahead too: all features have to be there
        pieces = iter([torch.cat(list(pieces))])
    state: State = ()
    rows = []
    for features in pieces:
        out, state = model.read_out(features.unsqueeze(0), state)
        rows.append(out[0].float().cpu())
    return torch.cat(rows)


def predict_affect(
    model: CnnRnn, recording: xr.Dataset, input_size: int, chunk: int = 256
) -> xr.DataArray:
    """Predict valence and arousal of every frame; the arguments are those of `read_outputs`.

    Returns:
        (frame, affect), clipped to [-1, 1]. A frame without a crop is NaN.
    """
    out = read_outputs(model, recording, input_size, chunk)[:, : len(AFFECT)]
    template = recording["annotation"]
    prediction = xr.DataArray(
        out.clamp(-1, 1).numpy(), template.coords, template.dims, name="prediction"
    )
    return prediction.where(recording["crop_box"].notnull().all("edge"))
