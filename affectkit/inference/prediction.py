"""Predict valence and arousal of recordings and videos with a run or a loaded model."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, overload
from uuid import uuid4

import xarray as xr

from affectkit.files import StrPath, lock
from affectkit.inference.predictor import (
    CHUNK,
    Predictor,
    change_settings,
    load_predictor,
    predict_unsmoothed,
    smooth_prediction,
)
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.models.device import AUTO, check_precision, resolve_device
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
from affectkit.results import open_prediction, prediction_path, save_result
from affectkit.stamps import (
    STAMP,
    OnKept,
    Output,
    hash_run,
    ignore_kept,
)
from affectkit.training.recipe_sections import PredictSection


# fmt: off
@overload
def predict(  # type: ignore[overload-overlap]  # a str is a Sequence, too
    run_or_model: StrPath | CnnRnn, recordings: RecordingInput, *, device: str = ...,
    window: int | None = ..., stride: int | None = ..., blend: str | None = ...,
    smooth: str | None = ..., smooth_seconds: float | None = ..., precision: str = ...,
    chunk: int = ..., save: bool = ..., overwrite: bool = ..., workers: int = ...,
    scheduler: str = ..., on_kept: OnKept = ..., progress: Progress = ...,
) -> xr.Dataset: ...
@overload
def predict(
    run_or_model: StrPath | CnnRnn, recordings: Sequence[RecordingInput], *, device: str = ...,
    window: int | None = ..., stride: int | None = ..., blend: str | None = ...,
    smooth: str | None = ..., smooth_seconds: float | None = ..., precision: str = ...,
    chunk: int = ..., save: bool = ..., overwrite: bool = ..., workers: int = ...,
    scheduler: str = ..., on_kept: OnKept = ..., progress: Progress = ...,
) -> list[xr.Dataset]: ...
# fmt: on
def predict(
    run_or_model: StrPath | CnnRnn,
    recordings: RecordingInputs,
    *,
    device: str = AUTO,
    window: int | None = None,
    stride: int | None = None,
    blend: str | None = None,
    smooth: str | None = None,
    smooth_seconds: float | None = None,
    precision: str = "32",
    chunk: int = CHUNK,
    save: bool = True,
    overwrite: bool = False,
    workers: int = 1,
    scheduler: str = "",
    on_kept: OnKept = ignore_kept,
    progress: Progress = no_progress,
) -> xr.Dataset | list[xr.Dataset]:
    """Predict valence and arousal of every frame, and save the predictions in the run.

    Without `window`, a recording is one stream: the hidden state of the RNN is carried from chunk
    to chunk, so the result does not depend on `chunk`, and memory use not on the length of the
    video. Settings that are None are taken from the metadata of the run: from its recipe's
    [predict], or from `tune`.

    Args:
        run_or_model: output folder of a run or an ensemble; or a model from `load_model`, with
            `save=False`.
        recordings: a recording (its path, or an open Dataset) or a video; or a list of these and
            of folders of recordings. Videos are prepared with the crop settings of the run; their
            recordings are kept in the run.
        device: "cpu", "cuda", "cuda:1", "mps", or "auto": a GPU if there is one.
        window: predict in windows of this many frames, each from an empty state; 0: one stream.
        stride: frames from the start of a window to the start of the next; 0: as `window`.
        blend: how overlapping windows are blended, "mean" or "triangular".
        smooth: filter in time: "none", "median", "savitzky-golay" or "wiener".
        smooth_seconds: length of the filter in seconds.
        precision: "32"; on a GPU also "tf32", "bf16" or "fp16", on a CPU "bf16", which are faster
            and less exact. The RNN always computes in 32 bit.
        chunk: frames processed together; fewer if the memory of the device is too small.
        save: write the predictions to the run. A prediction that is stored there already is kept if
            weights, settings and recording are unchanged, and replaced otherwise.
        overwrite: replace it in any case.
        workers: number of worker processes; each loads the model once.
        scheduler: address of a Dask cluster to use instead of local workers. It has to see the run
            and the recordings under the same paths.
        on_kept: called with the name of each recording whose stored prediction is kept.
        progress: called with "predict", the finished recordings and their number; and by the
            preparation of videos.

    Returns:
        One Dataset for one recording or video, a list of them for a list. Each with
        `prediction` (frame, affect) in [-1, 1], NaN for frames without a face, and `std`
        (frame, affect), the predicted standard deviation, if the model has one. Smoothing does not
        change `std`. The settings are in attrs.

    Raises:
        AffectkitError: `run_or_model` is not a trained run; a recording is missing, invalid, or has
            other crop settings than the run; a setting is invalid; the device is not available, or
            its memory is too small for a single frame; or predictions are not finite.
    """
    found = resolve_device(device)
    check_precision(precision, found)
    metadata, run = metadata_of(run_or_model, save=save, parallel=workers > 1 or bool(scheduler))
    changes = {
        "window": window,
        "stride": stride,
        "blend": blend,
        "smooth": smooth,
        "smooth_seconds": smooth_seconds,
    }
    settings = change_settings(metadata, f"run {run}" if run else "the model", changes)
    computation = {"settings": settings.model_dump(), "precision": precision}
    output = (
        Output(run.absolute(), {"run": hash_run(run), **computation}, overwrite)
        if run and save
        else None
    )
    function: Callable[..., tuple[xr.Dataset, bool]]
    if isinstance(run_or_model, CnnRnn):
        model = Predictor(metadata, settings, found, precision, run_or_model, {})
        function = partial(_predict_recording, model)
    elif workers > 1 or scheduler:
        path = str(Path(run_or_model).absolute())
        key = (str(uuid4()), path, settings.model_dump_json(), device, precision)
        function = partial(_predict_in_worker, key)
    else:
        predictor = load_predictor(run_or_model, settings, found, precision)
        function = partial(_predict_recording, predictor)
    with (
        lock(output.run, "predict") if output else nullcontext(),
        prepare_inputs(recordings, metadata["crop"], run, progress=progress) as inputs,
    ):
        if run and save:
            check_names_of_results(inputs, partial(prediction_path, run))
        results = map_recordings(
            partial(function, chunk=chunk, output=output),
            inputs,
            "predict",
            workers=workers,
            scheduler=scheduler,
            output=output.run if output else None,
            progress=progress,
        )
    for result, kept in results:
        if kept:
            on_kept(result.attrs["recording"])
    predictions = [result for result, _ in results]
    return predictions[0] if is_single(recordings) else predictions


def _predict_in_worker(key: tuple[str, ...], recording: Recording, **options: Any) -> Any:  # noqa: ANN401
    return _predict_recording(_load_in_worker(*key), recording, **options)


@lru_cache(maxsize=1)
def _load_in_worker(call: str, run: str, settings: str, device: str, precision: str) -> Predictor:
    """Load the predictor once per worker process and call of `predict`."""
    chosen = PredictSection.model_validate_json(settings)
    return load_predictor(run, chosen, resolve_device(device), precision)


def _predict_recording(
    predictor: Predictor, recording: Recording, *, chunk: int, output: Output | None
) -> tuple[xr.Dataset, bool]:
    """Predict one recording and, with `output`, save the prediction.

    Returns:
        The prediction, and whether it is an older one that was kept.
    """
    opened, stamp = open_input(recording), {}
    name = opened.attrs["recording"]
    if output:
        stamp[STAMP], kept = output.find(opened, lambda: open_prediction(output.run, name))
        if kept is not None:
            return kept.load(), True
    unsmoothed = predict_unsmoothed(predictor, opened, chunk)
    attrs: dict[str, Any] = {
        "recording": name,
        "recording_path": input_path(opened),
        "run": predictor.metadata["name"],
        "settings": predictor.settings.model_dump(),
        **stamp,
    }
    if predictor.members:
        attrs["members"] = {
            path: member.settings.model_dump() for path, member in predictor.members.items()
        }
    result = smooth_prediction(unsmoothed, predictor.settings).assign_attrs(attrs).load()
    if output:
        save_result(result, prediction_path(output.run, name))
    return result, False
