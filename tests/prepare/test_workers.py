"""Several processes: the same recordings, and nothing lost when one is killed."""

import math
import multiprocessing
import subprocess
import sys
from pathlib import Path

from affectkit.datasets import synthetic
from affectkit.prepare import prepare
from affectkit.prepare.job import Job
from affectkit.prepare.processes import in_processes
from tests.prepare.conftest import CROP, FRAMES, assert_same


def test_several_processes_give_the_same_recordings(drawn, prepared, tmp_path):
    seen = []
    paths = prepare(
        "synthetic", drawn, tmp_path, crop=CROP, workers=2, progress=lambda *a: seen.append(a)
    )
    assert_same(paths, prepared)
    full = [name for name, done, total in seen if done == total == FRAMES]
    assert sorted(full) == sorted(path.stem for path in paths)
    assert not multiprocessing.active_children()


def test_what_a_killed_process_was_at_is_made_by_another(drawn, prepared, tmp_path):
    killed = []

    def kill_one(name: str, done: int, total: int) -> None:
        if not killed:
            killed.append(multiprocessing.active_children()[0])
            killed[0].kill()

    paths = prepare("synthetic", drawn, tmp_path, crop=CROP, workers=2, progress=kill_one)
    assert killed
    assert_same(paths, prepared)


def test_a_recording_that_ends_every_process_is_given_up(drawn, tmp_path):
    row = synthetic.index(drawn).iloc[0]
    job = Job(
        video=Path(row["video"]), path=tmp_path / "bad.zarr", attrs={}, annotate=None,
        annotation_files=(), fps=math.nan, person="", detector="dlib", options={}, crop=CROP,
        detect=False,
    )  # fmt: skip
    seen = []

    def kill(*state: object) -> None:
        seen.append(state)
        multiprocessing.active_children()[0].kill()

    (outcome,) = in_processes([job], 1, kill)
    assert "was ended 3 times (exit code -9)" in outcome.error
    assert len(seen) >= 3
    assert not job.path.exists()


def test_a_script_without_the_guard_is_told_about_it(drawn, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from affectkit.prepare import prepare\n"
        f"prepare('synthetic', {str(drawn)!r}, {str(tmp_path / 'out')!r}, workers=2)\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert "needs `if __name__ == '__main__':`" in done.stderr.splitlines()[-1]
