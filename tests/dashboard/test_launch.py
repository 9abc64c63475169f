import socket
import subprocess
import sys

import pytest

from affectkit.dashboard.launch import (
    ADDRESS,
    RECORDINGS,
    RUNS,
    check_port,
    environment,
    launch,
    server_command,
    wait_until_ready,
)
from affectkit.errors import AffectkitError


@pytest.fixture
def used_port():
    with socket.socket() as listener:
        listener.bind((ADDRESS, 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_used_port_is_an_error_that_suggests_another(used_port):
    with pytest.raises(AffectkitError, match=rf"port {used_port} .*--port {used_port + 1}"):
        check_port(used_port)


def test_a_folder_without_runs_is_an_error_before_the_server_starts(tmp_path):
    with pytest.raises(AffectkitError, match="no runs"):
        launch(tmp_path)


def test_the_server_stops_with_the_process_that_started_it(folders):
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        port = probe.getsockname()[1]
    code = (
        "from affectkit.dashboard import launch; "
        f"launch({str(folders.runs)!r}, port={port}, open_browser=False)"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    assert wait_until_ready(f"http://{ADDRESS}:{port}")
    process.terminate()
    assert process.wait(20) == 0
    check_port(port)


def test_the_server_is_local_and_sends_no_usage_statistics():
    line = " ".join(server_command(8600))
    assert "--server.address 127.0.0.1" in line
    assert "--server.port 8600" in line
    assert "--browser.gatherUsageStats false" in line


def test_the_environment_contains_the_folders(tmp_path, monkeypatch):
    monkeypatch.setenv(RECORDINGS, "stale")
    assert environment(tmp_path, None)[RUNS] == str(tmp_path)
    assert RECORDINGS not in environment(tmp_path, None)
    assert environment(tmp_path, tmp_path / "r")[RECORDINGS] == str(tmp_path / "r")
