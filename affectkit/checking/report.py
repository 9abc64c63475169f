"""The report of a check: one row per recording, findings and notes, and their summary."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from affectkit.recording import AFFECT

SPLITS = ("train", "validation", "test")
ALL = "all"
NO_SPLIT = "no split"
COUNTS = (
    "header_frames",
    "decoded_frames",
    "annotated_frames",
    "frames_with_face",
    "labels",
    "invalid",
)


class Finding(NamedTuple):
    """One problem or note: its kind, where it is, what was expected, and what to do."""

    kind: str
    recording: str  # "" if it is about no single recording
    file: str
    text: str


@dataclass(frozen=True, eq=False)
class Report:
    """What `check` found in a dataset on disk.

    `recordings` has one row per recording, with these columns:
        recording, subject, split, person, video: as in the index of the dataset.
        fps, seconds: nominal frame rate, and duration (NaN for pictures without frame rate).
        header_frames, decoded_frames: by the file header, and decoded; 0 = unknown.
        variable_frame_rate: whether the intervals between frames differ.
        annotated_frames: frames with valid labels.
        frames_with_face: frames with a picture, box or landmarks of the dataset; NaN = unknown.
        labels, invalid: the number of labels (frames, samples, or 1 for a clip), and how many of
            them are NaN.
        valence_mean, valence_std (ddof 0), valence_min, valence_max, and the same for arousal: of
            the valid labels, in [-1, 1].
        source_range: the range of each affect in the file.
        alignment: the rule that aligns labels to frames, and the reason for it.
    """

    dataset: str
    root: Path
    recordings: pd.DataFrame
    findings: list[Finding]
    notes: list[Finding]

    @property
    def clean(self) -> bool:
        """Whether there are no findings."""
        return not self.findings


def summary(report: Report) -> pd.DataFrame:
    """One row per split, and one for all if there are several: sums and pooled statistics."""
    table, splits = report.recordings, report.recordings["split"]
    rows = {
        split or NO_SPLIT: _pool(table[splits == split])
        for split in (*SPLITS, "")
        if (splits == split).any()
    }
    if len(rows) > 1:
        rows[ALL] = _pool(table)
    return pd.DataFrame(rows.values(), index=pd.Index(rows, name="split"))


def _pool(rows: pd.DataFrame) -> dict[str, float]:
    pooled: dict[str, float] = {
        "recordings": len(rows),
        "subjects": rows.loc[rows["subject"] != "", "subject"].nunique(),
        "minutes": rows.drop_duplicates("video")["seconds"].sum(min_count=1) / 60,
        "fps_min": rows["fps"].min(),
        "fps_max": rows["fps"].max(),
        "variable_frame_rate": int(rows["variable_frame_rate"].sum()),
    }
    pooled |= {name: rows[name].sum(min_count=1) for name in COUNTS}
    valid = (rows["labels"] - rows["invalid"]).to_numpy(np.float64)
    for affect in AFFECT:
        mean, std = (rows[f"{affect}_{name}"].fillna(0).to_numpy() for name in ("mean", "std"))
        total = valid.sum() or np.nan
        pooled_mean = float(valid @ mean / total)
        variance = valid @ (std**2 + (mean - pooled_mean) ** 2) / total
        pooled[f"{affect}_mean"] = pooled_mean
        pooled[f"{affect}_std"] = float(np.sqrt(variance))
        pooled[f"{affect}_min"] = rows[f"{affect}_min"].min()
        pooled[f"{affect}_max"] = rows[f"{affect}_max"].max()
    return pooled


def to_json(report: Report) -> str:
    """The report as JSON: summary, recordings, findings and notes; NaN becomes null."""
    content: dict[str, Any] = {
        "dataset": report.dataset,
        "root": str(report.root),
        "clean": report.clean,
        "summary": _rows(summary(report).reset_index()),
        "recordings": _rows(report.recordings),
        "findings": [finding._asdict() for finding in report.findings],
        "notes": [note._asdict() for note in report.notes],
    }
    return json.dumps(content, indent=2, ensure_ascii=False)


def _rows(table: pd.DataFrame) -> Any:  # noqa: ANN401
    return json.loads(table.to_json(orient="records", double_precision=6))
