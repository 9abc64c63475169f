"""What a check found: a row a recording, findings to act on, notes to know."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from affectkit.recording import AFFECT

SPLITS = ("train", "validation", "test")
ALL = "all"
UNNAMED = "no split"
SUMS = ("announced", "decoded", "annotated", "with_crop", "labels", "invalid")


class Finding(NamedTuple):
    """One thing that is wrong, or good to know: where, and expected, got, what to do."""

    kind: str
    recording: str  # "" where it belongs to none
    file: str
    text: str


@dataclass(frozen=True, eq=False)
class Report:
    """What `check` found in a dataset on disk.

    `recordings` has a row a recording: `recording`, `subject`, `split`, `person`, `video`; `fps`
    and `seconds`; `announced`, `decoded`, `annotated`, `with_crop` count frames (0, 0, those of the
    annotation, NaN where unknown); `labels` counts what the dataset gives (frames, samples, or 1
    for a clip), `invalid` those among them that say nothing; `valence_mean`, `_sd` (divided by n),
    `_low`, `_high` and the same of arousal are of the valid labels, in [-1, 1]; `source_range`;
    `uneven` = variable frame rate; `alignment` = which rule laid labels on frames, and why.
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
    """A row a split, and one for all where there are several: sums and pooled statistics."""
    table, splits = report.recordings, report.recordings["split"]
    rows = {
        split or UNNAMED: _pool(table[splits == split])
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
        "fps_low": rows["fps"].min(),
        "fps_high": rows["fps"].max(),
        "uneven": int(rows["uneven"].sum()),
    }
    pooled |= {name: rows[name].sum(min_count=1) for name in SUMS}
    valid = (rows["labels"] - rows["invalid"]).to_numpy(np.float64)
    for affect in AFFECT:
        mean, sd = (rows[f"{affect}_{name}"].fillna(0).to_numpy() for name in ("mean", "sd"))
        total = valid.sum() or np.nan
        centre = float(valid @ mean / total)
        pooled[f"{affect}_mean"] = centre
        pooled[f"{affect}_sd"] = float(np.sqrt(valid @ (sd**2 + (mean - centre) ** 2) / total))
        pooled[f"{affect}_low"] = rows[f"{affect}_low"].min()
        pooled[f"{affect}_high"] = rows[f"{affect}_high"].max()
    return pooled


def to_json(report: Report) -> str:
    """The report for machines: summary, recordings, findings and notes; NaN is null."""
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
