import re

import pytest

from affectkit.errors import AffectkitError
from affectkit.submission import SUBMISSIONS, validate, write

# the file that is spoiled in each kind, and how long its header is
SPOILED = {
    "abaw": ("", 1),
    "abaw2020": ("102.txt", 1),
    "omg": ("", 1),
    "sewa": ("Devel_HU_02.csv", 1),
    "recola": ("valence/dev_1.arff", 9),
}


@pytest.fixture
def spoil(make_case, tmp_path):
    """Write a sound submission, change the lines of one file, and say what is found."""

    def findings(kind, change):
        case, out = make_case(kind), tmp_path / "out"
        write(kind, case.predictions, case.sample, out)
        name, header = SPOILED[kind]
        path = out / name if name else out
        lines = path.read_text().splitlines()
        path.write_text("\n".join(change(lines[:header], lines[header:])) + "\n")
        return validate(kind, out, case.sample)

    return findings


def last_value(line, text):
    """The line with another last value."""
    return re.sub(r"[^,;]+$", text, line)


def where(kind):
    return f"{SPOILED[kind][0] or 'out'}: "


@pytest.mark.parametrize("kind", SUBMISSIONS)
def test_a_missing_row_is_named(spoil, kind):
    found = spoil(kind, lambda header, rows: [*header, *rows[:1], *rows[2:]])
    expected = {
        "abaw": "missing rows: 1, first 102/00002.jpg",
        "abaw2020": "39 rows, expected 40, one a frame",
        "omg": "missing rows: 1, first abc_1,utterance_12.mp4",
        "sewa": "missing rows: 1, first 'Devel_HU_02';0.100000",
        "recola": "missing rows: 1, first dev_1,0.04",
    }
    assert found == [where(kind) + expected[kind]]


@pytest.mark.parametrize("kind", ["abaw", "omg", "sewa", "recola"])
def test_a_row_that_is_there_twice_is_named(spoil, kind):
    found = spoil(kind, lambda header, rows: [*header, *rows, rows[0]])
    assert len(found) == 1
    assert found[0].startswith(where(kind) + "rows there twice: 1, first ")


def test_a_row_too_many_is_named_where_rows_have_no_key(spoil):
    found = spoil("abaw2020", lambda header, rows: [*header, *rows, rows[0]])
    assert found == ["102.txt: 41 rows, expected 40, one a frame"]


@pytest.mark.parametrize("kind", ["abaw", "omg", "sewa", "recola"])
def test_rows_out_of_order_are_named(spoil, kind):
    found = spoil(kind, lambda header, rows: [*header, rows[1], rows[0], *rows[2:]])
    assert len(found) == 1
    assert found[0].startswith(where(kind) + "rows out of order: 2, first ")


@pytest.mark.parametrize("kind", ["abaw", "omg", "sewa", "recola"])
def test_a_row_that_nobody_asked_for_is_named(spoil, kind):
    found = spoil(kind, lambda header, rows: [*header, *rows, re.sub(r"\d", "8", rows[0], count=1)])
    assert len(found) == 1
    assert found[0].startswith(where(kind) + "rows not in the sample: 1, first ")


@pytest.mark.parametrize("kind", SUBMISSIONS)
@pytest.mark.parametrize("text", ["nan", "", "zero"])
def test_what_is_no_number_is_named(spoil, kind, text):
    found = spoil(kind, lambda header, rows: [*header, last_value(rows[0], text), *rows[1:]])
    column, line = SUBMISSIONS[kind].columns[-1], SPOILED[kind][1] + 1
    assert found == [f"{where(kind)}no number in {column}: 1, first line {line}: {text!r}"]


@pytest.mark.parametrize("kind", SUBMISSIONS)
@pytest.mark.parametrize("text", ["1.001", "-5", "inf"])
def test_what_is_out_of_range_is_named(spoil, kind, text):
    found = spoil(kind, lambda header, rows: [*header, last_value(rows[0], text), *rows[1:]])
    column, line = SUBMISSIONS[kind].columns[-1], SPOILED[kind][1] + 1
    assert found == [f"{where(kind)}{column} outside [-1, 1]: 1, first line {line}: {text!r}"]


def test_arousal_below_0_is_out_of_range_in_omg(spoil):
    found = spoil("omg", lambda header, rows: [*header, rows[0], *rows[1:-1],
                                               "xyz,utterance_1.mp4,-0.2,-0.2"])  # fmt: skip
    assert found == ["out: arousal outside [0, 1]: 1, first line 4: '-0.2'"]


@pytest.mark.parametrize("kind", SUBMISSIONS)
def test_another_header_is_named(spoil, kind):
    column = SUBMISSIONS[kind].columns[-1]

    def rename(header, rows):
        return [*(line.replace(column, "VALUE") for line in header), *rows]

    found = spoil(kind, rename)
    assert len(found) == 1
    assert re.match(f"{where(kind)}the header is .*VALUE, expected .*{column}$", found[0])


@pytest.mark.parametrize("kind", ["abaw", "abaw2020", "omg", "sewa"])
def test_no_header_is_named(spoil, kind):
    found = spoil(kind, lambda header, rows: rows)
    separator = SUBMISSIONS[kind].separator
    expected = separator.join(SUBMISSIONS[kind].columns)
    assert found == [f"{where(kind)}the header is missing, expected {expected}"]


@pytest.mark.parametrize("kind", ["abaw", "abaw2020", "omg", "sewa"])
def test_columns_in_another_order_are_named(spoil, kind):
    separator = SUBMISSIONS[kind].separator

    def swap(line):
        fields = line.split(separator)
        first = SUBMISSIONS[kind].columns.index("arousal")
        second = SUBMISSIONS[kind].columns.index("valence")
        fields[first], fields[second] = fields[second], fields[first]
        return separator.join(fields)

    found = spoil(kind, lambda header, rows: [swap(line) for line in [*header, *rows]])
    assert len(found) == 1
    assert found[0].startswith(where(kind) + "columns in the order ")


@pytest.mark.parametrize("kind", SUBMISSIONS)
def test_a_row_with_a_field_too_many_is_named(spoil, kind):
    separator = SUBMISSIONS[kind].separator
    found = spoil(kind, lambda header, rows: [*header, rows[0] + separator + "0", *rows[1:]])
    width, line = len(SUBMISSIONS[kind].columns), SPOILED[kind][1] + 1
    assert found[0].startswith(f"{where(kind)}rows without {width} fields: 1, first line {line}: ")
    assert len(found) == 2  # it is missing now


@pytest.mark.parametrize("kind", SUBMISSIONS)
def test_an_empty_file_misses_all_it_should_have(spoil, kind):
    found = spoil(kind, lambda header, rows: [])
    assert len(found) == 2
    assert "header is missing" in found[0]


def test_line_ends_of_windows_and_a_byte_order_mark_do_not_matter(make_case, tmp_path):
    case = make_case("omg")
    out = tmp_path / "out.csv"
    write("omg", case.predictions, case.sample, out)
    text = out.read_text().replace("\n", "\r\n")
    out.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert validate("omg", out, case.sample) == []


@pytest.mark.parametrize("kind", ["abaw2020", "sewa", "recola"])
def test_missing_and_foreign_files_are_named(make_case, tmp_path, kind):
    case, out = make_case(kind), tmp_path / "out"
    write(kind, case.predictions, case.sample, out)
    name = SPOILED[kind][0]
    (out / name).rename(out / "other.txt")
    assert validate(kind, out, case.sample) == [
        f"missing files: 1, first {name}",
        "files not in the sample: 1, first other.txt",
    ]


def test_what_is_no_submission_at_all_is_refused(make_case, tmp_path):
    with pytest.raises(AffectkitError, match="no submission at"):
        validate("omg", tmp_path / "gone", make_case("omg").sample)
    with pytest.raises(AffectkitError, match="should be one file"):
        validate("omg", tmp_path, tmp_path / "omg_TestVideos_WithoutLabels.csv")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AffectkitError, match="cannot be read as text"):
        validate("omg", tmp_path / "binary", tmp_path / "omg_TestVideos_WithoutLabels.csv")
    sample = make_case("sewa").sample
    with pytest.raises(AffectkitError, match="should be a folder of files"):
        validate("sewa", tmp_path / "binary", sample)
