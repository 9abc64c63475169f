"""Columns are found by name, and errors name the line."""

import pytest

from affectkit.datasets.delimited import number_column, read_delimited, require_columns
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
        (b"", "cannot be read as a CSV table"),
        (b"\xff\xfe\x00\x9c", "expected text in UTF-8"),
        (b"a,b\n1,2,3\n1,2,3\n", "expected rows as long as the header 'a,b'"),
        (b"a,b\n1,2\n1,2,3\n", "Expected 2 fields in line 3, saw 3"),
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


def test_a_missing_column_is_named_with_the_existing_ones(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(AffectkitError, match="no column 'c': expected a, c; got a, b"):
        require_columns(read_delimited(path), ["a", "c"], path)
