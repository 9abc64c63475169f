"""One function on many tasks: the same results in one process, in several and on a cluster."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from functools import cache, partial
from pathlib import Path

import pytest

from affectkit import cluster, parallel
from affectkit.errors import AffectkitError
from affectkit.parallel import TaskStopped, map_tasks, no_progress
from tests.conftest import local_clusters


def square(number, progress):
    progress("square", number, 10)
    return number**2


@cache
def loaded(name):
    return name, os.getpid(), time.monotonic()


def load(number, progress):
    time.sleep(0.1)
    return loaded("model")


def fail(number, progress):
    if number == 1:
        raise ValueError("number 1")
    return number


def warn(number, progress):
    warnings.warn(f"number {number}", UserWarning, stacklevel=1)


def kill_once(number, progress, folder):
    """Kill its own process with SIGKILL the first time that this number is tried."""
    mark = folder / str(number)
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def kill_always(number, progress):
    if number == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def report_until_stopped(number, progress, folder):
    try:
        while True:
            time.sleep(0.01)
            progress("wait", number, 0)
    except TaskStopped:
        (folder / str(number)).touch()
        raise


def test_two_workers_return_what_one_process_returns():
    alone, together = [], []
    one = dict(map_tasks(square, range(6), progress=lambda *a: alone.append(a)))
    two = dict(map_tasks(square, range(6), workers=2, progress=lambda *a: together.append(a)))
    assert two == one == {number: number**2 for number in range(6)}
    assert sorted(together) == alone == [("square", number, 10) for number in range(6)]
    assert not local_clusters()


def test_one_process_yields_in_order_and_starts_nothing():
    assert list(map_tasks(square, [3, 1, 2])) == [(3, 9), (1, 1), (2, 4)]
    assert list(map_tasks(square, [3], workers=2)) == [(3, 9)]
    assert list(map_tasks(square, [], scheduler="tcp://127.0.0.1:1")) == []


def test_a_worker_process_loads_a_cached_model_once():
    results = [result for _, result in map_tasks(load, range(8), workers=2)]
    assert len(set(results)) == len({pid for _, pid, _ in results}) == 2
    assert os.getpid() not in {pid for _, pid, _ in results}


def test_an_exception_of_the_function_is_raised():
    for workers in (1, 2):
        with pytest.raises(ValueError, match="number 1"):
            dict(map_tasks(fail, range(4), workers=workers))
    assert not local_clusters()


def test_a_warning_of_a_task_is_issued_in_the_calling_process():
    with pytest.warns(UserWarning, match="number [01]") as caught:
        list(map_tasks(warn, range(2), workers=2))
    assert sorted(str(each.message) for each in caught) == ["number 0", "number 1"]
    assert {each.filename for each in caught} == {__file__}


def test_tasks_of_killed_workers_run_again_even_if_all_workers_are_killed(tmp_path):
    function = partial(kill_once, folder=tmp_path)
    assert dict(map_tasks(function, range(4), workers=2)) == {n: n for n in range(4)}
    assert len(list(tmp_path.iterdir())) == 4


def test_a_task_that_always_kills_its_worker_is_given_up_and_the_others_complete():
    results = dict(map_tasks(kill_always, range(3), workers=2, lost=lambda task, reason: reason))
    assert (results[1], results[2]) == (1, 2)
    assert "was killed 3 times" in results[0]
    assert "run again with fewer workers" in results[0]
    with pytest.raises(AffectkitError, match="was killed 3 times"):
        dict(map_tasks(kill_always, range(3), workers=2))


def test_running_tasks_are_stopped_when_the_caller_stops(tmp_path):
    function = partial(report_until_stopped, folder=tmp_path)
    seen = set()

    def stop(name, number, total):
        seen.add(number)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dict(map_tasks(function, range(4), workers=2, progress=stop))
    assert {int(path.name) for path in tmp_path.iterdir()} == seen
    assert not local_clusters()


def test_the_end_of_the_process_that_manages_the_workers_is_one_line(capfd):
    def kill(name, number, total):
        for each in local_clusters():  # none if it was killed after the first report
            each.kill()

    with pytest.raises(AffectkitError, match="ended; completed work is kept: run again") as error:
        dict(map_tasks(square, range(2), workers=2, progress=kill))
    assert "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")


def test_workers_and_a_scheduler_exclude_each_other():
    with pytest.raises(AffectkitError, match="either a number of workers or a scheduler"):
        map_tasks(square, [1], workers=2, scheduler="tcp://127.0.0.1:1")
    with pytest.raises(AffectkitError, match="workers should be at least 1, got 0"):
        map_tasks(square, [1], workers=0)


@pytest.mark.parametrize(
    "address",
    ["foo", "tcp://foo", "foo://a:1", "tcp://", ":", "tcp://a:99999", "tcp://a:b", "tcp://a:1/b"],
)
def test_what_is_not_the_address_of_a_scheduler_is_one_line_at_once(address, capfd):
    with pytest.raises(AffectkitError, match="expected tcp://HOST:PORT") as error:
        map_tasks(square, [1], scheduler=address)
    assert "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")


def test_a_scheduler_that_does_not_answer_is_one_line(monkeypatch, capfd):
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 1)
    with pytest.raises(AffectkitError, match="no Dask scheduler answers at") as error:
        dict(map_tasks(square, [1], scheduler="tcp://127.0.0.1:9"))
    assert "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")


def test_a_scheduler_without_workers_and_one_that_dies_are_one_line_each(tmp_path, capfd):
    log = (tmp_path / "log").open("w")
    start = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1"]
    path = tmp_path / "scheduler.json"
    scheduler = subprocess.Popen(
        [*start, "--port", "0", "--no-dashboard", "--scheduler-file", str(path)],
        stdout=log, stderr=log,
    )  # fmt: skip
    while not path.exists():
        time.sleep(0.05)
    address = json.loads(path.read_text())["address"]
    with pytest.raises(AffectkitError, match="has no workers; start some"):
        dict(map_tasks(square, [1], scheduler=address))
    start = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--nthreads", "1"]
    worker = subprocess.Popen(
        [*start, "--no-nanny", "--no-dashboard", "--local-directory", str(tmp_path)],
        stdout=log, stderr=log,
    )  # fmt: skip
    try:
        while "Registered to" not in (tmp_path / "log").read_text():
            time.sleep(0.05)
        with pytest.raises(AffectkitError, match="ended; completed work is kept") as error:
            dict(map_tasks(square, range(4), scheduler=address,
                           progress=lambda *state: scheduler.kill()))  # fmt: skip
        assert "\n" not in str(error.value)
        assert capfd.readouterr() == ("", "")
    finally:
        for process in (scheduler, worker):
            process.kill()
            process.wait()
        log.close()


def test_worker_processes_use_their_share_of_the_processors(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    results = [result for _, result in map_tasks(read_threads, range(2), workers=2)]
    assert results == [(1, str(max(1, (os.cpu_count() or 1) // 2)))] * 2


def read_threads(number, progress):
    import cv2

    return cv2.getNumThreads(), os.environ["OMP_NUM_THREADS"]


def test_importing_the_module_does_not_import_dask():
    code = "import sys, affectkit.parallel; print({'dask', 'distributed'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


SCRIPT = """
from affectkit.parallel import map_tasks

print("main runs")

def double(number, progress):
    return 2 * number

print(sorted(map_tasks(double, [1, 2, 3], workers=2)))
"""


@pytest.mark.parametrize("kind", ["standard input", "script", "-c"])
def test_a_main_module_without_a_guard_is_run_once(kind, tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    arguments = {"standard input": ["-"], "script": ["script.py"], "-c": ["-c", SCRIPT]}[kind]
    env = os.environ | {"PYTHONPATH": str(Path(parallel.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, *arguments], input=SCRIPT, cwd=tmp_path, env=env, text=True,
        capture_output=True, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("main runs\n[(1, 2), (2, 4), (3, 6)]\n", "")
    assert [path.name for path in tmp_path.iterdir()] == ["script.py"]


def test_a_temporary_folder_that_is_missing_is_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(AffectkitError, match="set TMPDIR to a folder that can be written"):
        dict(map_tasks(square, range(2), workers=2))


def test_no_progress_reports_nothing():
    assert no_progress("frames", 1, 2) is None
