"""RECOLA: French-speaking people in video calls, rated continuously, with one value every 40 ms.

Layouts, below the root (or one folder further down); the first that exists is read:
    ratings_gold_standard/{arousal,valence}/{train,dev}_N.arff               AVEC 2015 and 2016
    ratings_individual/{arousal,valence}/{train,dev}_N.csv                   its raters, optional
    Ratings_affective_behaviour_CCC_centred/{arousal,valence}/PN.csv         the gold standard
    emotional_behaviour/{arousal,valence}/PN.csv                             its raters, or alone
    recordings_video/, Video_recordings_MP4/, RECOLA-Video-recordings/       PN.mp4, train_N.avi ...
Videos are searched by name in all folders below the root. The first column of a CSV file is the
time. It is followed by the value in a gold standard, and by one column per rater in a raters' file.

Quirks:
- Five minutes at 25 Hz have 7501 rows but 7500 frames, and some readers drop the first row. Rows
  are matched to rows of the other file and to frames by time, never by number.
- The folder of a file, not the file, determines whether it contains valence or arousal.
- ARFF files have CRLF line ends and blank lines in varying places: data begin after `@data`. Names
  may be quoted.
- Raters' files are delimited by semicolons, and their header has spaces: `time;FM1 ;FM2 ;...`.
- Some raters' files continue after the five annotated minutes. The annotation ends with the gold
  standard if there is one.
- If there are only raters' files, the gold standard is computed from them as in AVEC 2016
  (`signals.fuse`, method recola) and clipped to [-1, 1].
- Raters respond with a delay of some seconds. The loader keeps it (see `signals.compensate_delay`).
- Only AVEC defines splits. Each recording shows one person, with the name of the recording.
- AVEC's test annotations are not published; some releases have no videos.

Citation: Ringeval, Sonderegger, Sauer and Lalanne, "Introducing the RECOLA multimodal corpus of
remote collaborative and affective interactions", FG workshops 2013; Valstar et al., "AVEC 2016:
Depression, mood, and emotion recognition workshop and challenge", 2016.
Licence: for academic, non-commercial research, under an agreement signed with the authors.
"""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from affectkit.datasets.annotation import make_annotation
from affectkit.datasets.delimited import number_column, parse_table, read_delimited
from affectkit.datasets.index import (
    find_videos,
    make_index,
    not_found,
    video_columns,
    visible_files,
)
from affectkit.datasets.text import read_text
from affectkit.errors import AffectkitError, unknown
from affectkit.files import StrPath
from affectkit.recording import AFFECT
from affectkit.signals import fuse

GOLD_FOLDERS = ("ratings_gold_standard", "Ratings_affective_behaviour_CCC_centred")
RATING_FOLDERS = ("ratings_individual", "emotional_behaviour", "Ratings_affective_behaviour")
SPLITS = {"train": "train", "dev": "validation", "test": "test"}
ALIGNMENT = "by time: rows every 40 ms, interpolated linearly at the frames' time stamps"
FUSED = "; gold standard computed from the raters, centred by concordance"
RANGE = (-1.0, 1.0)
STEP = 40  # milliseconds
RE_FLAGS = re.MULTILINE | re.IGNORECASE

Files = dict[str, dict[str, Path]]  # by recording, then by affect


def index(root: StrPath) -> pd.DataFrame:
    """List the annotated recordings under `root`, one row each, sorted by name.

    Raises:
        AffectkitError: `root` has no annotations in one of the known layouts.
    """
    root = Path(root)
    gold, rating = _find(root)
    folders = [path for path in sorted(root.iterdir()) if path.is_dir()]
    videos = find_videos([root, *folders])
    return make_index(
        {
            "recording": name,
            "subject": name,
            "split": SPLITS.get(name.split("_")[0], ""),
            "annotation": _paths(gold, name) + _paths(rating, name),
            **video_columns(videos.get(name)),
        }
        for name in sorted(gold or rating)
    )


def _paths(files: Files, name: str) -> tuple[str, ...]:
    found = files.get(name, {})
    return tuple(str(found[affect]) for affect in AFFECT if affect in found)


def _find(root: Path) -> tuple[Files, Files]:
    """The files of the gold standard and of the ratings; one of them may be empty."""
    gold, rating = _find_files(root, GOLD_FOLDERS), _find_files(root, RATING_FOLDERS)
    if not gold and not rating:
        wanted = " or ".join((*GOLD_FOLDERS, "emotional_behaviour"))
        raise not_found("RECOLA", root, f"{wanted}, with arousal/ and valence/")
    return gold, rating


def _find_files(root: Path, names: tuple[str, ...]) -> Files:
    for name in names:
        for folder in (root / name, *sorted(root.glob(f"*/{name}"))):
            files: Files = {}
            for affect in AFFECT:
                for path in visible_files(folder / affect, "*.csv") + visible_files(
                    folder / affect, "*.arff"
                ):
                    files.setdefault(path.stem, {})[affect] = path
            if files:
                return files
    return {}


def annotations(root: StrPath, name: str) -> xr.Dataset:
    """Read the annotation (sample, affect) of one recording, and `rating` if it has raters.

    Raises:
        AffectkitError: there is no such recording, one of its two files is missing, or a file has
            another format; names the line.
    """
    gold, rating = _find(Path(root))
    if name not in (gold or rating):
        raise unknown("recording", name, gold or rating)
    ratings = _ratings(_join_affects(rating[name], name)) if name in rating else None
    if gold:
        table = _join_affects(gold[name], name)
        values = np.stack([table[affect].to_numpy()[:, -1] for affect in AFFECT], axis=1)
        samples, how = table.index, ALIGNMENT
    elif ratings is not None:
        values = fuse(ratings.rename(sample="frame"), "recola").clip(*RANGE).to_numpy()
        samples, how = ratings.get_index("sample"), ALIGNMENT + FUSED
    annotation = make_annotation(
        values, dataset="recola", recording=name, time=samples.to_numpy() / 1000, alignment=how
    )
    if ratings is None:
        return annotation
    nearest = ratings.reindex(sample=samples, method="nearest", tolerance=STEP // 2)
    return annotation.assign(rating=nearest.drop_vars("sample"))


def _join_affects(files: dict[str, Path], name: str) -> pd.DataFrame:
    """The files of both affects by millisecond; columns are (affect, column in the file)."""
    absent = [affect for affect in AFFECT if affect not in files]
    if absent:
        there = next(iter(files.values()))
        raise AffectkitError(
            f"recording {name!r} has no {absent[0]}: expected a file like {there} for it"
        )
    return pd.concat({affect: read_trace(files[affect]) for affect in AFFECT}, axis=1).sort_index()


def _ratings(table: pd.DataFrame) -> xr.DataArray:
    """The ratings (rater, sample, affect) of the raters who are in both files."""
    valence, arousal = (table[affect] for affect in AFFECT)
    raters = [rater for rater in valence if rater in arousal]
    values = np.stack([valence[raters], arousal[raters]], axis=-1).astype(np.float32)
    coords = {"sample": table.index.to_numpy(), "rater": raters, "affect": list(AFFECT)}
    labelled = xr.DataArray(values, coords, ("sample", "rater", "affect"))
    return labelled.transpose("rater", "sample", "affect")


def read_trace(path: Path) -> pd.DataFrame:
    """Read an ARFF or CSV file: its columns of values, sorted by time in milliseconds.

    Raises:
        AffectkitError: it has another format; names the line.
    """
    table = _read_arff(path) if path.suffix.lower() == ".arff" else read_delimited(path)
    columns = list(table.columns)
    key = next((name for name in columns if "time" in name.lower()), columns[0])
    time = (number_column(table, key, path) * 1000).round().astype(np.int64)
    twice = pd.Index(time).duplicated()
    if twice.any():
        raise AffectkitError(
            f"{path}, line {table.index[int(twice.argmax())]}: expected one row per time, "
            f"got {time[twice.argmax()] / 1000:g} s again"
        )
    values = {
        name: number_column(table, name, path, RANGE) for name in columns[columns.index(key) + 1 :]
    }
    if not values:
        raise AffectkitError(
            f"{path}: expected a column of times and columns of values, got {', '.join(columns)}"
        )
    return pd.DataFrame(values, index=time).sort_index()


def _read_arff(path: Path) -> pd.DataFrame:
    head, *rest = re.split(r"^@data.*$", read_text(path), maxsplit=1, flags=RE_FLAGS)
    names = re.findall(r"^@attribute\s+['\"]?(\w+)", head, flags=RE_FLAGS)
    if not rest or len(names) < 2:
        raise AffectkitError(
            f"{path}: expected an ARFF file with at least two @attribute lines and @data"
        )
    return parse_table(rest[0], path, names, first=head.count("\n") + 1)
