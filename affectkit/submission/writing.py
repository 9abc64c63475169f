"""Predictions written as a challenge wants them."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import xarray as xr

from affectkit.errors import AffectkitError
from affectkit.files import beside
from affectkit.run import list_predictions, open_prediction, read_contract
from affectkit.submission.form import HIGHEST, LOWEST, Form, Sheet, joined
from affectkit.submission.kinds import find
from affectkit.submission.placing import place


def write(
    kind: str,
    predictions: Path | Mapping[str, xr.Dataset],
    sample: Path,
    out: Path,
    *,
    overwrite: bool = False,
) -> list[str]:
    """Write predictions as a submission, with exactly the rows of the sample.

    Values are clipped to the challenge's range and rounded to its decimals. Where there is no
    prediction (no face, no such frame), the nearest in time is taken.

    Args:
        kind: one of `SUBMISSIONS`.
        predictions: a run folder, or predictions by the recording's name.
        sample: what the organisers give out: ABAW's sample file, OMG's CSV of test videos, a
            folder of SEWA's or RECOLA's labels; for ABAW 2020 a folder with a text file a track.
        out: the file or folder to write.
        overwrite: replace what stands there.

    Returns:
        What was filled in, a line a recording; empty if every row has its own prediction.

    Raises:
        AffectkitError: the kind is unknown, the sample is not in its format, a recording of the
            sample has no prediction, or `out` exists.
    """
    form = find(kind)
    sheets = form.sheets(Path(sample))
    known = predictions if isinstance(predictions, Mapping) else _of_run(predictions, sheets)
    _check_complete(sheets, known, predictions, sample)
    texts, notes = {}, []
    for sheet in sheets:
        texts[sheet.name], said = _text(form, sheet, known)
        notes += [note for note in said if note not in notes]
    with beside(Path(out), overwrite=overwrite) as partial:
        for name, text in texts.items():
            path = partial / name if name else partial
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return notes


def _of_run(run: Path, sheets: list[Sheet]) -> dict[str, xr.Dataset]:
    read_contract(run)
    wanted = {name for sheet in sheets for name in sheet.rows["recording"].unique()}
    return {name: open_prediction(run, name) for name in list_predictions(run) if name in wanted}


def _check_complete(
    sheets: list[Sheet], known: Mapping[str, xr.Dataset], predictions: object, sample: Path
) -> None:
    wanted = {name for sheet in sheets for name in sheet.rows["recording"].unique()}
    missing = sorted(wanted - set(known))
    if missing:
        whose = predictions if isinstance(predictions, Path) else "there"
        more = ", ..." if len(missing) > 3 else ""
        raise AffectkitError(
            f"{whose} has no prediction for {len(missing)} of the {len(wanted)} recordings of "
            f"{sample}: {', '.join(missing[:3])}{more}; predict them, under these names"
        )


def _text(form: Form, sheet: Sheet, known: Mapping[str, xr.Dataset]) -> tuple[str, list[str]]:
    """A file's text, and what was filled in."""
    values = np.zeros((len(sheet.rows), len(form.values)))
    notes = []
    by_recording = sheet.rows.reset_index(drop=True).groupby("recording", sort=False)
    for name, rows in by_recording:
        placed, filled = place(known[str(name)], rows)
        for column, affect in enumerate(sheet.affects):
            if affect is not None:
                values[rows.index, column] = placed.sel(affect=affect)
        if filled:
            notes.append(_note(str(name), filled, known[str(name)], len(rows)))
    table = sheet.rows[list(form.keys)].assign(
        **{
            name: _column(values[:, number], form.low(name), form.decimals)
            for number, name in enumerate(form.values)
        }
    )
    lines = joined(table, form.separator)
    header = form.header or form.separator.join(form.columns)
    return "\n".join([header, *lines, ""]), notes


def _note(name: str, filled: int, prediction: xr.Dataset, rows: int) -> str:
    if prediction["prediction"].isnull().any("affect").all():
        return f"{name}: no prediction at all, its {rows} rows are neutral (0)"
    return f"{name}: {filled} of {rows} rows have no prediction, the nearest in time was taken"


def _column(values: np.ndarray, low: float, decimals: int) -> list[str]:
    """Values from -1 to 1 as text, scaled to begin at `low`."""
    scaled = low + (values - LOWEST) / (HIGHEST - LOWEST) * (HIGHEST - low)
    rounded = scaled.round(decimals) + 0.0  # no minus before zero
    return [f"{value:.{decimals}f}" for value in rounded]
