"""Write predictions in the submission format of a challenge."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from affectkit.errors import AffectkitError
from affectkit.files import StrPath, atomic_folder, atomic_write
from affectkit.recording import AFFECT
from affectkit.results import list_predictions, open_prediction
from affectkit.run import read_metadata
from affectkit.signals import resample
from affectkit.submission.challenges import find_format
from affectkit.submission.format import (
    HIGHEST,
    LOWEST,
    SubmissionFile,
    SubmissionFormat,
    join_columns,
)

Array = NDArray[np.float64]


def write_submission(
    challenge: str,
    predictions: StrPath | Mapping[str, xr.Dataset],
    sample: StrPath,
    out: StrPath,
    *,
    overwrite: bool = False,
) -> list[str]:
    """Write predictions as a submission with exactly the rows of the sample.

    Values are clipped to the range of the challenge and rounded to its decimals. A row without
    prediction (no face, or no such frame) takes the prediction nearest in time.

    Args:
        challenge: one of `CHALLENGES`.
        predictions: a run, or predictions by the name of the recording.
        sample: the organisers' sample. ABAW: the sample file; OMG: the CSV of test videos; SEWA and
            RECOLA: a folder of label files; ABAW 2020: a folder with a text file for each track.
        out: the file or folder to write.
        overwrite: replace `out` if it is a file, or a folder with files of such a submission only.

    Returns:
        One line for each recording with rows that have no prediction of their own.

    Raises:
        AffectkitError: the challenge is unknown, the sample has another format, a recording of the
            sample has no prediction, or `out` exists.
    """
    submission_format = find_format(challenge)
    files = submission_format.read_sample(Path(sample))
    if not isinstance(predictions, Mapping):
        source, predictions = str(predictions), _open_predictions(Path(predictions), files)
    else:
        source = "the mapping of predictions"
    _check_complete(files, predictions, source, sample)
    texts, notes = {}, []
    for file in files:
        texts[file.name], file_notes = _file_text(submission_format, file, predictions)
        notes += [note for note in file_notes if note not in notes]
    _write_texts(Path(out), texts, overwrite=overwrite)
    return notes


def _write_texts(out: Path, texts: Mapping[str, str], *, overwrite: bool) -> None:
    """Write one file without a name, or a folder of named files."""
    if "" in texts:
        with atomic_write(out, overwrite=overwrite) as partial:
            partial.write_text(texts[""], encoding="utf-8")
        return

    def is_submission(folder: Path) -> bool:
        files = {path.relative_to(folder).as_posix() for path in folder.rglob("*")
                 if not path.is_dir()}  # fmt: skip
        return files <= set(texts)

    with atomic_folder(out, replaceable=is_submission if overwrite else None) as partial:
        for name, text in texts.items():
            path = partial / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def _recordings(files: list[SubmissionFile]) -> set[str]:
    return {str(name) for file in files for name in file.rows["recording"].unique()}


def _open_predictions(run: Path, files: list[SubmissionFile]) -> dict[str, xr.Dataset]:
    read_metadata(run)
    needed = _recordings(files)
    return {name: open_prediction(run, name) for name in list_predictions(run) if name in needed}


def _check_complete(
    files: list[SubmissionFile], known: Mapping[str, xr.Dataset], source: str, sample: StrPath
) -> None:
    needed = _recordings(files)
    missing = sorted(needed - set(known))
    if missing:
        more = ", ..." if len(missing) > 3 else ""
        raise AffectkitError(
            f"{source} has no prediction for {len(missing)} of the {len(needed)} recordings of "
            f"{sample}: {', '.join(missing[:3])}{more}; predict recordings with these names"
        )


def _file_text(
    submission_format: SubmissionFormat, file: SubmissionFile, known: Mapping[str, xr.Dataset]
) -> tuple[str, list[str]]:
    """The text of a file, and notes on rows without prediction."""
    values = np.zeros((len(file.rows), len(submission_format.values)))
    notes = []
    by_recording = file.rows.reset_index(drop=True).groupby("recording", sort=False)
    for name, rows in by_recording:
        read, filled = read_rows(known[str(name)], rows)
        for column, affect in enumerate(file.affects):
            if affect is not None:
                values[rows.index, column] = read.sel(affect=affect)
        if filled:
            notes.append(_note(str(name), filled, known[str(name)], len(rows)))
    table = file.rows[list(submission_format.keys)].assign(
        **{
            name: _format_column(
                values[:, number], submission_format.minimum(name), submission_format.decimals
            )
            for number, name in enumerate(submission_format.values)
        }
    )
    separator = submission_format.separator
    header = submission_format.header or separator.join(submission_format.columns)
    return "\n".join([header, *join_columns(table, separator), ""]), notes


def _note(name: str, filled: int, prediction: xr.Dataset, rows: int) -> str:
    if prediction["prediction"].isnull().any("affect").all():
        return f"{name}: no predictions, its {rows} rows are neutral (0)"
    return f"{name}: {filled} of {rows} rows have no prediction, the nearest in time was used"


def _format_column(values: Array, minimum: float, decimals: int) -> list[str]:
    """Values in [-1, 1] as text, scaled to [minimum, 1]."""
    scaled = minimum + (values - LOWEST) / (HIGHEST - LOWEST) * (HIGHEST - minimum)
    rounded = scaled.round(decimals) + 0.0  # turns -0.0 into 0.0
    return [f"{value:.{decimals}f}" for value in rounded]


def read_rows(prediction: xr.Dataset, rows: pd.DataFrame) -> tuple[xr.DataArray, int]:
    """Read a prediction at the rows of one recording.

    Args:
        prediction: `prediction` (frame, affect) with coordinates `frame` and `time`; NaN in frames
            without a face.
        rows: with `frame` (0-based), or `time` in seconds (linear interpolation between frames), or
            neither: then each row is the mean over the recording.

    Returns:
        (row, affect) clipped to [-1, 1], and the number of rows without prediction. These take the
        prediction nearest in time, or 0 if the recording has no prediction at all.
    """
    known = prediction["prediction"].load().astype(np.float64).dropna("frame", how="any")
    if not known.sizes["frame"]:
        return _labelled(np.zeros((len(rows), len(AFFECT)))), len(rows)
    if "frame" in rows:
        frame = rows["frame"].to_numpy(np.float64)
        values = _nearest(known, _frame_times(frame, prediction))
        predicted = np.isin(frame, known["frame"].values)
    elif "time" in rows:
        time, frame_times = rows["time"].to_numpy(np.float64), prediction["time"].values
        values = resample(_values(prediction["prediction"]), frame_times, time)
        predicted = np.asarray(~np.isnan(values).any(axis=1))
        values[~predicted] = _nearest(known, time[~predicted])
    else:
        values = np.tile(_values(known).mean(axis=0), (len(rows), 1))
        predicted = np.ones(len(rows), bool)
    return _labelled(values.clip(-1, 1)), int((~predicted).sum())


def _nearest(known: xr.DataArray, time: Array) -> Array:
    return resample(_values(known), known["time"].values, time, "nearest", max_distance=np.inf)


def _frame_times(frame: Array, prediction: xr.Dataset) -> Array:
    """Time of each frame in seconds, interpolated for frames that the prediction leaves out."""
    return np.asarray(np.interp(frame, prediction["frame"], prediction["time"]), np.float64)


def _values(array: xr.DataArray) -> Array:
    return np.asarray(array.transpose("frame", "affect").sel(affect=list(AFFECT)), np.float64)


def _labelled(values: Array) -> xr.DataArray:
    return xr.DataArray(values, {"affect": list(AFFECT)}, ("row", "affect"))
