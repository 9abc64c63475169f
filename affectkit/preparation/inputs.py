"""The arguments of `predict` and `attribute`: a run or a model; recordings, folders and videos."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import xarray as xr

from affectkit.errors import AffectkitError
from affectkit.faces.crop import stored_crop
from affectkit.files import StrPath, read_json
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.parallel import Progress, map_tasks, no_progress
from affectkit.preparation import prepare_videos
from affectkit.preparation.tasks import VIDEO_KEYS, stored_source
from affectkit.recording import check_recording, list_recordings, open_recording
from affectkit.run import read_metadata
from affectkit.store import ATTRS

RecordingInput = StrPath | xr.Dataset  # a recording or a video; in a list, also a folder of them
RecordingInputs = RecordingInput | Sequence[RecordingInput]
Recording = Path | xr.Dataset
Result = TypeVar("Result")


def metadata_of(
    run_or_model: StrPath | CnnRnn, *, save: bool, parallel: bool
) -> tuple[Mapping[str, Any], Path | None]:
    """Metadata of a run or a loaded model, and the folder of the run; None for a model.

    Args:
        run_or_model: folder of a run, or a model from `load_model`.
        save: whether results are saved, which needs a run.
        parallel: whether worker processes or a cluster are used, which needs a run too.

    Raises:
        AffectkitError: it is not a run, the model was not loaded from a run, or a run is needed.
    """
    if not isinstance(run_or_model, CnnRnn):
        return read_metadata(run_or_model), Path(run_or_model)
    if save or parallel:
        problem = "save=True has no run to write to" if save else "workers load it from its run"
        remedy = "set save=False" if save else "set workers=1 and no scheduler"
        raise AffectkitError(f"got a loaded model, but {problem}: {remedy}, or give the run folder")
    if run_or_model.metadata is None:
        raise AffectkitError(
            "the model has no metadata (crop settings, input size): load it with load_model(run)"
        )
    return run_or_model.metadata, None


def is_single(recordings: RecordingInputs) -> bool:
    """Whether the argument is one recording or video, and not a list of them."""
    return isinstance(recordings, StrPath | xr.Dataset)


def expand_inputs(recordings: RecordingInputs) -> list[Recording]:
    """List the recordings and videos of the argument; folders in a list give their recordings.

    Raises:
        AffectkitError: a path does not exist, a folder contains no recordings, or the argument is
            a single folder that is not a recording.
    """
    single = is_single(recordings)
    given = [recordings] if isinstance(recordings, StrPath | xr.Dataset) else recordings
    expanded: list[Recording] = []
    for each in given:
        if isinstance(each, xr.Dataset):
            expanded.append(each)
        elif not Path(each).exists():
            raise AffectkitError(
                f"{each} does not exist: expected a recording (.zarr), a folder of recordings or "
                "a video"
            )
        elif Path(each).is_file():
            expanded.append(Path(each))
        elif single and Path(each).suffix != ".zarr":
            raise AffectkitError(
                f"{each} is a folder of recordings, expected one recording (.zarr) or video: pass "
                f"a list, ak.list_recordings({str(each)!r})"
            )
        else:
            expanded += list_recordings(each)
    return expanded


def check_names_of_results(
    recordings: Sequence[Recording], result_path: Callable[[str], Path]
) -> None:
    """Check that results can be stored by the names of their recordings.

    Args:
        recordings: as `prepare_inputs` yields them.
        result_path: path of the result of a recording, given by name.

    Raises:
        AffectkitError: a recording cannot be used; two of them have the same name; or a result of
            that name is stored, of another recording that still exists.
    """
    paths: dict[str, str] = {}
    for each in recordings:
        opened = open_input(each)
        name, path = opened.attrs["recording"], input_path(opened)
        if name in paths:
            both = " and ".join(known or "one in memory" for known in (paths[name], path))
            raise AffectkitError(
                f"two recordings are named {name!r} ({both}), and each result is stored by the "
                "name of its recording: give each recording once, or set save=False"
            )
        paths[name] = path
        other = _recording_of_result(result_path(name))
        if path and other and path != other and not _is_gone_or_copy(opened, other):
            raise AffectkitError(
                f"{result_path(name)} is the result of another recording of the same name: "
                f"{other}, not {path}; rename the video of one and prepare it again, or remove "
                "this result"
            )


def _recording_of_result(path: Path) -> str:
    """Path of the recording of a stored result; "" if it is unknown, or there is no result."""
    try:
        other = read_json(path / ATTRS, "zarr metadata").get("recording_path")
    except AffectkitError:  # a damaged result is replaced
        return ""
    return other if isinstance(other, str) else ""


def _is_gone_or_copy(recording: xr.Dataset, other: str) -> bool:
    """Whether there is no recording at the path `other`, or one of the same person in a video."""
    try:
        theirs = stored_source(open_recording(other).attrs)
    except AffectkitError:
        return True
    own = stored_source(recording.attrs)
    return bool(own) and all(own.get(key) == theirs.get(key) for key in (*VIDEO_KEYS, "person"))


@contextmanager
def prepare_inputs(
    recordings: RecordingInputs,
    crop: Mapping[str, Any],
    run: Path | None = None,
    *,
    progress: Progress = no_progress,
) -> Iterator[list[Recording]]:
    """Yield the recordings of the argument; videos are prepared first.

    Args:
        recordings: a recording, a video, or a list of these and of folders of recordings.
        crop: crop settings for the videos, from the metadata of the run.
        run: the recordings of videos are kept in this run, in its folder `recordings`, and used
            again by later calls. By default they are removed when the context ends.
        progress: called while videos are prepared.

    Raises:
        AffectkitError: see `expand_inputs`; or a video could not be prepared.
    """
    expanded = expand_inputs(recordings)
    videos = [each for each in expanded if isinstance(each, Path) and each.is_file()]
    with nullcontext(run / "recordings") if run else TemporaryDirectory() as folder:
        if videos:
            out = Path(folder)
            paths = prepare_videos(videos, out, crop=stored_crop(crop), progress=progress)
            prepared = dict(zip(videos, paths, strict=True))
            expanded = [
                prepared.get(each, each) if isinstance(each, Path) else each for each in expanded
            ]
        yield expanded


def open_input(recording: Recording) -> xr.Dataset:
    """Open a recording with faces; one that is open already is checked.

    Raises:
        AffectkitError: it is not a recording, it is invalid, or it has no faces.
    """
    if isinstance(recording, xr.Dataset):
        check_recording(recording)
    else:
        recording = open_recording(recording)
    if "face" not in recording:
        raise AffectkitError(
            f"recording {recording.attrs['recording']!r} has no 'face', the pixels of the crops; "
            "prepare it again"
        )
    return recording


def input_path(recording: xr.Dataset) -> str:
    """Absolute path of an open recording; "" if it is in memory only."""
    path = recording.encoding.get("source", "")
    return str(Path(path).resolve()) if path else ""


def map_recordings(
    function: Callable[[Recording], Result],
    recordings: Sequence[Recording],
    name: str,
    *,
    workers: int = 1,
    scheduler: str = "",
    output: Path | None = None,
    progress: Progress = no_progress,
) -> list[Result]:
    """Call a function for every recording: in this process, in worker processes or on a cluster.

    Args:
        function: with several workers or a cluster, it is pickled.
        recordings: as `prepare_inputs` yields them.
        name: what `progress` is called with, together with the finished recordings and their
            number.
        workers: see `affectkit.parallel.map_tasks`.
        scheduler: see `affectkit.parallel.map_tasks`.
        output: see `affectkit.parallel.map_tasks`.
        progress: called after each recording.

    Returns:
        The results in the order of the recordings.
    """
    tasks = [
        (number, each if isinstance(each, xr.Dataset) else each.absolute())
        for number, each in enumerate(recordings)
    ]
    results: dict[int, Result] = {}
    finished = map_tasks(
        partial(_call, function), tasks, workers=workers, scheduler=scheduler, output=output
    )
    for (number, _), result in finished:
        results[number] = result
        progress(name, len(results), len(tasks))
    return [results[number] for number in range(len(tasks))]


def _call(
    function: Callable[[Recording], Result], task: tuple[int, Recording], progress: Progress
) -> Result:
    return function(task[1])
