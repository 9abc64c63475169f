"""Whatever stops the work, the same command goes on, and ends as if nothing had happened."""

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
from affectkit.prepare import prepare
from affectkit.recording import open_recording
from tests.prepare.conftest import CROP, assert_same, files_of

COMMAND = (sys.executable, "-m", "affectkit.cli.main", "prepare", "affwild2")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    """Four drawn people as Aff-Wild2: enough to be killed twice in the middle."""
    root = tmp_path_factory.mktemp("dataset") / "affwild2"
    people = (2, 1, 1)
    return synthetic.write(root, people=people, seconds=3, fps=8, size=128, workers=1)


@pytest.fixture(scope="module")
def undisturbed(dataset, tmp_path_factory) -> Path:
    """Their recordings."""
    out = tmp_path_factory.mktemp("undisturbed") / "A"
    prepare("affwild2", dataset, out)
    return out


def start(root: Path, out: Path, *options: str) -> subprocess.Popen:
    # with a session of its own, so that nothing of it can be missed
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
    """End the parent as the kernel does for want of memory; its workers end by themselves."""
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    finish(process)
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive, "workers outlive their parent"


def written(out: Path) -> set[Path]:
    return set(out.glob("[!.]*.zarr"))


def test_killed_twice_and_resumed_it_equals_an_undisturbed_run(dataset, undisturbed, tmp_path):
    out, stamps = tmp_path / "A", {}
    for stop in (1, 2):
        process = start(dataset, out, "--workers", "2")
        wait_for(process, lambda stop=stop: len(written(out)) >= stop)
        kill(process)
        for path in written(out):  # whole, whenever the end came
            assert open_recording(path).load()["face"].any(("row", "col", "channel")).all()
            stamps.setdefault(path, (path / "face" / "0.0.0.0").stat().st_mtime_ns)
    process = start(dataset, out, "--workers", "2")
    assert not finish(process)
    assert process.returncode == 0
    assert files_of(out) == files_of(undisturbed)
    for path, stamp in stamps.items():
        assert (path / "face" / "0.0.0.0").stat().st_mtime_ns == stamp, "made twice"


def test_killed_while_it_writes_it_leaves_nothing_half_written(dataset, undisturbed, tmp_path):
    out = tmp_path / "A"
    process = start(dataset, out, "--only", "person_000")
    wait_for(process, lambda: bool(list(out.glob(".partial-person*"))))
    kill(process)
    assert not written(out)
    process = start(dataset, out, "--only", "person_000")
    assert not finish(process)
    name = "person_000.zarr"
    assert files_of(out) == {
        path: content for path, content in files_of(undisturbed).items() if path.startswith(name)
    }


def test_ctrl_c_is_one_line(dataset, tmp_path):
    process = start(dataset, tmp_path / "A", "--workers", "2")
    wait_for(process, lambda: bool(list((tmp_path / "A").glob(".partial-person*"))))
    os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to the workers too
    assert finish(process) == "stopped; the same command goes on from here\n"
    assert process.returncode == 130


def limited(size: int) -> Callable[[], None]:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


def test_a_write_that_fails_is_told_and_the_rest_goes_on(dataset, undisturbed, tmp_path):
    """A disk that takes no more, in the middle of a recording, and then does again."""
    out = tmp_path / "A"
    one = (undisturbed / "person_000.zarr" / "face" / "0.0.0.0").stat().st_size
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
    assert lines[2].startswith("error: 2 of 2 recordings could not be made")
    assert not list(out.iterdir())
    prepare("affwild2", dataset, out)
    assert files_of(out) == files_of(undisturbed)


def test_the_library_gives_the_same_whether_it_was_stopped_or_not(drawn, prepared, tmp_path):
    class Stop(Exception):
        pass

    def stop(name: str, done: int, total: int) -> None:
        if name == prepared[1].stem and done > total / 2:
            raise Stop

    with pytest.raises(Stop):
        prepare("synthetic", drawn, tmp_path, crop=CROP, progress=stop)
    assert [path.name for path in written(tmp_path)] == [prepared[0].name]
    assert_same(prepare("synthetic", drawn, tmp_path, crop=CROP), prepared)
