"""AVEC: SEWA's cross-cultural challenge (2017 to 2019) and RECOLA's (2015, 2016, 2018).

Both are sampled in time, not by frame: the sample's rows say when. SEWA has a CSV a recording, with
quoted names, arousal before valence, and a column for liking. RECOLA has an ARFF a recording and
affect; how test predictions were handed in is not on record, so this is the layout of its labels.
"""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from affectkit.errors import AffectkitError
from affectkit.submission.form import Form, Sheet, lines_below, read_lines, sample_files

SEWA_COLUMNS = ("name", "timestamp", "arousal", "valence", "liking")
RECOLA_COLUMNS = ("Instance_name", "frameTime", "GoldStandard")
DATA = "@data"
ARFF_HEADER = f"""@relation GOLDSTANDARD

@attribute {RECOLA_COLUMNS[0]} string
@attribute {RECOLA_COLUMNS[1]} numeric
@attribute {RECOLA_COLUMNS[2]} numeric


{DATA}
"""


def _sewa_sheets(sample: Path) -> list[Sheet]:
    return [
        Sheet(
            _rows(path, lines_below(path, "name;timestamp"), ";", SEWA_COLUMNS[:2]),
            ("arousal", "valence", None),
            path.name,
        )
        for path in sample_files(sample, ".csv")
    ]


def _recola_sheets(sample: Path) -> list[Sheet]:
    files = {path.name: path for path in sample_files(sample, ".arff")}
    return [
        Sheet(
            _rows(path, _data_lines(path), ",", RECOLA_COLUMNS[:2]), (affect,), f"{affect}/{name}"
        )
        for affect in ("arousal", "valence")
        for name, path in sorted(files.items())
    ]


def _data_lines(path: Path) -> list[str]:
    """The rows of an ARFF file.

    Raises:
        AffectkitError: it has none.
    """
    lines = [line.strip() for line in read_lines(path)]
    start = [number for number, line in enumerate(lines) if line.lower() == DATA]
    if not start:
        raise AffectkitError(f"{path} has no line {DATA}; expected an ARFF file")
    return [line for line in lines[start[0] + 1 :] if line]


def _rows(path: Path, lines: Iterable[str], separator: str, keys: tuple[str, ...]) -> pd.DataFrame:
    """Name and time stamp of each row, as they stand there; the prediction is named as the file."""
    fields = [line.split(separator)[:2] for line in lines]
    rows = pd.DataFrame(fields, columns=list(keys), dtype=str)
    time = pd.to_numeric(rows[keys[1]], errors="coerce")
    wrong = [number for number, nothing in enumerate(time.isna(), start=1) if nothing]
    if wrong or rows.empty:
        found = f"no time stamp in row {wrong[0]}" if wrong else "no rows"
        raise AffectkitError(
            f"{path} has {found}; expected rows that begin with {separator.join(keys)}"
        )
    return rows.assign(recording=path.stem, time=time)


SEWA = Form(SEWA_COLUMNS, SEWA_COLUMNS[:2], _sewa_sheets, decimals=6, separator=";")
RECOLA = Form(RECOLA_COLUMNS, RECOLA_COLUMNS[:2], _recola_sheets, decimals=6, header=ARFF_HEADER)
