"""Labelled attributions: dims and coordinates, and the shares of the regions of the face."""

from collections.abc import Iterator

import numpy as np
import xarray as xr

from affectkit.attribution.frames import Maps
from affectkit.faces.regions import REGION, region_masks
from affectkit.recording import AFFECT
from affectkit.results import DIRECTION


def label_chunks(chunks: Iterator[Maps], recording: xr.Dataset) -> Iterator[xr.Dataset]:
    """Label the maps of consecutive frames of a recording, as they are stored."""
    start = 0
    for maps in chunks:
        stop = start + maps.attribution.shape[1]
        yield _label(maps, recording.isel(frame=slice(start, stop)))
        start = stop


def _label(maps: Maps, recording: xr.Dataset) -> xr.Dataset:
    """Name the dims, set frames without a crop to 0, and add the shares of the regions."""
    has_crop = recording["crop_box"].notnull().all("edge")
    coords = {"affect": list(AFFECT), "frame": recording["frame"], "time": recording["time"]}
    values = maps.attribution.cpu().numpy()
    attribution = xr.DataArray(values, coords, ("affect", "frame", "row", "col"))
    attribution = attribution.where(has_crop, 0.0)
    masks = xr.DataArray(
        region_masks(recording["landmark"].values, recording["crop_box"].values, values.shape[-1]),
        {"frame": recording["frame"], "region": list(REGION)},
        ("frame", "region", "row", "col"),
    )
    area = masks.mean(["row", "col"])
    labelled = xr.Dataset(
        {
            "attribution": attribution.astype(np.float16),
            "region_share": region_shares(attribution, masks),
            "region_area": area.where(masks.any(["region", "row", "col"])).astype(np.float32),
        }
    )
    if maps.completeness_gap is not None:
        gap = xr.DataArray(maps.completeness_gap.cpu().numpy(), coords, ("affect", "frame"))
        labelled["completeness_gap"] = gap.where(has_crop).astype(np.float32)
    return labelled.drop_encoding()


def region_shares(attribution: xr.DataArray, masks: xr.DataArray) -> xr.DataArray:
    """Share of each region in the sum of |attribution| over the frame, by direction.

    Args:
        attribution: (affect, frame, row, col), signed.
        masks: (frame, region, row, col) bool, disjoint.

    Returns:
        (affect, frame, region, direction) in [0, 1]; the sum over region and direction is 1. NaN
        for frames without landmarks or without any attribution.
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
