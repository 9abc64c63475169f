"""After any interruption, the same command resumes and ends with the same recordings."""

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from affectkit.datasets import synthetic
from affectkit.preparation import prepare
from affectkit.recording import open_recording
from tests.preparation.conftest import CROP, assert_same, files_of

COMMAND = (sys.executable, "-m", "affectkit.cli.main", "prepare", "affwild2")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    """Four synthetic subjects in the layout of Aff-Wild2: enough for two interruptions."""
    root = tmp_path_factory.mktemp("dataset") / "affwild2"
    people = (2, 1, 1)
    return synthetic.write_synthetic(root, subjects=people, seconds=3, fps=8, size=128, workers=1)


@pytest.fixture(scope="module")
def uninterrupted(dataset, tmp_path_factory) -> Path:
    """The recordings of a run without interruption."""
    out = tmp_path_factory.mktemp("uninterrupted") / "A"
    prepare("affwild2", dataset, out)
    return out


def start(root: Path, out: Path, *options: str) -> subprocess.Popen:
    # in a new session, so that all of its processes can be found
    command = [*COMMAND, str(root), "--out", str(out), *options]
    return subprocess.Popen(
        command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def wait_for(process: subprocess.Popen, is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not is_so() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    assert is_so(), process.stderr.read().decode()


def finish(process: subprocess.Popen) -> str:
    return process.communicate()[1].decode()


def kill(process: subprocess.Popen) -> None:
    """Kill the parent as the kernel does if memory runs out; its workers must end too."""
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    finish(process)
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive, "workers continue after the end of their parent"


def written(out: Path) -> set[Path]:
    return set(out.glob("[!.]*.zarr"))


def test_a_run_that_is_killed_twice_and_resumed_equals_an_uninterrupted_run(
    dataset, uninterrupted, tmp_path
):
    out, stamps = tmp_path / "A", {}
    for stop in (1, 2):
        process = start(dataset, out, "--workers", "2")
        wait_for(process, lambda stop=stop: len(written(out)) >= stop)
        kill(process)
        for path in written(out):  # complete, whenever the process was killed
            assert open_recording(path).load()["face"].any(("row", "col", "channel")).all()
            stamps.setdefault(path, (path / "face" / "0.0.0.0").stat().st_mtime_ns)
    process = start(dataset, out, "--workers", "2")
    assert not finish(process)
    assert process.returncode == 0
    assert files_of(out) == files_of(uninterrupted)
    for path, stamp in stamps.items():
        assert (path / "face" / "0.0.0.0").stat().st_mtime_ns == stamp, "created twice"


def test_a_run_that_is_killed_while_writing_leaves_no_partial_recording(
    dataset, uninterrupted, tmp_path
):
    out = tmp_path / "A"
    process = start(dataset, out, "--only", "person_000")
    wait_for(process, lambda: bool(list(out.glob(".partial-*-person*"))))
    kill(process)
    assert not written(out)
    process = start(dataset, out, "--only", "person_000")
    assert not finish(process)
    name = "person_000.zarr"
    assert files_of(out) == {
        path: content for path, content in files_of(uninterrupted).items() if path.startswith(name)
    }


def test_ctrl_c_prints_one_line_and_leaves_no_partial_recording(dataset, tmp_path):
    process = start(dataset, tmp_path / "A", "--workers", "2")
    wait_for(process, lambda: bool(list((tmp_path / "A").glob(".partial-*-person*"))))
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all processes of the group
    assert finish(process) == "interrupted; run the same command again to resume\n"
    assert process.returncode == 130
    assert not list((tmp_path / "A").glob(".*"))


def limited(size: int) -> Callable[[], None]:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


def test_a_failed_write_is_reported_and_the_next_run_completes(dataset, uninterrupted, tmp_path):
    """A disk that is full in the middle of a recording, and later has space again."""
    out = tmp_path / "A"
    one = (uninterrupted / "person_000.zarr" / "face" / "0.0.0.0").stat().st_size
    command = [*COMMAND, str(dataset), "--out", str(out), "--only", "person_000"]
    process = subprocess.run(
        [*command, "--only", "person_001"],
        preexec_fn=limited(one // 2),
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 2
    lines = process.stderr.splitlines()
    assert [line.split(":")[1].strip() for line in lines[:2]] == ["person_000", "person_001"]
    assert all("File too large" in line for line in lines[:2])
    assert lines[2].startswith("error: 2 of 2 recordings could not be created")
    assert not list(out.iterdir())
    prepare("affwild2", dataset, out)
    assert files_of(out) == files_of(uninterrupted)


def test_an_exception_of_the_progress_callback_stops_and_the_next_call_resumes(
    synthetic_root, prepared, tmp_path
):
    class Stop(Exception):
        pass

    def stop(name: str, done: int, total: int) -> None:
        if name == prepared[1].stem and done > total / 2:
            raise Stop

    with pytest.raises(Stop):
        prepare("synthetic", synthetic_root, tmp_path, crop=CROP, progress=stop)
    assert [path.name for path in written(tmp_path)] == [prepared[0].name]
    assert_same(prepare("synthetic", synthetic_root, tmp_path, crop=CROP), prepared)
