"""SEWA: pairs of people talking over video after an advert, rated at 10 Hz (AVEC 2017 to 2019).

Layout, anywhere below the root:
    labels*/{Train,Devel,Test}_{DE,HU,CN}_NN.csv        or in a folder of any other name
    videos of the same names, in any folder
A label file is a CSV file with the columns `name;timestamp;arousal;valence;liking`. `liking` is not
read.

Traps:
- Arousal stands before valence: columns are taken by their names.
- Names are in single quotes that belong to no CSV dialect.
- 10 rows a second, whatever the video's frame rate: rows are read at the frames' time stamps.
- The first seconds are exact zeros or a ramp, since raters had not begun. They are kept, as the
  challenge scored them; whoever wants them out can drop them by time.
- The published baseline's predictions have the same columns and names, and are longer than the
  labels: folders whose name begins with `predictions` are passed over.
- Numbers begin again in each split and culture: `Train_DE_01` and `Devel_DE_01` are two people, so
  the whole name stands for the person. Who talks with whom is not told.
- Labels of the test set are not handed out; CN is in the test set only.

Citation: Kossaifi et al., "SEWA DB: A rich database for audio-visual emotion and sentiment
research in the wild", IEEE TPAMI 2021; Ringeval et al., "AVEC 2019 workshop and challenge", 2019.
Licence: for academic, non-commercial research, under an agreement signed with the authors; that
some label files lie in the challenge's public repository changes nothing about it.
"""

import glob
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from affectkit.datasets.delimited import numbers, read_delimited, require
from affectkit.datasets.listing import announced, find_videos, make_index, not_found, visible
from affectkit.datasets.placing import annotate
from affectkit.errors import AffectkitError, unknown
from affectkit.recording import AFFECT

COLUMNS = ("name", "timestamp", "arousal", "valence", "liking")
SPLITS = {"Train": "train", "Devel": "validation", "Test": "test"}
NOT_LABELS = "predictions"
ALIGNMENT = "by time: rows every 0.1 s, read linearly at the frames' time stamps"


def index(root: Path) -> pd.DataFrame:
    """List the labelled recordings under `root`, one row each, by name.

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
        **announced(video),
    }


def _find_labels(root: Path, pattern: str = "*.csv") -> dict[str, Path]:
    """Label files by name; where a name is there twice, the one in a folder `labels...` counts."""
    folders = [root, *(path for path in sorted(root.glob("*/")) if path.is_dir())]
    found = [
        path for folder in folders for path in visible(folder, f"**/{pattern}") if _is_label(path)
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


def annotations(root: Path, name: str) -> xr.Dataset:
    """Read the annotation (sample, affect) of one recording.

    Raises:
        AffectkitError: there is no such recording, or its file is not in the format; names the
            line.
    """
    found = _find_labels(Path(root), glob.escape(f"{name}.csv"))
    if name not in found:
        raise unknown("recording", name, _find_labels(Path(root)))
    path = found[name]
    table = read_delimited(path).rename(columns=str.lower)
    require(table, COLUMNS, path)
    time = numbers(table, "timestamp", path)
    falls = np.diff(time) <= 0
    if falls.any():
        line = table.index[int(falls.argmax()) + 1]
        raise AffectkitError(f"{path}, line {line}: expected times that rise from row to row")
    values = np.stack([numbers(table, affect, path, (-1, 1)) for affect in AFFECT], axis=1)
    return annotate(values, dataset="sewa", recording=name, time=time, alignment=ALIGNMENT)
