"""Check a submission against the organisers' sample."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from affectkit.errors import AffectkitError
from affectkit.files import StrPath, read_lines
from affectkit.submission.challenges import find_format
from affectkit.submission.format import HIGHEST, SubmissionFile, SubmissionFormat, join_columns

ARFF = "@"


def check_submission(challenge: str, path: StrPath, sample: StrPath) -> list[str]:
    """Check a submission against the sample.

    Args:
        challenge: one of `CHALLENGES`.
        path: the file or folder of the submission.
        sample: the organisers' sample, see `write_submission`.

    Returns:
        One line for each kind of error in a file: header, order of columns; rows that are missing,
        duplicate, unknown or out of order; values that are not numbers or out of range. Empty if
        the submission is valid.

    Raises:
        AffectkitError: the challenge is unknown, the sample has another format, or `path` does not
            exist.
    """
    submission_format, path = find_format(challenge), Path(path)
    files = submission_format.read_sample(Path(sample))
    if not path.exists():
        raise AffectkitError(f"no submission at {path}: expected the file or folder to check")
    single = not files[0].name
    if single == path.is_dir():
        expected = "one file" if single else "a folder of files"
        raise AffectkitError(f"a submission to {challenge!r} is {expected}, but {path} is not")
    if single:
        return list(_check_file(submission_format, files[0], path))
    return [*_check_names(files, path), *_check_folder(submission_format, files, path)]


def _check_names(files: list[SubmissionFile], folder: Path) -> Iterator[str]:
    expected = {file.name for file in files}
    paths = (path for path in folder.rglob("*") if path.is_file())
    found = {path.relative_to(folder).as_posix() for path in paths}
    yield from _summary("missing files", sorted(expected - found))
    yield from _summary("files not in the sample", sorted(found - expected))


def _check_folder(
    submission_format: SubmissionFormat, files: list[SubmissionFile], folder: Path
) -> Iterator[str]:
    for file in files:
        if (folder / file.name).is_file():
            yield from _check_file(submission_format, file, folder / file.name)


def _check_file(
    submission_format: SubmissionFormat, file: SubmissionFile, path: Path
) -> Iterator[str]:
    separator, expected = submission_format.separator, list(submission_format.columns)
    columns, rows = _split(submission_format, read_lines(path))
    errors = [*_check_header(submission_format, columns)]
    names = columns if sorted(columns) == sorted(expected) else expected
    complete = {line: fields for line, fields in rows.items() if len(fields) == len(names)}
    invalid = [
        f"line {line}: {separator.join(fields)!r}"
        for line, fields in rows.items()
        if line not in complete
    ]
    errors += _summary(f"rows without {len(names)} fields", invalid)
    table = pd.DataFrame.from_dict(complete, orient="index", columns=names, dtype=str)
    errors += _check_rows(submission_format, file, table)
    for column in submission_format.values:
        errors += _check_values(table[column], column, submission_format.minimum(column))
    yield from (f"{file.name or path.name}: {error}" for error in errors)


def _split(
    submission_format: SubmissionFormat, lines: list[str]
) -> tuple[list[str], dict[int, list[str]]]:
    """The names of the columns, and the fields of each row by its line number."""
    fields = {
        number: [field.strip() for field in line.split(submission_format.separator)]
        for number, line in enumerate(lines, start=1)
    }
    if submission_format.header.startswith(ARFF):
        attributes = [line.split() for line in lines if line.lower().startswith("@attribute")]
        start = next((n for n, line in fields.items() if line[0].lower() == "@data"), 0)
        rows = {n: row for n, row in fields.items() if n > start and row != [""]}
        return [words[1] for words in attributes if len(words) > 1], rows
    if not fields or _is_number(fields[1][-1]):
        return [], fields
    return fields.pop(1), fields


def _is_number(text: str) -> bool:
    return bool(pd.notna(pd.to_numeric(text, errors="coerce")))


def _check_header(submission_format: SubmissionFormat, columns: list[str]) -> Iterator[str]:
    if columns == list(submission_format.columns):
        return
    separator = submission_format.separator
    expected, found = (separator.join(names) for names in (submission_format.columns, columns))
    if sorted(columns) == sorted(submission_format.columns):
        yield f"columns in the order {found}, expected {expected}"
    else:
        yield f"the header is {found or 'missing'}, expected {expected}"


def _check_rows(
    submission_format: SubmissionFormat, file: SubmissionFile, table: pd.DataFrame
) -> Iterator[str]:
    if not submission_format.keys:
        if len(table) != len(file.rows):
            yield f"{len(table)} rows, expected {len(file.rows)}, one for each frame"
        return
    keys, separator = list(submission_format.keys), submission_format.separator
    expected, found = (
        pd.Index(join_columns(part[keys], separator), dtype=str) for part in (file.rows, table)
    )
    yield from _summary("missing rows", [*expected.difference(found, sort=False)])
    yield from _summary("duplicate rows", [*found[found.duplicated()].unique()])
    unexpected = found.unique().difference(expected, sort=False)
    yield from _summary("rows not in the sample", [*unexpected])
    common = found.unique().intersection(expected, sort=False)
    ordered = expected.intersection(common, sort=False)
    yield from _summary("rows out of order", [*common[common != ordered]])


def _check_values(texts: pd.Series, column: str, minimum: float) -> Iterator[str]:
    numbers = pd.to_numeric(texts, errors="coerce").to_numpy(np.float64)
    missing = np.isnan(numbers)
    outside = ~missing & ~((numbers >= minimum) & (numbers <= HIGHEST))
    yield from _summary(f"{column} is not a number", _line_numbers(texts[missing]))
    yield from _summary(
        f"{column} outside [{minimum:g}, {HIGHEST:g}]", _line_numbers(texts[outside])
    )


def _line_numbers(texts: pd.Series) -> list[str]:
    return [f"line {line}: {text!r}" for line, text in texts.items()]


def _summary(error: str, cases: list[str]) -> Iterator[str]:
    if cases:
        yield f"{error}: {len(cases)}, first {cases[0]}"
