"""An existing Dask cluster: the same recordings, and nothing lost with a worker."""

import os
import signal
import socket
from pathlib import Path

import pytest
from distributed import LocalCluster

from affectkit.errors import AffectkitError
from affectkit.prepare import cluster as clusters
from affectkit.prepare import prepare
from tests.prepare.conftest import CROP, FRAMES, assert_same


@pytest.fixture(scope="module")
def cluster():
    with LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", memory_limit=None
    ) as cluster:
        yield cluster


def test_a_cluster_gives_the_same_recordings_though_a_worker_is_killed(
    cluster, drawn, prepared, tmp_path
):
    seen = []

    def kill_one(*state: object) -> None:
        seen.append(state)
        if len(seen) == 1:
            os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)

    address = cluster.scheduler_address
    paths = prepare("synthetic", drawn, tmp_path, crop=CROP, scheduler=address, progress=kill_one)
    assert_same(paths, prepared)
    assert not list(tmp_path.glob(".*"))
    full = [name for name, done, total in seen if done == total == FRAMES]
    assert sorted(full) == [path.stem for path in paths]


def test_a_video_that_fails_on_a_cluster_is_told(cluster, copy, tmp_path):
    (copy / "batch1" / "person_000.mp4").write_text("no video")
    only = ["person_000", "person_001"]
    with (
        pytest.warns(UserWarning, match="person_000: .*cannot be read as a video"),
        pytest.raises(AffectkitError, match="1 of 2 recordings could not be made"),
    ):
        prepare("synthetic", copy, tmp_path / "out", crop=CROP, only=only,
                scheduler=cluster.scheduler_address)  # fmt: skip
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["person_001.zarr"]


def test_workers_with_other_versions_are_refused(cluster, drawn, tmp_path, monkeypatch):
    ours = clusters.versions()
    monkeypatch.setattr(clusters, "versions", lambda: ours | {"affectkit": "0.0.9"})
    with pytest.raises(AffectkitError, match=r"has affectkit .*, not 0\.0\.9; install the same"):
        prepare("synthetic", drawn, tmp_path, scheduler=cluster.scheduler_address)


def test_an_address_where_nobody_answers_is_one_line(drawn, tmp_path, monkeypatch):
    monkeypatch.setattr(clusters, "PATIENCE", 1)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(AffectkitError, match="no Dask scheduler answers at") as error:
        prepare("synthetic", drawn, tmp_path, scheduler=address)
    assert "\n" not in str(error.value)
    assert not list(Path(tmp_path).iterdir())
