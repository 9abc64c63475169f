import json

import numpy as np
import pandas as pd
import pytest

from affectkit.errors import AffectkitError
from affectkit.run import (
    HISTORY,
    METADATA,
    SCORES,
    list_runs,
    read_history,
    read_metadata,
    read_scores,
    write_metadata,
    write_scores,
)
from tests.conftest import fake_metadata


def test_metadata_is_read_as_it_was_written(tmp_path):
    metadata = fake_metadata(crop={"size": 112}, splits={"test": ["a"]}, note="a key of a user")
    write_metadata(tmp_path, metadata)
    assert read_metadata(tmp_path) == {"schema": 2} | metadata
    assert read_metadata(str(tmp_path)) == read_metadata(tmp_path)


def test_a_folder_without_metadata_is_not_a_run(tmp_path):
    with pytest.raises(AffectkitError, match=r"is not a run: expected a folder with a run.json"):
        read_metadata(tmp_path)


def test_metadata_that_is_not_json_is_an_error(tmp_path):
    (tmp_path / METADATA).write_text("{half")
    with pytest.raises(AffectkitError, match="is not valid JSON"):
        read_metadata(tmp_path)


def test_metadata_of_a_newer_version_is_an_error(tmp_path):
    (tmp_path / METADATA).write_text(json.dumps({"schema": 99}))
    with pytest.raises(AffectkitError, match=r"newer affectkit \(schema 99.*update affectkit"):
        read_metadata(tmp_path)


def test_metadata_of_an_older_version_is_an_error(tmp_path):
    (tmp_path / METADATA).write_text(json.dumps({"schema": 1}))
    with pytest.raises(AffectkitError, match=r"older affectkit \(schema 1, .*train the run again"):
        read_metadata(tmp_path)


@pytest.mark.parametrize(
    "text",
    ["[]", "3", '{"schema": "new"}', '{"schema": -1}', '{"schema": true}', "[" * 100_000, "", "\0"],
)
def test_json_that_is_not_metadata_is_an_error(tmp_path, text):
    (tmp_path / METADATA).write_text(text)
    with pytest.raises(AffectkitError, match=METADATA):
        read_metadata(tmp_path)


@pytest.mark.parametrize(
    "key", ["name", "affect", "crop", "recordings", "splits", "datasets", "input_size"]
)
def test_metadata_without_a_key_or_of_a_wrong_type_is_an_error(tmp_path, key):
    metadata = {"schema": 2} | fake_metadata()
    for damaged in (metadata | {key: None}, {k: v for k, v in metadata.items() if k != key}):
        (tmp_path / METADATA).write_text(json.dumps(damaged))
        with pytest.raises(AffectkitError, match=rf"run\.json is damaged: {key}\S*: .*restore it"):
            read_metadata(tmp_path)


@pytest.mark.parametrize("name", ["../up", "/etc/passwd", ".hidden", "(all)", "a\nb", ""])
def test_names_of_recordings_in_metadata_cannot_leave_the_run(tmp_path, name):
    write_metadata(tmp_path, fake_metadata(splits={"test": [name]}))
    with pytest.raises(AffectkitError, match=r"run\.json is damaged: splits\.test\.0"):
        read_metadata(tmp_path)


def test_runs_are_listed_by_name(tmp_path):
    for name in ("joint", "cnn"):
        write_metadata(tmp_path / name, fake_metadata())
    (tmp_path / "notes").mkdir()
    assert [run.name for run in list_runs(tmp_path)] == ["cnn", "joint"]
    assert list_runs(tmp_path / "cnn") == [tmp_path / "cnn"]
    with pytest.raises(AffectkitError, match="no runs in"):
        list_runs(tmp_path / "notes")


def score_rows(**columns):
    rows = {"split": "test", "recording": ["007", "(all)"], "affect": "mean", "metric": "ccc",
            "value": [0.1234567, np.nan], "low": 0.1, "high": 0.2, "frames": 40,
            "interval": "none"}  # fmt: skip
    return pd.DataFrame(rows | columns)


def test_scores_keep_names_that_look_like_numbers_or_missing_values(tmp_path):
    write_scores(tmp_path, score_rows(recording=["007", "NA"]))
    stored = read_scores(tmp_path)
    assert stored["recording"].tolist() == ["007", "NA"]
    assert stored["value"].tolist() == pytest.approx([0.123457, np.nan], nan_ok=True)
    assert stored["frames"].tolist() == [40, 40]


def test_missing_scores_name_the_command_to_run(tmp_path):
    with pytest.raises(AffectkitError, match="run: affectkit evaluate"):
        read_scores(tmp_path)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda text: "", "No columns"),
        (lambda text: text.splitlines()[0], "it has no rows"),
        (lambda text: text.replace("metric", "measure"), "no column metric"),
        (lambda text: text.replace("0.100000", "low"), "Unable to parse"),
        (lambda text: text.replace(",40,", ",1e400,"), "damaged"),
        (lambda text: text + text.splitlines()[1] + "\n", "two rows for ccc of mean"),
        (lambda text: text + '"', "damaged"),
        (lambda text: text.encode() + b"\xff\xfe", "damaged"),
    ],
)
def test_damaged_scores_are_an_error_of_one_line(tmp_path, damage, message):
    write_scores(tmp_path, score_rows())
    path = tmp_path / SCORES
    content = damage(path.read_text())
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(AffectkitError, match=message) as raised:
        read_scores(tmp_path)
    assert str(raised.value).startswith(f"{path} is damaged: ")
    assert "\n" not in str(raised.value)


HISTORY_TEXT = (
    "epoch,loss,ccc_valence,ccc_arousal,ccc_mean,seconds\n1,1,.1,.1,.1,2\n2,1,.2,.2,.2,2\n"
)


def test_the_history_is_a_row_per_epoch(tmp_path):
    (tmp_path / HISTORY).write_text(HISTORY_TEXT)
    assert [row["ccc_mean"] for row in read_history(tmp_path)] == [0.1, 0.2]


def test_all_columns_of_the_history_are_numbers(tmp_path):
    (tmp_path / HISTORY).write_text(
        HISTORY_TEXT.replace("seconds\n", "seconds,nll\n").replace(",2\n", ",2,0.5\n")
    )
    assert [row["nll"] for row in read_history(tmp_path)] == [0.5, 0.5]


@pytest.mark.parametrize("old", ["epoch", ".1,2\n2", "\n2,", "ccc_mean"])
def test_a_damaged_history_is_an_error_of_one_line(tmp_path, old):
    (tmp_path / HISTORY).write_text(HISTORY_TEXT.replace(old, "\n7,text"))
    with pytest.raises(AffectkitError, match=r"history\.csv is damaged: .*new folder"):
        read_history(tmp_path)
