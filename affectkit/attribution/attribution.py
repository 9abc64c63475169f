"""Attribute the predictions of recordings to pixels, and save them chunk by chunk."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, overload
from uuid import uuid4

import torch
import xarray as xr

from affectkit.attribution.labels import label_chunks
from affectkit.attribution.methods import METHODS, method_settings
from affectkit.files import StrPath, lock
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.models.device import AUTO, evaluation_mode, memory_error_hint, resolve_device
from affectkit.models.inputs import read_chunks
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
from affectkit.results import attribution_path, open_attribution, write_result
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


# fmt: off
@overload
def attribute(  # type: ignore[overload-overlap]  # a str is a Sequence, too
    run_or_model: StrPath | CnnRnn, recordings: RecordingInput, method: str = ..., *,
    steps: int | None = ..., device: str = ..., chunk: int = ..., save: bool = ...,
    overwrite: bool = ..., workers: int = ..., scheduler: str = ..., on_kept: OnKept = ...,
    progress: Progress = ...,
) -> xr.Dataset: ...
@overload
def attribute(
    run_or_model: StrPath | CnnRnn, recordings: Sequence[RecordingInput], method: str = ..., *,
    steps: int | None = ..., device: str = ..., chunk: int = ..., save: bool = ...,
    overwrite: bool = ..., workers: int = ..., scheduler: str = ..., on_kept: OnKept = ...,
    progress: Progress = ...,
) -> list[xr.Dataset]: ...
# fmt: on
def attribute(
    run_or_model: StrPath | CnnRnn,
    recordings: RecordingInputs,
    method: str = "gradient_x_input",
    *,
    steps: int | None = None,
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
        steps: points of the paths of integrated gradients; by default 32. More of them reduce the
            completeness gap, and take longer in proportion.
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
        NaN for frames without landmarks. `integrated_gradients` adds `completeness_gap` (affect,
        frame): the sum of the attribution minus the difference of the outputs for the face and for
        the baseline; NaN for frames without a crop. If saved, they are read from disk when they are
        used.

    Raises:
        AffectkitError: the method is unknown; `run_or_model` is not a trained run; a recording is
            missing, invalid, or has other crop settings than the run; the model is bidirectional;
            the device is not available, or its memory is too small for a single frame.
    """
    settings = method_settings(method, steps)
    found = resolve_device(device)
    metadata, run = metadata_of(run_or_model, save=save, parallel=workers > 1 or bool(scheduler))
    output = (
        Output(run.absolute(), {"run": hash_run(run), "method": method, **settings}, overwrite)
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
            partial(function, method=method, settings=settings, chunk=chunk, output=output),
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
    settings: Mapping[str, int],
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
        "baseline": METHODS[method].baseline,
        **settings,
    }
    if output:
        attrs[STAMP], kept = output.find(opened, lambda: open_attribution(output.run, method, name))
        if kept is not None:
            return name, True
    with evaluation_mode(model, device), memory_error_hint(MEMORY_HINT):
        chunks = read_chunks(model, opened, metadata["input_size"], chunk)
        maps = METHODS[method].compute(model, chunks, **settings)
        labelled = (each.assign_attrs(attrs) for each in label_chunks(maps, opened))
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
