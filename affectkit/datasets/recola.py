"""RECOLA: French-speaking people in video calls, rated continuously, a value every 40 ms.

Layouts, below the root (or one folder further down); the first that is found is read:
    ratings_gold_standard/{arousal,valence}/{train,dev}_N.arff               AVEC 2015 and 2016
    ratings_individual/{arousal,valence}/{train,dev}_N.csv                   its raters, optional
    Ratings_affective_behaviour_CCC_centred/{arousal,valence}/PN.csv         the gold standard
    emotional_behaviour/{arousal,valence}/PN.csv                             its raters, or alone
    recordings_video/, Video_recordings_MP4/, RECOLA-Video-recordings/       PN.mp4, train_N.avi ...
Videos are looked for by name in all folders below the root. A CSV file has the time in its first
column; after it a gold standard has the value, a raters' file a column a rater.

Traps:
- Five minutes at 25 Hz have 7501 rows but 7500 frames, and some readers drop the first row: rows
  are joined with rows of the other file, and with frames, by their time, never by their number.
- No file says whether it is valence or arousal: its folder does.
- ARFF files end their lines in CRLF and have blank lines in varying places: data begins after
  `@data`. Names may be quoted.
- Raters' files are delimited by semicolons, and their header has spaces: `time;FM1 ;FM2 ;...`.
- Some raters' files go on after the annotated five minutes. What has a gold standard ends with it.
- Where there are only raters' files, the gold standard is made of them as AVEC 2016 did
  (`signals.fuse`, method recola), limited to [-1, 1].
- Raters follow what they see some seconds late. Nothing is moved here: see `signals.undo_lag`.
- Splits are named by AVEC only. Each recording shows one person, named like the recording.
- AVEC's test annotations and, in some releases, the videos are not handed out.

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

from affectkit.datasets.delimited import numbers, parse, read_delimited, read_text
from affectkit.datasets.listing import announced, find_videos, make_index, not_found, visible
from affectkit.datasets.placing import annotate
from affectkit.errors import AffectkitError, unknown
from affectkit.recording import AFFECT
from affectkit.signals import fuse

GOLD_FOLDERS = ("ratings_gold_standard", "Ratings_affective_behaviour_CCC_centred")
RATING_FOLDERS = ("ratings_individual", "emotional_behaviour", "Ratings_affective_behaviour")
SPLITS = {"train": "train", "dev": "validation", "test": "test"}
ALIGNMENT = "by time: rows every 40 ms, read linearly at the frames' time stamps"
FUSED = "; gold standard made of the raters, centred by concordance"
RANGE = (-1.0, 1.0)
STEP = 40  # milliseconds
RE_FLAGS = re.MULTILINE | re.IGNORECASE

Files = dict[str, dict[str, Path]]  # by recording, then by affect


def index(root: Path) -> pd.DataFrame:
    """List the annotated recordings under `root`, one row each, by name.

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
            **announced(videos.get(name)),
        }
        for name in sorted(gold or rating)
    )


def _paths(files: Files, name: str) -> tuple[str, ...]:
    found = files.get(name, {})
    return tuple(str(found[affect]) for affect in AFFECT if affect in found)


def _find(root: Path) -> tuple[Files, Files]:
    """The gold standard and the ratings, either of which may be absent."""
    gold, rating = _first(root, GOLD_FOLDERS), _first(root, RATING_FOLDERS)
    if not gold and not rating:
        wanted = " or ".join((*GOLD_FOLDERS, "emotional_behaviour"))
        raise not_found("RECOLA", root, f"{wanted}, with arousal/ and valence/")
    return gold, rating


def _first(root: Path, names: tuple[str, ...]) -> Files:
    for name in names:
        for folder in (root / name, *sorted(root.glob(f"*/{name}"))):
            files: Files = {}
            for affect in AFFECT:
                for path in visible(folder / affect, "*.csv") + visible(folder / affect, "*.arff"):
                    files.setdefault(path.stem, {})[affect] = path
            if files:
                return files
    return {}


def annotations(root: Path, name: str) -> xr.Dataset:
    """Read the annotation (sample, affect) of one recording, and `rating` where it has any.

    Raises:
        AffectkitError: there is no such recording, one of its two files is missing, or a file is
            not in the format; names the line.
    """
    gold, rating = _find(Path(root))
    if name not in (gold or rating):
        raise unknown("recording", name, gold or rating)
    ratings = _ratings(_joined(rating[name], name)) if name in rating else None
    if gold:
        table = _joined(gold[name], name)
        values = np.stack([table[affect].to_numpy()[:, -1] for affect in AFFECT], axis=1)
        moments, how = table.index, ALIGNMENT
    elif ratings is not None:
        values = fuse(ratings.rename(sample="frame"), "recola").clip(*RANGE).to_numpy()
        moments, how = ratings.get_index("sample"), ALIGNMENT + FUSED
    known = annotate(
        values, dataset="recola", recording=name, time=moments.to_numpy() / 1000, alignment=how
    )
    if ratings is None:
        return known
    nearest = ratings.reindex(sample=moments, method="nearest", tolerance=STEP // 2)
    return known.assign(rating=nearest.drop_vars("sample"))


def _joined(files: dict[str, Path], name: str) -> pd.DataFrame:
    """The files of both affects by millisecond; their columns are (affect, column in the file)."""
    absent = [affect for affect in AFFECT if affect not in files]
    if absent:
        there = next(iter(files.values()))
        raise AffectkitError(
            f"{name} has no {absent[0]}: expected a file of it as there is {there}"
        )
    return pd.concat({affect: read_trace(files[affect]) for affect in AFFECT}, axis=1).sort_index()


def _ratings(table: pd.DataFrame) -> xr.DataArray:
    """Each rater's trace (rater, sample, affect), of the raters who are in both files."""
    valence, arousal = (table[affect] for affect in AFFECT)
    raters = [rater for rater in valence if rater in arousal]
    values = np.stack([valence[raters], arousal[raters]], axis=-1).astype(np.float32)
    coords = {"sample": table.index.to_numpy(), "rater": raters, "affect": list(AFFECT)}
    labelled = xr.DataArray(values, coords, ("sample", "rater", "affect"))
    return labelled.transpose("rater", "sample", "affect")


def read_trace(path: Path) -> pd.DataFrame:
    """Read an ARFF or CSV file: its columns of values by whole milliseconds, in order.

    Raises:
        AffectkitError: it is not in the format; names the line.
    """
    table = _read_arff(path) if path.suffix.lower() == ".arff" else read_delimited(path)
    columns = list(table.columns)
    key = next((name for name in columns if "time" in name.lower()), columns[0])
    time = (numbers(table, key, path) * 1000).round().astype(np.int64)
    twice = pd.Index(time).duplicated()
    if twice.any():
        raise AffectkitError(
            f"{path}, line {table.index[int(twice.argmax())]}: expected a row for each time, "
            f"got {time[twice.argmax()] / 1000:g} s again"
        )
    values = {name: numbers(table, name, path, RANGE) for name in columns[columns.index(key) + 1 :]}
    if not values:
        raise AffectkitError(f"{path}: expected a time and values, got {', '.join(columns)}")
    return pd.DataFrame(values, index=time).sort_index()


def _read_arff(path: Path) -> pd.DataFrame:
    head, *rest = re.split(r"^@data.*$", read_text(path), maxsplit=1, flags=RE_FLAGS)
    names = re.findall(r"^@attribute\s+['\"]?(\w+)", head, flags=RE_FLAGS)
    if not rest or len(names) < 2:
        raise AffectkitError(f"{path}: expected ARFF with @attribute lines and @data")
    return parse(rest[0], path, names, first=head.count("\n") + 1)
