"""Start the server of the dashboard, on this machine only, and open it in a browser."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from affectkit.errors import AffectkitError, missing_extra
from affectkit.files import StrPath
from affectkit.recording import list_recordings
from affectkit.run import list_runs

APP = Path(__file__).with_name("app.py")
ADDRESS = "127.0.0.1"
RUNS = "AFFECTKIT_RUNS"
RECORDINGS = "AFFECTKIT_RECORDINGS"
PORT = 8501
MAX_PORT = 65535
TIMEOUT = 60.0  # seconds until the server has to answer


def launch(
    runs: StrPath,
    *,
    recordings: StrPath | None = None,
    port: int = PORT,
    open_browser: bool = True,
    say: Callable[[str], None] = lambda text: None,
    view: str = "",
) -> None:
    """Serve the dashboard until it is stopped by Ctrl-C.

    Args:
        runs: a folder of runs, or one run.
        recordings: the folder of the recordings, if they were moved after the prediction.
        port: port of the server, which listens on 127.0.0.1 only.
        open_browser: open a browser when the server answers; otherwise only print the address.
        say: function that prints a line for the user.
        view: page to open, as returned by `recording_view`; by default the overview.

    Raises:
        AffectkitError: Streamlit is not installed, there are no runs or no recordings, the port
            cannot be used, or the server does not start.
    """
    runs = Path(runs)
    list_runs(runs)
    if recordings is not None:
        list_recordings(recordings)
    check_server(port)
    server_url = f"http://{ADDRESS}:{port}"
    with run_server(server_command(port), environment(runs, recordings)) as server:
        opened = threading.Thread(
            target=open_when_ready,
            args=(server_url, say),
            kwargs={"open_browser": open_browser, "view": view},
            daemon=True,
        )
        opened.start()
        try:
            status = server.wait()
        except KeyboardInterrupt:
            return
    if status:
        raise AffectkitError(
            f"the server of the dashboard ended with exit status {status}; see the output above"
        )


@contextmanager
def run_server(command: list[str], variables: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the end of the block, or until this process ends in any way.

    The server ends when its standard input, a pipe from this process, is closed.
    """
    server = subprocess.Popen(command, env=variables, stdin=subprocess.PIPE)
    in_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, signal.default_int_handler) if in_main else None
    try:
        yield server
    finally:
        if server.stdin:
            server.stdin.close()
        server.wait()
        if in_main:
            signal.signal(signal.SIGTERM, before)


def check_server(port: int) -> None:
    """Check that the server can be started.

    Raises:
        AffectkitError: Streamlit is not installed, or the port cannot be used.
    """
    if find_spec("streamlit") is None:
        raise missing_extra("streamlit", "dashboard")
    check_port(port)


def check_port(port: int) -> None:
    """Check that the server can use the port.

    Raises:
        AffectkitError: it is not the number of a port, is in use, or is not permitted.
    """
    if not 1 <= port <= MAX_PORT:
        raise AffectkitError(
            f"{port} is not a port: expected a number from 1 to {MAX_PORT}, such as --port {PORT}"
        )
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError as error:
            raise AffectkitError(
                f"port {port} of {ADDRESS} cannot be used ({error.strerror}); "
                f"use another one, such as --port {port + 1 if PORT <= port < MAX_PORT else PORT}"
            ) from None


def server_command(port: int) -> list[str]:
    """The command that runs the server; its theme is in .streamlit/config.toml next to the app."""
    return [
        sys.executable, "-m", "streamlit", "run", str(APP),
        "--server.address", ADDRESS, "--server.port", str(port), "--server.headless", "true",
        "--server.fileWatcherType", "none", "--browser.gatherUsageStats", "false",
    ]  # fmt: skip


def environment(runs: StrPath, recordings: StrPath | None) -> dict[str, str]:
    """Environment variables of the server, with the folders of runs and recordings."""
    folders = {RUNS: str(Path(runs).resolve())}
    if recordings is not None:
        folders[RECORDINGS] = str(Path(recordings).resolve())
    inherited = {name: value for name, value in os.environ.items() if name != RECORDINGS}
    return inherited | folders


def recording_view(run: StrPath, recording: str) -> str:
    """The part of the address that opens a recording of a run."""
    return f"/recording?{urlencode({'run': Path(run).name, 'recording': recording})}"


def open_when_ready(
    server_url: str, say: Callable[[str], None], *, open_browser: bool, view: str = ""
) -> None:
    """Wait until the server answers, then open it in a browser or print its address."""
    url = server_url + view
    if not wait_until_ready(server_url):
        say(
            f"The dashboard does not answer at {server_url}; see the output above (Ctrl-C stops it)"
        )
    elif open_browser and webbrowser.open(url):
        say(f"The dashboard is open in the browser: {url} (Ctrl-C stops it)")
    else:
        say(f"Open the dashboard in a browser: {url} (Ctrl-C stops it)")


def wait_until_ready(url: str) -> bool:
    """Whether the server answers within `TIMEOUT`."""
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        try:
            with urlopen(f"{url}/_stcore/health", timeout=2):
                return True
        except (URLError, OSError):
            time.sleep(0.2)
    return False
