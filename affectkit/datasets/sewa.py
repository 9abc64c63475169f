"""SEWA: pairs of people who discuss an advert in a video call, rated at 10 Hz (AVEC 2017 to 2019).

Layout, anywhere below the root:
    labels*/{Train,Devel,Test}_{DE,HU,CN}_NN.csv        or in a folder of any other name
    videos with the same names, in any folder
A label file is a CSV file with the columns `name;timestamp;arousal;valence;liking`. `liking` is not
read.

Quirks:
- Arousal comes before valence: columns are read by name.
- Names are in single quotes, which no CSV dialect uses.
- There are 10 rows per second at any frame rate: rows are interpolated at the frames' time stamps.
- The first seconds, before the raters began, are exact zeros or a ramp. They are kept, since the
  challenge scored them; drop them by time if needed.
- The predictions of the published baseline have the same columns and names, and are longer than the
  labels. Folders with names that begin with `predictions` are ignored.
- Numbers start again in each split and culture: `Train_DE_01` and `Devel_DE_01` are two people, so
  the full name is the subject. It is not published who talks to whom.
- Labels of the test set are not published; CN is only in the test set.

Citation: Kossaifi et al., "SEWA DB: A rich database for audio-visual emotion and sentiment
research in the wild", IEEE TPAMI 2021; Ringeval et al., "AVEC 2019 workshop and challenge", 2019.
Licence: for academic, non-commercial research, under an agreement signed with the authors, also for
the label files in the challenge's public repository.
"""

import glob
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from affectkit.datasets.annotation import make_annotation
from affectkit.datasets.delimited import number_column, read_delimited, require_columns
from affectkit.datasets.index import (
    find_videos,
    make_index,
    not_found,
    video_columns,
    visible_files,
)
from affectkit.errors import AffectkitError, unknown
from affectkit.files import StrPath
from affectkit.recording import AFFECT

COLUMNS = ("name", "timestamp", "arousal", "valence", "liking")
SPLITS = {"Train": "train", "Devel": "validation", "Test": "test"}
NOT_LABELS = "predictions"
ALIGNMENT = "by time: rows every 0.1 s, interpolated linearly at the frames' time stamps"


def index(root: StrPath) -> pd.DataFrame:
    """List the labelled recordings under `root`, one row each, sorted by name.

    Raises:
        AffectkitError: there are no label files below `root`.
    """
    root = Path(root)
    found = _find_labels(root)
    if not found:
        raise not_found("SEWA labels", root, f"*.csv with the columns {';'.join(COLUMNS)}")
    folders = [path for path in sorted(root.iterdir()) if path.is_dir()]
    videos = find_videos([root, *folders])
    return make_index(_row(found[name], videos.get(name)) for name in sorted(found))


def _row(path: Path, video: Path | None) -> dict[str, Any]:
    return {
        "recording": path.stem,
        "subject": path.stem,
        "split": SPLITS.get(path.stem.split("_")[0], ""),
        "annotation": (str(path),),
        **video_columns(video),
    }


def _find_labels(root: Path, pattern: str = "*.csv") -> dict[str, Path]:
    """Label files by name; of two with the same name, the one in a folder `labels...`."""
    folders = [root, *(path for path in sorted(root.glob("*/")) if path.is_dir())]
    found = [
        path
        for folder in folders
        for path in visible_files(folder, f"**/{pattern}")
        if _is_label(path)
    ]
    found.sort(key=lambda path: path.parent.name.startswith("labels"))
    return {path.stem: path for path in found}


def _is_label(path: Path) -> bool:
    if path.parent.name.startswith(NOT_LABELS):
        return False
    try:
        with path.open(encoding="utf-8-sig") as file:
            header = file.readline()
    except (OSError, UnicodeDecodeError):
        return False
    return {cell.strip(" '\"\r\n").lower() for cell in header.split(";")} >= set(COLUMNS)


def annotations(root: StrPath, name: str) -> xr.Dataset:
    """Read the annotation (sample, affect) of one recording.

    Raises:
        AffectkitError: there is no such recording, or its file has another format; names the line.
    """
    found = _find_labels(Path(root), glob.escape(f"{name}.csv"))
    if name not in found:
        raise unknown("recording", name, _find_labels(Path(root)))
    path = found[name]
    table = read_delimited(path).rename(columns=str.lower)
    require_columns(table, COLUMNS, path)
    time = number_column(table, "timestamp", path)
    not_increasing = np.diff(time) <= 0
    if not_increasing.any():
        row = int(not_increasing.argmax())
        line = table.index[row + 1]
        raise AffectkitError(
            f"{path}, line {line}: expected increasing timestamps, got {time[row + 1]:g} s after "
            f"{time[row]:g} s"
        )
    values = np.stack([number_column(table, affect, path, (-1, 1)) for affect in AFFECT], axis=1)
    return make_annotation(values, dataset="sewa", recording=name, time=time, alignment=ALIGNMENT)
