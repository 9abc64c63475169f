"""The affect of every frame of a recording attributed to its pixels, streamed to disk."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor

from affectkit.attribution.own_frame import own_frame_gradients
from affectkit.errors import unknown
from affectkit.faces.regions import REGION, region_masks
from affectkit.files import beside
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.recording import AFFECT, open_recording
from affectkit.run import attribution_path, open_attribution, read_contract
from affectkit.training.checkpoint import load_model
from affectkit.training.contract import check_crop
from affectkit.training.stream import Chunk, read_chunks

DIRECTION = ("lowers", "raises")


def gradient_x_input(model: CnnRnn, chunks: Iterator[Chunk]) -> Iterator[Tensor]:
    """Gradient times input, summed over the colours: (2, T, H, W), signed.

    The input is what the CNN sees, so the baseline is its mean grey. For a linear net this is
    exactly weight x (input - baseline) (Shrikumar et al. 2016).
    """
    for image, gradient in own_frame_gradients(model, chunks):
        yield (gradient * image).sum(2)


METHODS: dict[str, Callable[[CnnRnn, Iterator[Chunk]], Iterator[Tensor]]] = {
    "gradient_x_input": gradient_x_input,
}


def attribute(
    run: Path, store: Path, method: str = "gradient_x_input", *, chunk: int = 128
) -> xr.Dataset:
    """Attribute valence and arousal of every frame to the pixels of that frame.

    Args:
        run: a trained run.
        store: the recording's zarr folder.
        method: a name in `METHODS`.
        chunk: frames at a time; the memory's state is carried, so any number gives the same.

    Returns:
        `attribution` (affect, frame, row, col) on the grid of the net's input, spanning the crop;
        `region_share` (affect, frame, region, direction), shares of the frame's summed
        |attribution|; `region_area` (frame, region), shares of the crop. NaN without landmarks.
        Opened lazily from the run's folder.

    Raises:
        AffectkitError: no run, no recording, no such method, or a recording cut otherwise.
    """
    if method not in METHODS:
        raise unknown("attribution method", method, METHODS)
    contract = read_contract(run)
    model = load_model(run)
    recording = open_recording(store)
    check_crop(contract["crop"], recording)
    name = recording.attrs["recording"]
    maps = METHODS[method](model, read_chunks(model, recording, contract["input_size"], chunk))
    path = attribution_path(run, method, name)
    attrs = {
        "recording": name,
        "store": str(store.resolve()),
        "method": method,
        "baseline": "the mean grey of the backbone's normalisation",
    }
    with beside(path, overwrite=True) as partial:
        _write_stream(maps, recording, partial, attrs)
    return open_attribution(run, method, name)


def _write_stream(
    maps: Iterator[Tensor], recording: xr.Dataset, path: Path, attrs: dict[str, str]
) -> None:
    start = 0
    for values in maps:
        piece = recording.isel(frame=slice(start, start + values.shape[1]))
        result = _label(values.cpu().numpy(), piece).assign_attrs(attrs)
        if start == 0:
            result.to_zarr(path, mode="w-", zarr_format=2, consolidated=False)
        else:
            result.to_zarr(path, append_dim="frame", zarr_format=2, consolidated=False)
        start += values.shape[1]


def _label(values: NDArray[np.float32], recording: xr.Dataset) -> xr.Dataset:
    """Name the dims, leave out frames without a crop, and add the regions' shares."""
    seen = recording["crop_box"].notnull().all("edge")
    attribution = xr.DataArray(
        values,
        {"affect": list(AFFECT), "frame": recording["frame"], "time": recording["time"]},
        ("affect", "frame", "row", "col"),
    ).where(seen, 0.0)
    masks = xr.DataArray(
        region_masks(recording["landmark"].values, recording["crop_box"].values, values.shape[-1]),
        {"frame": recording["frame"], "region": list(REGION)},
        ("frame", "region", "row", "col"),
    )
    return xr.Dataset(
        {
            "attribution": attribution.astype(np.float16),
            "region_share": region_shares(attribution, masks),
            "region_area": masks.mean(["row", "col"]).where(masks.any(["region", "row", "col"])),
        }
    ).drop_encoding()


def region_shares(attribution: xr.DataArray, masks: xr.DataArray) -> xr.DataArray:
    """Share of each region in the frame's summed |attribution|, by direction.

    Args:
        attribution: (affect, frame, row, col), signed.
        masks: (frame, region, row, col) bool, disjoint.

    Returns:
        (affect, frame, region, direction) in [0, 1]; over region and direction they add to 1.
        NaN for frames without landmarks or without any attribution.
    """
    total = abs(attribution).sum(["row", "col"])
    pixels = ["row", "col"]
    signed = [
        xr.dot(attribution.clip(max=0), -1.0 * masks, dim=pixels),
        xr.dot(attribution.clip(min=0), 1.0 * masks, dim=pixels),
    ]
    shares = xr.concat(signed, "direction").assign_coords(direction=list(DIRECTION)) / total
    known = masks.any(["region", *pixels]) & (total > 0)
    ordered: xr.DataArray = shares.where(known).astype(np.float32)
    return ordered.transpose("affect", "frame", "region", "direction")
