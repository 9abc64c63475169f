"""OMG-Emotion: a row an utterance, arousal before valence, arousal from 0 to 1.

The sample is the organisers' CSV of the test videos; its keys are stripped, since one of them has
a space at its end, and rows without keys are left out.
"""

from pathlib import Path

import pandas as pd

from affectkit.datasets.omg import recording_name
from affectkit.errors import AffectkitError
from affectkit.submission.form import Form, Sheet

KEYS = ("video", "utterance")


def _sheet(sample: Path) -> list[Sheet]:
    try:
        table = pd.read_csv(sample, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise AffectkitError(f"{sample} cannot be read as CSV: {error}") from None
    if "video" not in table:  # as in copies that went through a spreadsheet
        table = table.rename(columns={"name": "video"})
    missing = [key for key in KEYS if key not in table]
    if missing:
        raise AffectkitError(
            f"{sample} has no column {' and '.join(missing)}; expected the CSV of the test videos, "
            f"with link, start, end, video, utterance"
        )
    keys = table[list(KEYS)].fillna("").apply(lambda column: column.str.strip())
    rows = keys[(keys != "").all(axis=1)].drop_duplicates(ignore_index=True)
    names = [recording_name(*key) for key in rows.itertuples(index=False)]
    return [Sheet(rows.assign(recording=names), ("arousal", "valence"))]


OMG = Form((*KEYS, "arousal", "valence"), KEYS, _sheet, decimals=6, lowest={"arousal": 0.0})
