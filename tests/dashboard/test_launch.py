import socket
import subprocess
import sys

import pytest

from affectkit.dashboard.launch import (
    ADDRESS,
    RECORDINGS,
    RUNS,
    check_port,
    command,
    environment,
    launch,
    wait_until_up,
)
from affectkit.errors import AffectkitError


@pytest.fixture
def taken():
    with socket.socket() as listener:
        listener.bind((ADDRESS, 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_in_use_is_named_with_the_way_out(taken):
    with pytest.raises(AffectkitError, match=rf"port {taken} .*--port {taken + 1}"):
        check_port(taken)


def test_a_folder_without_runs_is_refused_before_anything_starts(tmp_path):
    with pytest.raises(AffectkitError, match="no runs"):
        launch(tmp_path)


def test_the_server_ends_with_the_process_that_started_it(place):
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        port = probe.getsockname()[1]
    code = (
        "from pathlib import Path; from affectkit.dashboard import launch; "
        f"launch(Path({str(place.runs)!r}), port={port}, open_browser=False)"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    assert wait_until_up(f"http://{ADDRESS}:{port}")
    process.terminate()
    assert process.wait(20) == 0
    check_port(port)


def test_the_server_listens_on_this_machine_only_and_reports_nothing():
    line = " ".join(command(8600))
    assert "--server.address 127.0.0.1" in line
    assert "--server.port 8600" in line
    assert "--browser.gatherUsageStats false" in line


def test_the_pages_are_told_where_all_lies(tmp_path, monkeypatch):
    monkeypatch.setenv(RECORDINGS, "stale")
    assert environment(tmp_path, None)[RUNS] == str(tmp_path)
    assert RECORDINGS not in environment(tmp_path, None)
    assert environment(tmp_path, tmp_path / "r")[RECORDINGS] == str(tmp_path / "r")
