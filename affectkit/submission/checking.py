"""What is wrong with a submission, before the organisers say so."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from affectkit.errors import AffectkitError
from affectkit.submission.form import HIGHEST, Form, Sheet, joined, read_lines
from affectkit.submission.kinds import find

ARFF = "@"


def validate(kind: str, path: Path, sample: Path) -> list[str]:
    """Check a submission against the sample.

    Args:
        kind: one of `SUBMISSIONS`.
        path: the file or folder to hand in.
        sample: as `write` takes it.

    Returns:
        What is wrong, a line a kind of fault in a file: the header, the order of columns, rows
        that are missing, twice, unknown or out of order, values that are no numbers or out of
        range. Empty if all is well.

    Raises:
        AffectkitError: the kind is unknown, the sample is not in its format, or `path` is nothing.
    """
    form, path = find(kind), Path(path)
    sheets = form.sheets(Path(sample))
    if not path.exists():
        raise AffectkitError(f"no submission at {path}")
    single = not sheets[0].name
    if single == path.is_dir():
        expected = "one file" if single else "a folder of files"
        raise AffectkitError(f"{path} should be {expected}, as a submission of kind {kind!r} is")
    if single:
        return list(_check_sheet(form, sheets[0], path))
    return [*_check_files(sheets, path), *_check_folder(form, sheets, path)]


def _check_files(sheets: list[Sheet], folder: Path) -> Iterator[str]:
    wanted = {sheet.name for sheet in sheets}
    files = (path for path in folder.rglob("*") if path.is_file())
    found = {path.relative_to(folder).as_posix() for path in files}
    yield from _say("missing files", sorted(wanted - found))
    yield from _say("files not in the sample", sorted(found - wanted))


def _check_folder(form: Form, sheets: list[Sheet], folder: Path) -> Iterator[str]:
    for sheet in sheets:
        if (folder / sheet.name).is_file():
            yield from _check_sheet(form, sheet, folder / sheet.name)


def _check_sheet(form: Form, sheet: Sheet, path: Path) -> Iterator[str]:
    where = sheet.name or path.name
    columns, rows = _split(form, read_lines(path))
    faults = [*_check_header(form, columns)]
    names = columns if sorted(columns) == sorted(form.columns) else list(form.columns)
    whole = {line: fields for line, fields in rows.items() if len(fields) == len(names)}
    short = [
        f"line {line}: {form.separator.join(rows[line])!r}" for line in rows if line not in whole
    ]
    faults += _say(f"rows without {len(names)} fields", short)
    table = pd.DataFrame.from_dict(whole, orient="index", columns=names, dtype=str)
    faults += _check_rows(form, sheet, table)
    for column in form.values:
        faults += _check_values(table[column], column, form.low(column))
    yield from (f"{where}: {fault}" for fault in faults)


def _split(form: Form, lines: list[str]) -> tuple[list[str], dict[int, list[str]]]:
    """The names of the columns, and the fields of each row by the number of its line."""
    fields = {
        number: [field.strip() for field in line.split(form.separator)]
        for number, line in enumerate(lines, start=1)
    }
    if form.header.startswith(ARFF):
        words = [line.split() for line in lines if line.lower().startswith("@attribute")]
        start = next((n for n, line in fields.items() if line[0].lower() == "@data"), 0)
        rows = {n: row for n, row in fields.items() if n > start and row != [""]}
        return [word[1] for word in words if len(word) > 1], rows
    if not fields or _is_number(fields[1][-1]):
        return [], fields
    return fields.pop(1), fields


def _is_number(text: str) -> bool:
    return bool(pd.notna(pd.to_numeric(text, errors="coerce")))


def _check_header(form: Form, columns: list[str]) -> Iterator[str]:
    if columns == list(form.columns):
        return
    expected, found = (form.separator.join(names) for names in (form.columns, columns))
    if sorted(columns) == sorted(form.columns):
        yield f"columns in the order {found}, expected {expected}"
    else:
        yield f"the header is {found or 'missing'}, expected {expected}"


def _check_rows(form: Form, sheet: Sheet, table: pd.DataFrame) -> Iterator[str]:
    if not form.keys:
        if len(table) != len(sheet.rows):
            yield f"{len(table)} rows, expected {len(sheet.rows)}, one a frame"
        return
    keys = list(form.keys)
    wanted, found = (
        pd.Index(joined(part[keys], form.separator), dtype=str) for part in (sheet.rows, table)
    )
    yield from _say("missing rows", [*wanted.difference(found, sort=False)])
    yield from _say("rows there twice", [*found[found.duplicated()].unique()])
    yield from _say("rows not in the sample", [*found.unique().difference(wanted, sort=False)])
    common = found.unique().intersection(wanted, sort=False)
    ordered = wanted.intersection(common, sort=False)
    yield from _say("rows out of order", [*common[common != ordered]])


def _check_values(texts: pd.Series, column: str, low: float) -> Iterator[str]:
    numbers = pd.to_numeric(texts, errors="coerce").to_numpy(np.float64)
    none = np.isnan(numbers)
    outside = ~none & ~((numbers >= low) & (numbers <= HIGHEST))
    yield from _say(f"no number in {column}", _cases(texts[none]))
    yield from _say(f"{column} outside [{low:g}, {HIGHEST:g}]", _cases(texts[outside]))


def _cases(texts: pd.Series) -> list[str]:
    return [f"line {line}: {text!r}" for line, text in texts.items()]


def _say(fault: str, cases: list[str]) -> Iterator[str]:
    if cases:
        yield f"{fault}: {len(cases)}, first {cases[0]}"
