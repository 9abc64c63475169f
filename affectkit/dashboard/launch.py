"""Start the dashboard's server on this machine only, and open a browser on it."""

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
from urllib.request import urlopen

from affectkit.errors import AffectkitError, missing_extra
from affectkit.run import list_runs

APP = Path(__file__).with_name("app.py")
ADDRESS = "127.0.0.1"
RUNS = "AFFECTKIT_RUNS"
RECORDINGS = "AFFECTKIT_RECORDINGS"
PATIENCE = 60.0  # s until the server has to answer


def launch(
    runs: Path,
    *,
    recordings: Path | None = None,
    port: int = 8501,
    open_browser: bool = True,
    say: Callable[[str], None] = lambda text: None,
) -> None:
    """Serve the dashboard until it is stopped by Ctrl-C.

    Args:
        runs: a folder of runs, or one run.
        recordings: the folder that holds the recordings; by default where the predictions say.
        port: of the server, which listens on 127.0.0.1 only.
        open_browser: open a browser once the server answers; without one, say where it is.
        say: what takes the lines meant for the user.

    Raises:
        AffectkitError: Streamlit is missing, `runs` holds none, the port is taken, or the server
            does not start.
    """
    if find_spec("streamlit") is None:
        raise missing_extra("streamlit", "dashboard")
    list_runs(runs)
    check_port(port)
    url = f"http://{ADDRESS}:{port}"
    with serving(command(port), environment(runs, recordings)) as server:
        opened = threading.Thread(
            target=announce, args=(url, say), kwargs={"open_browser": open_browser}, daemon=True
        )
        opened.start()
        try:
            status = server.wait()
        except KeyboardInterrupt:
            return
    if status:
        raise AffectkitError(
            f"the dashboard's server ended with status {status}; see the lines above"
        )


@contextmanager
def serving(line: list[str], surroundings: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server that ends with the block, and with this process when that is told to end."""
    server = subprocess.Popen(line, env=surroundings)
    in_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, signal.default_int_handler) if in_main else None
    try:
        yield server
    finally:
        server.terminate()
        server.wait()
        if in_main:
            signal.signal(signal.SIGTERM, before)


def check_port(port: int) -> None:
    """Refuse a port that another program listens on.

    Raises:
        AffectkitError: naming the port, and the option that takes another one.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError as error:
            raise AffectkitError(
                f"port {port} of {ADDRESS} cannot be used ({error.strerror}); "
                f"choose another one: --port {port + 1}"
            ) from None


def command(port: int) -> list[str]:
    """The command line that serves the dashboard; its look is in .streamlit beside the app."""
    return [
        sys.executable, "-m", "streamlit", "run", str(APP),
        "--server.address", ADDRESS, "--server.port", str(port), "--server.headless", "true",
        "--server.fileWatcherType", "none", "--browser.gatherUsageStats", "false",
    ]  # fmt: skip


def environment(runs: Path, recordings: Path | None) -> dict[str, str]:
    """The environment that tells the pages where runs and recordings lie."""
    given = {RUNS: str(runs.resolve())}
    if recordings is not None:
        given[RECORDINGS] = str(recordings.resolve())
    kept = {name: value for name, value in os.environ.items() if name != RECORDINGS}
    return kept | given


def announce(url: str, say: Callable[[str], None], *, open_browser: bool) -> None:
    """Wait until the server answers, then open a browser on it, or say its address."""
    if not wait_until_up(url):
        return
    if open_browser and webbrowser.open(url):
        say(f"The dashboard is open in the browser: {url} (Ctrl-C ends it)")
    else:
        say(f"Open the dashboard in a browser: {url} (Ctrl-C ends it)")


def wait_until_up(url: str) -> bool:
    """Whether the server answers within a minute."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            with urlopen(f"{url}/_stcore/health", timeout=2):
                return True
        except (URLError, OSError):
            time.sleep(0.2)
    return False
