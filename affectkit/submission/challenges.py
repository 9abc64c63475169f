"""The challenges with a known submission format, and how each one's sample is read.

ABAW (valence-arousal track of Aff-Wild2): one row for each frame, also frames without a crop.
Today one file, with exactly the rows of the organisers' sample (`102/00001.jpg`, counted from 1).
In 2020 one text file for each track; line k is frame k.

OMG-Emotion: one row for each utterance, arousal before valence, arousal from 0 to 1. The sample is
the organisers' CSV of the test videos. Its keys are stripped, since one of them ends with a space;
rows without keys are left out.

AVEC, with SEWA (2017 to 2019) or RECOLA (2015, 2016, 2018): sampled in time, not by frame; the rows
of the sample hold the time stamps. SEWA has a CSV for each recording, with quoted names, arousal
before valence, and a column for liking. RECOLA has an ARFF file for each recording and affect; the
format of its test submissions was not published, so this is the format of its labels.
"""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from affectkit.datasets.omg import recording_name
from affectkit.errors import AffectkitError, unknown
from affectkit.files import read_lines
from affectkit.recording import AFFECT
from affectkit.submission.format import (
    SubmissionFile,
    SubmissionFormat,
    lines_after_header,
    sample_files,
)

ABAW_KEY = "image_location"
OMG_KEYS = ("video", "utterance")
SEWA_COLUMNS = ("name", "timestamp", "arousal", "valence", "liking")
RECOLA_COLUMNS = ("Instance_name", "frameTime", "GoldStandard")
DATA = "@data"
ARFF_HEADER = f"""@relation GOLDSTANDARD

@attribute {RECOLA_COLUMNS[0]} string
@attribute {RECOLA_COLUMNS[1]} numeric
@attribute {RECOLA_COLUMNS[2]} numeric


{DATA}
"""


def _abaw_file(sample: Path) -> list[SubmissionFile]:
    if sample.is_dir():
        raise AffectkitError(
            f"{sample} is a folder; expected the organisers' sample, one .txt file"
        )
    lines = lines_after_header(sample, ABAW_KEY)
    images = pd.Series([line.split(",")[0].strip() for line in lines], dtype=str)
    parts = images.str.extract(r"^(?P<recording>.+)/(?P<number>\d+)\.jpg$")
    invalid = [row for row, missing in enumerate(parts["number"].isna()) if missing]
    if invalid or not lines:
        found = repr(lines[invalid[0]]) if invalid else "no rows"
        position = f"{sample}:{invalid[0] + 2}" if invalid else str(sample)
        raise AffectkitError(
            f"{position} has {found}, expected NAME/00001.jpg as in the organisers' sample"
        )
    frame = parts["number"].astype(int) - 1
    rows = pd.DataFrame({ABAW_KEY: images, "recording": parts["recording"], "frame": frame})
    return [SubmissionFile(rows, AFFECT)]


def _abaw_2020_files(sample: Path) -> list[SubmissionFile]:
    files = []
    for path in sample_files(sample, ".txt"):
        frames = range(len(lines_after_header(path, ",".join(AFFECT))))
        rows = pd.DataFrame({"recording": path.stem, "frame": frames})
        files.append(SubmissionFile(rows, AFFECT, path.name))
    return files


def _omg_file(sample: Path) -> list[SubmissionFile]:
    try:
        table = pd.read_csv(sample, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise AffectkitError(f"{sample} cannot be read as CSV: {error}") from None
    if "video" not in table:  # in copies that were saved by a spreadsheet
        table = table.rename(columns={"name": "video"})
    missing = [key for key in OMG_KEYS if key not in table]
    if missing:
        raise AffectkitError(
            f"{sample} has no column {' and '.join(missing)}; expected the CSV of the test videos, "
            "with link, start, end, video, utterance"
        )
    keys = table[list(OMG_KEYS)].fillna("").apply(lambda column: column.str.strip())
    rows = keys[(keys != "").all(axis=1)].drop_duplicates(ignore_index=True)
    names = [recording_name(*key) for key in rows.itertuples(index=False)]
    return [SubmissionFile(rows.assign(recording=names), ("arousal", "valence"))]


def _sewa_files(sample: Path) -> list[SubmissionFile]:
    return [
        SubmissionFile(
            _timed_rows(path, lines_after_header(path, "name;timestamp"), ";", SEWA_COLUMNS[:2]),
            ("arousal", "valence", None),
            path.name,
        )
        for path in sample_files(sample, ".csv")
    ]


def _recola_files(sample: Path) -> list[SubmissionFile]:
    files = {path.name: path for path in sample_files(sample, ".arff")}
    return [
        SubmissionFile(
            _timed_rows(path, _arff_rows(path), ",", RECOLA_COLUMNS[:2]),
            (affect,),
            f"{affect}/{name}",
        )
        for affect in ("arousal", "valence")
        for name, path in sorted(files.items())
    ]


def _arff_rows(path: Path) -> list[str]:
    lines = [line.strip() for line in read_lines(path)]
    start = [number for number, line in enumerate(lines) if line.lower() == DATA]
    if not start:
        raise AffectkitError(f"{path} has no line {DATA}, expected an ARFF file with labels")
    return [line for line in lines[start[0] + 1 :] if line]


def _timed_rows(
    path: Path, lines: Iterable[str], separator: str, keys: tuple[str, ...]
) -> pd.DataFrame:
    """Name and time stamp of each row, unchanged; `recording` is the name of the file."""
    fields = [line.split(separator)[:2] for line in lines]
    rows = pd.DataFrame(fields, columns=list(keys), dtype=str)
    time = pd.to_numeric(rows[keys[1]], errors="coerce")
    invalid = [number for number, missing in enumerate(time.isna(), start=1) if missing]
    if invalid or rows.empty:
        found = f"no time stamp in row {invalid[0]}" if invalid else "no rows"
        raise AffectkitError(
            f"{path} has {found}; expected rows that begin with {separator.join(keys)}"
        )
    return rows.assign(recording=path.stem, time=time)


CHALLENGES: dict[str, SubmissionFormat] = {
    "abaw": SubmissionFormat((ABAW_KEY, *AFFECT), (ABAW_KEY,), _abaw_file, decimals=3),
    "abaw2020": SubmissionFormat(AFFECT, (), _abaw_2020_files, decimals=3),
    "omg": SubmissionFormat(
        (*OMG_KEYS, "arousal", "valence"), OMG_KEYS, _omg_file, decimals=6, lowest={"arousal": 0.0}
    ),
    "sewa": SubmissionFormat(
        SEWA_COLUMNS, SEWA_COLUMNS[:2], _sewa_files, decimals=6, separator=";"
    ),
    "recola": SubmissionFormat(
        RECOLA_COLUMNS, RECOLA_COLUMNS[:2], _recola_files, decimals=6, header=ARFF_HEADER
    ),
}


def find_format(challenge: str) -> SubmissionFormat:
    """The submission format of a challenge.

    Raises:
        AffectkitError: the name is unknown; lists the known ones.
    """
    if challenge not in CHALLENGES:
        raise unknown("challenge", challenge, CHALLENGES)
    return CHALLENGES[challenge]
