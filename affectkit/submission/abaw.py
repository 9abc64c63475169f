"""ABAW, the valence-arousal track of Aff-Wild2: a row a frame, frames without a crop included.

Today one file, with exactly the rows of the organisers' sample (`102/00001.jpg`, counted from 1);
in 2020 a text file a track, line k being frame k.
"""

from pathlib import Path

import pandas as pd

from affectkit.errors import AffectkitError
from affectkit.recording import AFFECT
from affectkit.submission.form import Form, Sheet, lines_below, sample_files

KEY = "image_location"


def _sheet(sample: Path) -> list[Sheet]:
    if sample.is_dir():
        raise AffectkitError(
            f"{sample} is a folder; expected the organisers' sample, one .txt file"
        )
    lines = lines_below(sample, KEY)
    images = pd.Series([line.split(",")[0].strip() for line in lines], dtype=str)
    parts = images.str.extract(r"^(?P<recording>.+)/(?P<number>\d+)\.jpg$")
    wrong = [number for number, nothing in enumerate(parts["number"].isna()) if nothing]
    if wrong or not lines:
        found = repr(lines[wrong[0]]) if wrong else "no rows"
        place = f"{sample}:{wrong[0] + 2}" if wrong else str(sample)
        raise AffectkitError(
            f"{place} has {found}, expected NAME/00001.jpg as in the organisers' sample"
        )
    frame = parts["number"].astype(int) - 1
    rows = pd.DataFrame({KEY: images, "recording": parts["recording"], "frame": frame})
    return [Sheet(rows, AFFECT)]


def _sheets_2020(sample: Path) -> list[Sheet]:
    sheets = []
    for path in sample_files(sample, ".txt"):
        frames = range(len(lines_below(path, ",".join(AFFECT))))
        rows = pd.DataFrame({"recording": path.stem, "frame": frames})
        sheets.append(Sheet(rows, AFFECT, path.name))
    return sheets


ABAW = Form((KEY, *AFFECT), (KEY,), _sheet, decimals=3)
ABAW_2020 = Form(AFFECT, (), _sheets_2020, decimals=3)
