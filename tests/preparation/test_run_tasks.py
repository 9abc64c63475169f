"""Worker processes and clusters create the same recordings, even if a worker is killed."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from distributed import LocalCluster

from affectkit import cluster as clusters
from affectkit.datasets import synthetic
from affectkit.errors import AffectkitError
from affectkit.preparation import prepare, prepare_video, prepare_videos
from affectkit.recording import list_recordings, open_recording
from tests.conftest import local_clusters
from tests.preparation.conftest import CROP, FRAMES, assert_same, files_of

ROOT = Path(__file__).parents[2]


def worker_processes() -> list[psutil.Process]:
    """The processes that run tasks: children of the process that manages them."""
    found = []
    for manager in local_clusters():
        for child in manager.children():
            with suppress(psutil.NoSuchProcess):
                if "spawn_main" in " ".join(child.cmdline()):
                    found.append(child)
    return found


def test_two_workers_create_the_same_recordings_and_report_the_same_progress(
    synthetic_root, prepared, tmp_path
):
    seen = []
    paths = prepare(
        "synthetic",
        synthetic_root,
        tmp_path,
        crop=CROP,
        workers=2,
        progress=lambda *a: seen.append(a),
    )
    assert_same(paths, prepared)
    full = [name for name, done, total in seen if done == total == FRAMES]
    assert sorted(full) == sorted(path.stem for path in paths)
    assert not local_clusters()


@pytest.mark.parametrize("count", [1, 2])
def test_recordings_of_killed_workers_are_created_by_others(
    count, synthetic_root, prepared, tmp_path
):
    killed = []

    def kill(name: str, done: int, total: int) -> None:
        if not killed:
            killed.extend(worker_processes()[:count])
            for process in killed:
                process.send_signal(signal.SIGKILL)

    paths = prepare("synthetic", synthetic_root, tmp_path, crop=CROP, workers=2, progress=kill)
    assert len(killed) == count
    assert_same(paths, prepared)
    assert not list(tmp_path.glob(".*"))


@contextmanager
def kill_each_worker_that_opens(path):
    """Yield the set of killed process ids; a thread watches."""
    killed, stop = set(), threading.Event()

    def watch():
        while not stop.wait(0.005):
            for process in worker_processes():
                with suppress(psutil.NoSuchProcess):
                    if str(path) in {file.path for file in process.open_files()}:
                        process.kill()
                        killed.add(process.pid)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield killed
    finally:
        stop.set()
        thread.join()


def test_a_recording_that_always_ends_its_worker_is_given_up(dataset_copy, tmp_path):
    index, out = synthetic.index(dataset_copy), tmp_path / "out"
    names = list(index["recording"][:2])
    annotation = Path(index["annotation"].iloc[0][0])
    content = annotation.read_bytes()
    annotation.unlink()
    os.mkfifo(annotation)  # a worker that opens it waits until it is killed
    with (
        kill_each_worker_that_opens(out / f".{names[0]}.lock") as killed,
        pytest.warns(UserWarning, match=f"{names[0]}: .*was killed 3 times"),
        pytest.raises(AffectkitError, match="1 of 2 recordings could not be created"),
    ):
        prepare("synthetic", dataset_copy, out, crop=CROP, workers=2, only=names)
    annotation.unlink()
    annotation.write_bytes(content)
    assert len(killed) == 3
    assert [path.stem for path in list_recordings(out)] == [names[1]]
    paths = prepare("synthetic", dataset_copy, out, crop=CROP, only=names)
    assert sorted(out.iterdir()) == sorted(paths)  # no partial file or lock is left


SCRIPT = """
import affectkit as ak
from affectkit.datasets import synthetic

root = synthetic.write_synthetic("data", subjects=(1, 1, 1), seconds=3, fps=8, size=128, workers=2)
print(len(ak.prepare("synthetic", root, "recordings", workers=2)))
"""


@pytest.mark.parametrize("kind", ["standard input", "script"])
def test_a_program_without_a_main_guard_prepares_with_two_workers(kind, synthetic_root, tmp_path):
    (tmp_path / "program.py").write_text(SCRIPT)
    name = "-" if kind == "standard input" else "program.py"
    done = subprocess.run(
        [sys.executable, name], input=SCRIPT, cwd=tmp_path, text=True, capture_output=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("3\n", "")
    assert files_of(tmp_path / "data") == files_of(synthetic_root)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "program.py", "recordings"]


@pytest.fixture(scope="module")
def cluster():
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", memory_limit=None
    ) as cluster:
        yield cluster


def test_a_cluster_creates_the_same_recordings_if_a_worker_is_killed(
    cluster, synthetic_root, prepared, tmp_path
):
    seen = []

    def kill_one(*state: object) -> None:
        seen.append(state)
        if len(seen) == 1:
            os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)

    address = cluster.scheduler_address
    paths = prepare(
        "synthetic", synthetic_root, tmp_path, crop=CROP, scheduler=address, progress=kill_one
    )
    assert_same(paths, prepared)
    assert not list(tmp_path.glob(".*"))
    full = [name for name, done, total in seen if done == total == FRAMES]
    assert sorted(full) == [path.stem for path in paths]


def test_a_broken_video_on_a_cluster_is_reported(cluster, dataset_copy, tmp_path):
    (dataset_copy / "batch1" / "person_000.mp4").write_text("no video")
    only = ["person_000", "person_001"]
    with (
        pytest.warns(UserWarning, match="person_000: .*cannot be read as a video"),
        pytest.raises(AffectkitError, match="1 of 2 recordings could not be created"),
    ):
        prepare("synthetic", dataset_copy, tmp_path / "out", crop=CROP, only=only,
                scheduler=cluster.scheduler_address)  # fmt: skip
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["person_001.zarr"]


def test_a_cluster_finds_an_annotation_given_by_a_relative_path(
    cluster, synthetic_root, tmp_path, monkeypatch
):
    shutil.copy(synthetic.index(synthetic_root)["video"].iloc[0], tmp_path / "clip.mp4")
    rows = [f"{frame},0.5,0.5" for frame in range(FRAMES)]
    (tmp_path / "a.csv").write_text("\n".join(["frame,valence,arousal", *rows, ""]))
    monkeypatch.chdir(tmp_path)  # the workers stay in the old folder
    (path,) = prepare_videos(
        ["clip.mp4"], "out", annotation_csv="a.csv", crop=CROP, scheduler=cluster.scheduler_address
    )
    assert open_recording(path)["annotation"].sel(frame=3).values.tolist() == [0.5, 0.5]


def test_two_processes_that_create_one_recording_leave_it_complete(cluster, video, tmp_path):
    with clusters.connect(cluster.scheduler_address) as client:
        calls = [
            client.submit(
                prepare_video, video, tmp_path / "out", crop=CROP, pure=False, workers=[w]
            )
            for w in client.scheduler_info()["workers"]
        ]
        paths = {call.result() for call in calls}
    (path,) = paths
    assert len(calls) == 2
    assert open_recording(path)["face"].any(("row", "col", "channel")).all()
    assert [each.name for each in (tmp_path / "out").iterdir()] == [path.name]


def test_a_worker_with_another_version_is_a_one_line_error(
    cluster, synthetic_root, tmp_path, monkeypatch
):
    ours = clusters.versions()
    monkeypatch.setattr(clusters, "versions", lambda: ours | {"affectkit": "0.0.9"})
    with pytest.raises(AffectkitError, match=r"has affectkit .*, not 0\.0\.9; install the same"):
        prepare("synthetic", synthetic_root, tmp_path, scheduler=cluster.scheduler_address)


def test_a_scheduler_that_does_not_answer_is_a_one_line_error(
    synthetic_root, tmp_path, monkeypatch
):
    monkeypatch.setattr(clusters, "CONNECT_SECONDS", 1)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(AffectkitError, match="no Dask scheduler answers at") as error:
        prepare("synthetic", synthetic_root, tmp_path, scheduler=address)
    assert "\n" not in str(error.value)
    assert not list(Path(tmp_path).iterdir())
