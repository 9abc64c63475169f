"""What is in a dataset on disk, and what is wrong with it, before anything is made of it."""

import warnings
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pandas as pd

from affectkit import datasets
from affectkit.checking.facts import Case, describe, place
from affectkit.checking.faults import findings, notes
from affectkit.checking.report import Finding, Report, summary, to_json
from affectkit.checking.seeing import Look
from affectkit.checking.together import (
    lonely_annotations,
    lonely_videos,
    near_duplicates,
    shared_subjects,
)
from affectkit.checking.workers import see_all
from affectkit.errors import AffectkitError

Progress = Callable[[str, int, int], None]  # what is done, steps done, steps in all

__all__ = ["Finding", "Report", "check", "summary", "to_json"]


def check(
    dataset: str, root: Path, *, workers: int = 1, progress: Progress | None = None
) -> Report:
    """Decode every video, read every annotation, and say what does not fit together.

    Nothing is written. A recording that cannot be read is a finding; the others go on.

    Args:
        dataset: one of `affectkit.DATASETS`.
        root: the dataset's folder, in its published layout.
        workers: processes; scripts that ask for more than one need `if __name__ == "__main__":`.
        progress: called with "annotations" or "videos", how many are done, and how many there are.

    Returns:
        The report; `report.clean` says whether there are no findings.

    Raises:
        AffectkitError: the dataset is unknown, or `root` is not one, or holds nothing.
    """
    functions, root = datasets.find(dataset), Path(root).absolute()
    report = progress or (lambda *state: None)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        index = functions.index(root)
        if index.empty:
            raise AffectkitError(f"{root} holds no recordings of {dataset!r}; see data/README.md")
        cases = _read(functions, root, index, report)
    cases = [place(case) for case in _look(root, cases, workers, report)]
    orphans, expected = lonely_videos(root, index)
    wrong = [finding for case in cases for finding in findings(case)]
    wrong += [
        *lonely_annotations(cases),
        *orphans,
        *shared_subjects(index),
        *near_duplicates(cases),
    ]
    odd = [note for case in cases for note in notes(case)] + expected
    odd += [Finding("said on reading", "", "", str(warning.message)) for warning in said]
    table = pd.DataFrame(map(describe, cases))
    return Report(dataset, root, table, _from(root, wrong), _from(root, odd))


def _read(
    functions: datasets.Dataset, root: Path, index: pd.DataFrame, progress: Progress
) -> list[Case]:
    cases = []
    for _, row in index.iterrows():
        try:
            known = functions.annotations(root, row["recording"])
            cases.append(Case(row, known))
        except (AffectkitError, OSError) as error:
            cases.append(Case(row, unreadable=str(error)))
        progress("annotations", len(cases), len(index))
    return cases


def _look(root: Path, cases: list[Case], workers: int, progress: Progress) -> list[Case]:
    """The same with what is seen; a video that several recordings share is decoded once."""
    looks = {number: _look_of(root, case) for number, case in enumerate(cases) if case.row["video"]}
    each = list(dict.fromkeys(looks.values()))
    seen = see_all(each, workers, lambda done: progress("videos", done, len(each)))
    return [
        replace(case, seen=seen[looks[number]]) if number in looks else case
        for number, case in enumerate(cases)
    ]


def _look_of(root: Path, case: Case) -> Look:
    known = case.known
    stills = (
        tuple(map(str, known["still"].values)) if known is not None and "still" in known else None
    )
    return Look(root / str(case.row["video"]), stills)


def _from(root: Path, found: Iterable[Finding]) -> list[Finding]:
    """The same with paths that begin at `root`."""
    return [Finding(*(part.replace(f"{root}/", "") for part in finding)) for finding in found]
