import re

import pytest

from affectkit.errors import AffectkitError
from affectkit.submission import CHALLENGES, check_submission, write_submission

# the file that is changed, and the number of lines of its header
CHANGED_FILE = {
    "abaw": ("", 1),
    "abaw2020": ("102.txt", 1),
    "omg": ("", 1),
    "sewa": ("Devel_HU_02.csv", 1),
    "recola": ("valence/dev_1.arff", 9),
}


@pytest.fixture
def change_and_check(make_case, tmp_path):
    """Returns a function: write a valid submission, change one file, and check it."""

    def check(challenge, change):
        case, out = make_case(challenge), tmp_path / "out"
        write_submission(challenge, case.predictions, case.sample, out)
        name, header = CHANGED_FILE[challenge]
        path = out / name if name else out
        lines = path.read_text().splitlines()
        path.write_text("\n".join(change(lines[:header], lines[header:])) + "\n")
        return check_submission(challenge, out, case.sample)

    return check


def last_value(line, text):
    """The line with its last value replaced."""
    return re.sub(r"[^,;]+$", text, line)


def prefix(challenge):
    return f"{CHANGED_FILE[challenge][0] or 'out'}: "


@pytest.mark.parametrize("challenge", CHALLENGES)
def test_a_missing_row_is_reported(change_and_check, challenge):
    found = change_and_check(challenge, lambda header, rows: [*header, *rows[:1], *rows[2:]])
    expected = {
        "abaw": "missing rows: 1, first 102/00002.jpg",
        "abaw2020": "39 rows, expected 40, one for each frame",
        "omg": "missing rows: 1, first abc_1,utterance_12.mp4",
        "sewa": "missing rows: 1, first 'Devel_HU_02';0.100000",
        "recola": "missing rows: 1, first dev_1,0.04",
    }
    assert found == [prefix(challenge) + expected[challenge]]


@pytest.mark.parametrize("challenge", ["abaw", "omg", "sewa", "recola"])
def test_a_duplicate_row_is_reported(change_and_check, challenge):
    found = change_and_check(challenge, lambda header, rows: [*header, *rows, rows[0]])
    assert len(found) == 1
    assert found[0].startswith(prefix(challenge) + "duplicate rows: 1, first ")


def test_an_additional_row_is_reported_if_rows_have_no_key(change_and_check):
    found = change_and_check("abaw2020", lambda header, rows: [*header, *rows, rows[0]])
    assert found == ["102.txt: 41 rows, expected 40, one for each frame"]


@pytest.mark.parametrize("challenge", ["abaw", "omg", "sewa", "recola"])
def test_rows_out_of_order_are_reported(change_and_check, challenge):
    found = change_and_check(challenge, lambda header, rows: [*header, rows[1], rows[0], *rows[2:]])
    assert len(found) == 1
    assert found[0].startswith(prefix(challenge) + "rows out of order: 2, first ")


@pytest.mark.parametrize("challenge", ["abaw", "omg", "sewa", "recola"])
def test_a_row_that_is_not_in_the_sample_is_reported(change_and_check, challenge):
    found = change_and_check(
        challenge, lambda header, rows: [*header, *rows, re.sub(r"\d", "8", rows[0], count=1)]
    )
    assert len(found) == 1
    assert found[0].startswith(prefix(challenge) + "rows not in the sample: 1, first ")


@pytest.mark.parametrize("challenge", CHALLENGES)
@pytest.mark.parametrize("text", ["nan", "", "zero"])
def test_a_value_that_is_not_a_number_is_reported(change_and_check, challenge, text):
    found = change_and_check(
        challenge, lambda header, rows: [*header, last_value(rows[0], text), *rows[1:]]
    )
    column, line = CHALLENGES[challenge].columns[-1], CHANGED_FILE[challenge][1] + 1
    assert found == [f"{prefix(challenge)}{column} is not a number: 1, first line {line}: {text!r}"]


@pytest.mark.parametrize("challenge", CHALLENGES)
@pytest.mark.parametrize("text", ["1.001", "-5", "inf"])
def test_a_value_out_of_range_is_reported(change_and_check, challenge, text):
    found = change_and_check(
        challenge, lambda header, rows: [*header, last_value(rows[0], text), *rows[1:]]
    )
    column, line = CHALLENGES[challenge].columns[-1], CHANGED_FILE[challenge][1] + 1
    assert found == [f"{prefix(challenge)}{column} outside [-1, 1]: 1, first line {line}: {text!r}"]


def test_arousal_below_0_is_out_of_range_in_omg(change_and_check):
    found = change_and_check("omg", lambda header, rows: [*header, rows[0], *rows[1:-1],
                                               "xyz,utterance_1.mp4,-0.2,-0.2"])  # fmt: skip
    assert found == ["out: arousal outside [0, 1]: 1, first line 4: '-0.2'"]


@pytest.mark.parametrize("challenge", CHALLENGES)
def test_a_wrong_column_name_is_reported(change_and_check, challenge):
    column = CHALLENGES[challenge].columns[-1]

    def rename(header, rows):
        return [*(line.replace(column, "VALUE") for line in header), *rows]

    found = change_and_check(challenge, rename)
    assert len(found) == 1
    assert re.match(f"{prefix(challenge)}the header is .*VALUE, expected .*{column}$", found[0])


@pytest.mark.parametrize("challenge", ["abaw", "abaw2020", "omg", "sewa"])
def test_a_missing_header_is_reported(change_and_check, challenge):
    found = change_and_check(challenge, lambda header, rows: rows)
    separator = CHALLENGES[challenge].separator
    expected = separator.join(CHALLENGES[challenge].columns)
    assert found == [f"{prefix(challenge)}the header is missing, expected {expected}"]


@pytest.mark.parametrize("challenge", ["abaw", "abaw2020", "omg", "sewa"])
def test_columns_in_another_order_are_reported(change_and_check, challenge):
    separator = CHALLENGES[challenge].separator

    def swap(line):
        fields = line.split(separator)
        first = CHALLENGES[challenge].columns.index("arousal")
        second = CHALLENGES[challenge].columns.index("valence")
        fields[first], fields[second] = fields[second], fields[first]
        return separator.join(fields)

    found = change_and_check(
        challenge, lambda header, rows: [swap(line) for line in [*header, *rows]]
    )
    assert len(found) == 1
    assert found[0].startswith(prefix(challenge) + "columns in the order ")


@pytest.mark.parametrize("challenge", CHALLENGES)
def test_a_row_with_an_additional_field_is_reported(change_and_check, challenge):
    separator = CHALLENGES[challenge].separator
    found = change_and_check(
        challenge, lambda header, rows: [*header, rows[0] + separator + "0", *rows[1:]]
    )
    width, line = len(CHALLENGES[challenge].columns), CHANGED_FILE[challenge][1] + 1
    assert found[0].startswith(
        f"{prefix(challenge)}rows without {width} fields: 1, first line {line}: "
    )
    assert len(found) == 2  # the row also counts as missing


@pytest.mark.parametrize("challenge", CHALLENGES)
def test_an_empty_file_has_no_header_and_no_rows(change_and_check, challenge):
    found = change_and_check(challenge, lambda header, rows: [])
    assert len(found) == 2
    assert "header is missing" in found[0]


def test_windows_line_ends_and_a_byte_order_mark_are_accepted(make_case, tmp_path):
    case = make_case("omg")
    out = tmp_path / "out.csv"
    write_submission("omg", case.predictions, case.sample, out)
    text = out.read_text().replace("\n", "\r\n")
    out.write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert check_submission("omg", out, case.sample) == []


@pytest.mark.parametrize("challenge", ["abaw2020", "sewa", "recola"])
def test_missing_and_unexpected_files_are_reported(make_case, tmp_path, challenge):
    case, out = make_case(challenge), tmp_path / "out"
    write_submission(challenge, case.predictions, case.sample, out)
    name = CHANGED_FILE[challenge][0]
    (out / name).rename(out / "other.txt")
    assert check_submission(challenge, out, case.sample) == [
        f"missing files: 1, first {name}",
        "files not in the sample: 1, first other.txt",
    ]


def test_a_path_that_is_not_a_submission_raises_an_error(make_case, tmp_path):
    with pytest.raises(AffectkitError, match="no submission at"):
        check_submission("omg", tmp_path / "gone", make_case("omg").sample)
    with pytest.raises(AffectkitError, match="a submission to 'omg' is one file, but"):
        check_submission("omg", tmp_path, tmp_path / "omg_TestVideos_WithoutLabels.csv")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AffectkitError, match="cannot be read as text"):
        check_submission("omg", tmp_path / "binary", tmp_path / "omg_TestVideos_WithoutLabels.csv")
    sample = make_case("sewa").sample
    with pytest.raises(AffectkitError, match="a submission to 'sewa' is a folder of files, but"):
        check_submission("sewa", tmp_path / "binary", sample)
