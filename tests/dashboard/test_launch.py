import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from affectkit.dashboard.launch import (
    ADDRESS,
    RECORDINGS,
    RUNS,
    check_port,
    environment,
    launch,
    recording_view,
    run_server,
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


@pytest.mark.parametrize("port", [-1, 0, 65536, 70000])
def test_a_number_that_is_no_port_is_an_error(port):
    with pytest.raises(AffectkitError, match=rf"{port} is not a port: expected a number from 1 to"):
        check_port(port)


def test_the_last_port_is_not_followed_by_a_suggestion_that_does_not_exist():
    with socket.socket() as listener:
        listener.bind((ADDRESS, 65535))
        listener.listen()
        with pytest.raises(AffectkitError, match="such as --port 8501"):
            check_port(65535)


def test_a_folder_without_recordings_is_an_error_before_the_server_starts(folders, tmp_path):
    with pytest.raises(AffectkitError, match="missing"):
        launch(folders.runs, recordings=tmp_path / "missing")


@pytest.mark.parametrize(("way", "status"), [(signal.SIGTERM, 0), (signal.SIGKILL, -9)])
def test_the_server_stops_with_the_process_that_started_it(folders, way, status):
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        port = probe.getsockname()[1]
    code = (
        "from affectkit.dashboard import launch; "
        f"launch({str(folders.runs)!r}, port={port}, open_browser=False)"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    assert wait_until_ready(f"http://{ADDRESS}:{port}")
    process.send_signal(way)
    assert process.wait(20) == status
    wait_until_free(port)


def wait_until_free(port):
    """Wait until no server uses the port any more, 10 seconds at most."""
    for _ in range(100):
        with suppress(AffectkitError):
            check_port(port)
            return
        time.sleep(0.1)
    check_port(port)


def test_the_server_starts_without_a_home_and_folders_that_can_be_written(folders):
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        port = probe.getsockname()[1]
    variables = environment(folders.runs, None) | dict.fromkeys(
        ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "TMPDIR"), "/sys/kernel"
    )
    with run_server(server_command(port), variables):
        assert wait_until_ready(f"http://{ADDRESS}:{port}")


@pytest.mark.parametrize("option", [("--port", "-1"), ("--port", "70000"), ("--recordings", "no")])
def test_an_unusable_option_of_the_dashboard_is_one_line(folders, call, option):
    status, _, error = call("dashboard", folders.runs, *option)
    assert status == 2
    assert error.count("\n") == 1
    assert option[1] in error


def test_the_demo_checks_the_port_before_it_begins(call, tmp_path):
    status, _, error = call("demo", tmp_path / "demo", "--port", "70000")
    assert status == 2
    assert "70000 is not a port" in error
    assert not (tmp_path / "demo").exists()


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


def test_the_address_of_a_recording_is_quoted():
    assert recording_view("runs/a b", "x&y=1") == "/recording?run=a+b&recording=x%26y%3D1"
