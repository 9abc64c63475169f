"""Columns are found by name, and errors name the line."""

import pytest

from affectkit.datasets.delimited import (
    number_column,
    read_delimited,
    read_preamble,
    require_columns,
)
from affectkit.errors import AffectkitError

ROWS = [["0", "0.5"], ["1", "-0.25"]]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_any_delimiter_and_line_end_with_byte_order_mark_and_quotes(delimiter, end, tmp_path):
    lines = [["'frame'", ' "valence" '], *ROWS]
    text = end.join(delimiter.join(cells) for cells in lines)
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    table = read_delimited(tmp_path / "a.csv")
    assert list(table.columns) == ["frame", "valence"]
    assert table.to_numpy().tolist() == ROWS


def test_the_index_is_the_line_number_despite_blank_lines(tmp_path):
    (tmp_path / "a.csv").write_text("\n\na;b\n\n1;2\n;\n  \n3;4\n")
    table = read_delimited(tmp_path / "a.csv")
    assert list(table.index) == [5, 8]
    assert list(table["b"]) == ["2", "4"]


def test_a_changed_file_is_read_again(tmp_path):
    path = tmp_path / "a.csv"
    for number in range(3):
        path.write_text(f"a\n{number}\n")
        assert read_delimited(path)["a"].item() == str(number)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty: expected a table with a header"),
        (b"PK\x03\x04\x00\x9c", "is not a text file: .* an Excel or ZIP file; export"),
        (b"\x00\x00\x00\x20ftyp", "is not a text file"),
        (b"a,b\n1,2,3\n1,2,3\n", "line 2: expected 2 cells as in the header 'a,b', got 3"),
        (b"a,b\n1,2\n1,2,3\n", "line 3: expected 2 cells as in the header 'a,b', got 3"),
        (b'a,b\n1,2\n1,"2\n3,4\n', "line 3: a quotation mark is not closed"),
        (None, "cannot be read: No such file"),
    ],
)
def test_an_invalid_table_gives_one_line(content, message, tmp_path):
    path = tmp_path / "a.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(AffectkitError, match=rf"a\.csv.*{message}") as error:
        read_delimited(path)
    assert "\n" not in str(error.value)


def test_numbers_may_have_decimal_points_or_commas_and_be_blank_if_allowed(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a;b\n0,5;1\n-1e-2;\n.25;NaN\n")
    table = read_delimited(path)
    assert number_column(table, "a", path).tolist() == [0.5, -0.01, 0.25]
    assert number_column(table, "b", path, blank=True).tolist()[:1] == [1]
    with pytest.raises(AffectkitError, match=r"a\.csv, line 3: expected numbers only, got b ''"):
        number_column(table, "b", path)


@pytest.mark.parametrize("cell", ["1.5", "inf", "happy", "1.000,5"])
def test_a_number_outside_the_limits_is_named_with_its_line(cell, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(f"a;b\n\n0;0\n{cell};0\n")
    with pytest.raises(AffectkitError, match=r"line 4: expected a in \[-1, 1\], got a '"):
        number_column(read_delimited(path), "a", path, (-1, 1), blank=True)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
def test_the_encodings_of_spreadsheets_are_read(encoding, tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("name;value\nJürgen;0,5\n".encode(encoding))
    table = read_delimited(path)
    assert table.to_numpy().tolist() == [["Jürgen", "0,5"]]


@pytest.mark.parametrize("first", ["sep=;", "SEP=;", '"sep=;"'])
def test_a_first_line_may_name_the_delimiter(first, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(f"{first}\na,b;c\n1;2\n")
    table = read_delimited(path)
    assert list(table.columns) == ["a,b", "c"]
    assert table.loc[3].tolist() == ["1", "2"]


def test_lines_before_the_header_and_a_row_of_signs_below_it_are_skipped(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("# of 3 May, 2020; by me\nSize, 7\n\na,b\n%%%%,%%%%\n1,2\n")
    table = read_delimited(path, is_ab)
    assert table.loc[6].tolist() == ["1", "2"]
    assert len(table) == 1
    assert read_preamble(path, is_ab)["size"] == "7"


def is_ab(cells):
    return cells == ["a", "b"]


def test_only_a_column_that_is_used_may_not_occur_twice(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x,a,x,\n1,2,3,\n")
    table = read_delimited(path)
    assert number_column(table, "a", path).tolist() == [2]
    with pytest.raises(AffectkitError, match=r"a\.csv has two columns 'x'"):
        number_column(table, "x", path)


def test_a_missing_column_is_named_with_the_existing_ones(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(
        AffectkitError, match=r"no column 'c': expected a, c; got a, b .UTF-8 .*'a,b' / '1,2'"
    ):
        require_columns(read_delimited(path), ["a", "c"], path)
