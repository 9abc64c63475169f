"""Data of a recording for the player, as one block of bytes; long saliency is sent in chunks.

    "AFK1" | u32 length of the header | header: JSON | arrays, each at a multiple of 8 bytes

All numbers are little-endian. `arrays` in the header has the dtype, shape and offset of each array,
`meta` has everything else. Missing values are NaN; an array without any value is left out. Saliency
is int8, see `quantise`, with one scale per recording and target.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from affectkit.errors import AffectkitError
from affectkit.signals import smooth_saliency
from affectkit.video import probe
from affectkit.video_player.segments import Segment

MAGIC = b"AFK1"
CODE = {"<f4": "f4", "<f8": "f8", "|i1": "i1", "<i4": "i4", "|u1": "u1"}
MAP_SIZE = 56  # cells per side of a saliency map, at most
WHOLE = 1800  # most frames, about a minute, with the saliency inside the payload
CHUNK = 300  # frames per chunk of a longer recording
QUANTILE = 0.995  # of |value|: larger values have the last colour
SAMPLE = 200  # frames used to compute the scale
NO_PICTURE = (4, 3)  # shape of the stage if the size of the source is not known


def payload(
    recording: xr.Dataset,
    prediction: xr.Dataset,
    attribution: xr.Dataset | None = None,
    *,
    segments: Sequence[Segment] = (),
    whole: int = WHOLE,
) -> bytes:
    """Everything that the player shows of a recording, except the video.

    Args:
        recording: `time`, `annotation`, `box`, `crop_box`, `landmark`, `detected`; not `face`.
        prediction: `prediction` (frame, affect) on the same frames.
        attribution: `attribution` (affect, frame, row, col), and the shares of the regions.
        segments: the worst segments, as returned by `worst_segments`.
        whole: most frames with the saliency maps inside the payload; the player requests those of
            a longer recording in chunks, see `saliency_chunk`.

    Raises:
        AffectkitError: the frames of the recording and of the results differ.
    """
    _check_frames(recording, prediction, attribution)
    arrays, size = _traces(recording, prediction), _picture_size(recording)
    if size is None:
        size = NO_PICTURE
        arrays |= {name: np.full_like(arrays[name], np.nan) for name in ("box", "crop_box")}
        arrays.pop("landmark", None)
    meta = _recording_meta(recording, size)
    meta["segments"] = [segment._asdict() for segment in segments]
    if attribution is not None:
        scale = saliency_scale(attribution)
        count = recording.sizes["frame"]
        meta["saliency"] = _saliency_meta(attribution, scale, count if count <= whole else CHUNK)
        if count <= whole:
            arrays["saliency"] = quantise(attribution, scale)
        arrays |= _regions(attribution)
    return pack(meta, arrays)


def saliency_chunk(
    attribution: xr.Dataset, first: int, last: int, *, scale: dict[str, float]
) -> bytes:
    """The saliency maps of positions `first` to `last` (exclusive) of a long recording."""
    return pack({}, {"saliency": quantise(attribution.isel(frame=slice(first, last)), scale)})


def saliency_scale(attribution: xr.Dataset) -> dict[str, float]:
    """The value of each target with the last colour: the `QUANTILE` of |value|."""
    every = max(1, attribution.sizes["frame"] // SAMPLE)
    maps = _pooled(attribution.isel(frame=slice(None, None, every)))
    scales = np.quantile(np.abs(maps), QUANTILE, axis=(0, 2, 3))
    names = attribution["affect"].values
    return {str(name): float(scale) or 1.0 for name, scale in zip(names, scales, strict=True)}


def quantise(attribution: xr.Dataset, scale: dict[str, float]) -> NDArray[np.int8]:
    """Saliency maps (frame, affect, row, col) as int8 on a square-root scale, clipped at `scale`.

    Gradients of neighbouring frames differ by a factor of up to 100: on a linear scale most frames
    would show nothing. A code c means the value sign(c) (c / 127)^2 scale.
    """
    count, step = attribution.sizes["frame"], 256
    blocks = (attribution.isel(frame=slice(at, at + step)) for at in range(0, count, step))
    unit = np.array([scale[str(name)] for name in attribution["affect"].values])
    return np.concatenate(
        [
            np.rint(127 * _signed_root(_pooled(block) / unit[:, None, None])).astype(np.int8)
            for block in blocks
        ]
    )


def _signed_root(share: NDArray[np.floating]) -> NDArray[np.floating]:
    root: NDArray[np.floating] = np.sign(share) * np.sqrt(np.minimum(np.abs(share), 1))
    return root


def _pooled(attribution: xr.Dataset) -> NDArray[np.float32]:
    """Maps (frame, affect, row, col), smoothed and averaged over blocks; NaN counts as 0."""
    maps = smooth_saliency(
        attribution["attribution"].transpose("frame", "affect", "row", "col").values
    )
    block = -(-max(maps.shape[2:]) // MAP_SIZE)
    side = min(maps.shape[2:]) // block
    maps = maps[:, :, : side * block, : side * block]
    shape = (*maps.shape[:2], side, block, side, block)
    pooled: NDArray[np.float32] = maps.reshape(shape).mean(axis=(3, 5))
    return pooled


def pack(meta: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> bytes:
    """Write header and arrays into one block of bytes."""
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    # the header contains the offsets, and its length shifts them: reserve space for long numbers
    room = len(_header(meta, arrays, 10**15))
    start = -(-(8 + room) // 8) * 8
    header = _header(meta, arrays, start).ljust(start - 8)
    parts = [MAGIC, np.uint32(len(header)).tobytes(), header]
    for array in arrays.values():
        parts += [array.tobytes(), bytes(-array.nbytes % 8)]
    return b"".join(parts)


def _header(meta: dict[str, Any], arrays: dict[str, NDArray[Any]], start: int) -> bytes:
    entries, offset = {}, start
    for name, array in arrays.items():
        entries[name] = {"dtype": CODE[array.dtype.str], "shape": array.shape, "offset": offset}
        offset += array.nbytes + -array.nbytes % 8
    return json.dumps({"meta": meta, "arrays": entries}, allow_nan=False).encode()


def _check_frames(
    recording: xr.Dataset, prediction: xr.Dataset, attribution: xr.Dataset | None
) -> None:
    for name, result in (("prediction", prediction), ("attribution", attribution)):
        if result is not None and not np.array_equal(result["frame"], recording["frame"]):
            raise AffectkitError(
                f"the {name} of {recording.attrs['recording']!r} has other frames than the "
                f"recording ({result.sizes['frame']}, not {recording.sizes['frame']}); compute it "
                "again"
            )


def _traces(recording: xr.Dataset, prediction: xr.Dataset) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {
        "time": recording["time"].values.astype("<f8"),
        "frame": recording["frame"].values.astype("<i4"),
        "prediction": prediction["prediction"].transpose("frame", "affect").values.astype("<f4"),
        "detected": recording["detected"].values.astype("u1"),
    }
    for name in ("annotation", "box", "crop_box", "landmark"):
        values = recording[name].values.astype("<f4")
        if name in ("box", "crop_box") or np.isfinite(values).any():
            arrays[name] = values
    return arrays


def _recording_meta(recording: xr.Dataset, size: tuple[int, int]) -> dict[str, Any]:
    interval = np.diff(recording["time"].values)
    return {
        "recording": str(recording.attrs["recording"]),
        "affect": [str(name) for name in recording["affect"].values],
        "width": size[0],
        "height": size[1],
        "fps": float(recording.attrs["fps"] or (1 / np.median(interval) if interval.size else 1)),
    }


def _picture_size(recording: xr.Dataset) -> tuple[int, int] | None:
    """Width and height of the source, from the video if the recording does not have them."""
    width, height = recording.attrs["width"], recording.attrs["height"]
    if width and height:
        return int(width), int(height)
    try:
        info = probe(recording.attrs["video"])
    except AffectkitError:
        return None
    return info.width, info.height


def _saliency_meta(attribution: xr.Dataset, scale: dict[str, float], chunk: int) -> dict[str, Any]:
    return {
        "affect": [str(name) for name in attribution["affect"].values],
        "size": _pooled(attribution.isel(frame=slice(0, 1))).shape[-1],
        "scale": scale,
        "chunk": chunk,
        "method": str(attribution.attrs.get("method", "")),
        "regions": [str(name) for name in attribution["region"].values]
        if "region" in attribution.coords
        else [],
    }


def _regions(attribution: xr.Dataset) -> dict[str, NDArray[Any]]:
    if not {"region_share", "region_area"} <= set(attribution.data_vars):
        return {}
    share = attribution["region_share"].sel(direction=["lowers", "raises"])
    share = share.transpose("affect", "frame", "region", "direction")
    area = attribution["region_area"].transpose("frame", "region")
    return {
        "region_share": share.values.astype("<f4"),
        "region_area": area.values.astype("<f4"),
    }
