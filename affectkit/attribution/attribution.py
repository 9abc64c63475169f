"""Attribute the predictions of recordings to pixels, and save them chunk by chunk."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, overload
from uuid import uuid4

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray
from torch import Tensor

from affectkit.attribution.gradients import own_frame_gradients
from affectkit.errors import unknown
from affectkit.faces.regions import REGION, region_masks
from affectkit.files import StrPath, lock
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.models.device import AUTO, evaluation_mode, memory_error_hint, resolve_device
from affectkit.models.inputs import Chunk, read_chunks
from affectkit.parallel import Progress, no_progress
from affectkit.preparation.inputs import (
    Recording,
    RecordingInput,
    RecordingInputs,
    check_names_of_results,
    input_path,
    is_single,
    map_recordings,
    metadata_of,
    open_input,
    prepare_inputs,
)
from affectkit.recording import AFFECT
from affectkit.results import DIRECTION, attribution_path, open_attribution, write_result
from affectkit.stamps import (
    STAMP,
    OnKept,
    Output,
    hash_run,
    ignore_kept,
)
from affectkit.store import append_store, write_store
from affectkit.training.model import load_model
from affectkit.training.run_metadata import check_crop_settings

CHUNK = 128  # frames processed together
MEMORY_HINT = "choose another device"


def gradient_x_input(model: CnnRnn, chunks: Iterator[Chunk]) -> Iterator[Tensor]:
    """Gradient times input, summed over the colours: (2, T, H, W), signed.

    The input is the normalised image, so the baseline is the mean grey of the normalisation. For a
    linear model this is exactly weight x (input - baseline) (Shrikumar et al. 2016).
    """
    for image, gradient in own_frame_gradients(model, chunks):
        yield (gradient * image).sum(2)


METHODS: dict[str, Callable[[CnnRnn, Iterator[Chunk]], Iterator[Tensor]]] = {
    "gradient_x_input": gradient_x_input,
}


# fmt: off
@overload
def attribute(  # type: ignore[overload-overlap]  # a str is a Sequence, too
    run_or_model: StrPath | CnnRnn, recordings: RecordingInput, method: str = ..., *,
    device: str = ..., chunk: int = ..., save: bool = ..., overwrite: bool = ...,
    workers: int = ..., scheduler: str = ..., on_kept: OnKept = ..., progress: Progress = ...,
) -> xr.Dataset: ...
@overload
def attribute(
    run_or_model: StrPath | CnnRnn, recordings: Sequence[RecordingInput], method: str = ..., *,
    device: str = ..., chunk: int = ..., save: bool = ..., overwrite: bool = ...,
    workers: int = ..., scheduler: str = ..., on_kept: OnKept = ..., progress: Progress = ...,
) -> list[xr.Dataset]: ...
# fmt: on
def attribute(
    run_or_model: StrPath | CnnRnn,
    recordings: RecordingInputs,
    method: str = "gradient_x_input",
    *,
    device: str = AUTO,
    chunk: int = CHUNK,
    save: bool = True,
    overwrite: bool = False,
    workers: int = 1,
    scheduler: str = "",
    on_kept: OnKept = ignore_kept,
    progress: Progress = no_progress,
) -> xr.Dataset | list[xr.Dataset]:
    """Attribute valence and arousal of every frame to the pixels of that frame.

    Args:
        run_or_model: output folder of a run; or a model from `load_model`, with `save=False`.
        recordings: a recording (its path, or an open Dataset) or a video; or a list of these and
            of folders of recordings. Videos are prepared with the crop settings of the run; their
            recordings are kept in the run.
        method: a name in `METHODS`.
        device: "cpu", "cuda", "cuda:1", "mps", or "auto": a GPU if there is one.
        chunk: frames processed together; fewer if the memory of the device is too small. The hidden
            state is carried over, so the result does not depend on it.
        save: write the attributions to the run. One that is stored there already is kept if weights
            and recording are unchanged, and replaced otherwise. Without `save` they are kept in
            memory, 4 H W bytes for each frame.
        overwrite: replace it in any case.
        workers: number of worker processes; each loads the model once.
        scheduler: address of a Dask cluster to use instead of local workers. It has to see the run
            and the recordings under the same paths.
        on_kept: called with the name of each recording whose stored attribution is kept.
        progress: called with "attribute by METHOD", the finished recordings and their number; and
            by the preparation of videos.

    Returns:
        One Dataset for one recording or video, a list of them for a list. Each with
        `attribution` (affect, frame, row, col), the pixels of the model's input, which spans the
        crop; `region_share` (affect, frame, region, direction), shares of the sum of
        |attribution| over the frame; `region_area` (frame, region), shares of the crop. Both are
        NaN for frames without landmarks. If saved, they are read from disk when they are used.

    Raises:
        AffectkitError: the method is unknown; `run_or_model` is not a trained run; a recording is
            missing, invalid, or has other crop settings than the run; the model is bidirectional;
            the device is not available, or its memory is too small for a single frame.
    """
    if method not in METHODS:
        raise unknown("attribution method", method, METHODS)
    found = resolve_device(device)
    metadata, run = metadata_of(run_or_model, save=save, parallel=workers > 1 or bool(scheduler))
    output = (
        Output(run.absolute(), {"run": hash_run(run), "method": method}, overwrite)
        if run and save
        else None
    )
    function: Callable[..., tuple[xr.Dataset | str, bool]]
    if isinstance(run_or_model, CnnRnn):
        function = partial(_attribute_recording, run_or_model, found)
    elif workers > 1 or scheduler:
        key = (str(uuid4()), str(Path(run_or_model).absolute()), device)
        function = partial(_attribute_in_worker, key)
    else:
        function = partial(_attribute_recording, load_model(run_or_model).to(found), found)
    with (
        lock(output.run, "attribute") if output else nullcontext(),
        prepare_inputs(recordings, metadata["crop"], run, progress=progress) as inputs,
    ):
        if run and save:
            check_names_of_results(inputs, partial(attribution_path, run, method))
        results = map_recordings(
            partial(function, method=method, chunk=chunk, output=output),
            inputs,
            f"attribute by {method}",
            workers=workers,
            scheduler=scheduler,
            output=output.run if output else None,
            progress=progress,
        )
    opened = []
    for result, kept in results:
        if kept:
            on_kept(str(result))
        opened.append(result if run is None or not save else open_attribution(run, method, result))
    return opened[0] if is_single(recordings) else opened


def _attribute_in_worker(key: tuple[str, str, str], recording: Recording, **options: Any) -> Any:  # noqa: ANN401
    call, run, device = key
    found = resolve_device(device)
    return _attribute_recording(_load_in_worker(call, run, found), found, recording, **options)


@lru_cache(maxsize=1)
def _load_in_worker(call: str, run: str, device: torch.device) -> CnnRnn:
    """Load the model once per worker process and call of `attribute`."""
    return load_model(run).to(device)


def _attribute_recording(
    model: CnnRnn,
    device: torch.device,
    recording: Recording,
    *,
    method: str,
    chunk: int,
    output: Output | None,
) -> tuple[xr.Dataset | str, bool]:
    """Attribute one recording.

    Returns:
        The attribution; if it was saved, the recording's name instead; and whether it is an older
        one that was kept.
    """
    metadata, opened = model.metadata or {}, open_input(recording)
    check_crop_settings(metadata["crop"], opened)
    name: str = opened.attrs["recording"]
    attrs = {
        "recording": name,
        "recording_path": input_path(opened),
        "method": method,
        "baseline": "the mean grey of the backbone's normalisation",
    }
    if output:
        attrs[STAMP], kept = output.find(opened, lambda: open_attribution(output.run, method, name))
        if kept is not None:
            return name, True
    with evaluation_mode(model, device), memory_error_hint(MEMORY_HINT):
        maps = METHODS[method](model, read_chunks(model, opened, metadata["input_size"], chunk))
        labelled = (each.assign_attrs(attrs) for each in _label_chunks(maps, opened))
        if not output:
            joined = xr.concat(list(labelled), "frame", coords="minimal", combine_attrs="override")
            return joined, False
        with write_result(attribution_path(output.run, method, name)) as partial_path:
            _write_chunks(labelled, partial_path)
    return name, False


def _write_chunks(chunks: Iterator[xr.Dataset], path: Path) -> None:
    for number, chunk in enumerate(chunks):
        if number:
            append_store(chunk, path)
        else:
            write_store(chunk, path)


def _label_chunks(maps: Iterator[Tensor], recording: xr.Dataset) -> Iterator[xr.Dataset]:
    start = 0
    for values in maps:
        stop = start + values.shape[1]
        yield _label(values.cpu().numpy(), recording.isel(frame=slice(start, stop)))
        start = stop


def _label(values: NDArray[np.float32], recording: xr.Dataset) -> xr.Dataset:
    """Name the dims, set frames without a crop to 0, and add the shares of the regions."""
    has_crop = recording["crop_box"].notnull().all("edge")
    attribution = xr.DataArray(
        values,
        {"affect": list(AFFECT), "frame": recording["frame"], "time": recording["time"]},
        ("affect", "frame", "row", "col"),
    ).where(has_crop, 0.0)
    masks = xr.DataArray(
        region_masks(recording["landmark"].values, recording["crop_box"].values, values.shape[-1]),
        {"frame": recording["frame"], "region": list(REGION)},
        ("frame", "region", "row", "col"),
    )
    area = masks.mean(["row", "col"])
    return xr.Dataset(
        {
            "attribution": attribution.astype(np.float16),
            "region_share": region_shares(attribution, masks),
            "region_area": area.where(masks.any(["region", "row", "col"])).astype(np.float32),
        }
    ).drop_encoding()


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
