import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from affectkit.errors import AffectkitError
from affectkit.files import (
    atomic_folder,
    atomic_write,
    check_name,
    lock,
    remove,
    write_json,
    write_text,
)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_final_name_does_not_exist_before_the_block_ends(tmp_path):
    with atomic_write(tmp_path / "video.mp4") as partial:
        partial.write_text("half")
        assert not (tmp_path / "video.mp4").exists()
        assert partial.suffix == ".mp4"
    assert names(tmp_path) == ["video.mp4"]


def test_a_full_disk_names_the_file_and_keeps_the_older_one(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    code = (
        "import resource, signal, sys\n"
        "from affectkit.files import write_text\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "write_text(sys.argv[1], 'new' * 1000)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.txt")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert re.search(r"a\.txt could not be written \(File too large\)", done.stderr)
    assert (tmp_path / "a.txt").read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failed_block_leaves_no_file(tmp_path, error):
    def fail():
        with atomic_folder(tmp_path / "store.zarr") as partial:
            partial.mkdir()
            (partial / "chunk").write_text("half")
            raise error

    with pytest.raises(error):
        fail()
    assert names(tmp_path) == []


def test_a_failed_block_keeps_the_older_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail():
        with atomic_write(path, overwrite=True) as partial:
            partial.write_text("new")
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        fail()
    assert path.read_text() == "old"


def test_an_existing_file_is_an_error_unless_overwrite(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(AffectkitError, match="exists already"), atomic_write(path):
        pytest.fail("the block should not run")
    with atomic_write(path, overwrite=True) as partial:
        partial.write_text("new")
    assert path.read_text() == "new"


def test_a_folder_replaces_the_whole_old_folder_if_affectkit_wrote_it(tmp_path):
    old = tmp_path / "store"
    old.mkdir()
    (old / "old").touch()
    with (
        pytest.raises(AffectkitError, match="was not written by affectkit"),
        atomic_folder(old, replaceable=lambda path: (path / "mark").exists()),
    ):
        pytest.fail("the block should not run")
    with pytest.raises(AffectkitError, match="exists already"), atomic_folder(old):
        pytest.fail("the block should not run")
    with atomic_folder(old, replaceable=lambda path: (path / "old").exists()) as partial:
        partial.mkdir()
        (partial / "new").touch()
    assert names(old) == ["new"]
    assert names(tmp_path) == ["store"]


def test_a_file_never_replaces_a_folder(tmp_path):
    (tmp_path / "figure.pdf").mkdir()
    (tmp_path / "figure.pdf" / "mine").touch()
    for overwrite in (True, False):
        with (
            pytest.raises(AffectkitError, match=r"figure\.pdf is a folder, expected a file"),
            atomic_write(tmp_path / "figure.pdf", overwrite=overwrite),
        ):
            pytest.fail("the block should not run")
    assert names(tmp_path / "figure.pdf") == ["mine"]


def test_a_folder_never_replaces_a_file_or_a_link(tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path)
    for name in ("file", "link"):
        with (
            pytest.raises(AffectkitError, match="was not written by affectkit"),
            atomic_folder(tmp_path / name, replaceable=lambda path: True),
        ):
            pytest.fail("the block should not run")
    assert (tmp_path / "file").read_text() == "mine"


def test_what_killed_processes_have_left_is_removed(tmp_path):
    code = (
        "import os, signal, sys\n"
        "from affectkit.files import atomic_folder\n"
        "with atomic_folder(sys.argv[1]) as partial:\n"
        "    partial.mkdir()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    for _ in range(2):
        subprocess.run([sys.executable, "-c", code, str(tmp_path / "store")], check=False)
    assert len([name for name in names(tmp_path) if name.startswith(".partial-")]) == 1
    with atomic_folder(tmp_path / "store") as partial:
        partial.mkdir()
    assert names(tmp_path) == ["store"]


def test_partial_files_of_other_paths_are_kept(tmp_path):
    other = tmp_path / ".partial-01234567-a-store"
    other.mkdir()
    with atomic_folder(tmp_path / "store") as partial:
        partial.mkdir()
    assert other.is_dir()


def test_two_threads_write_the_same_file_one_after_the_other(tmp_path):
    running = []

    def write(number):
        with atomic_write(tmp_path / "file", overwrite=True) as partial:
            running.append(number)
            assert len(running) == 1
            partial.write_text(str(number) * 1000)
            time.sleep(0.01)
            running.remove(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    assert len(set((tmp_path / "file").read_text())) == 1
    assert names(tmp_path) == ["file"]


def test_a_locked_folder_says_who_has_it(tmp_path):
    run = tmp_path / "run"
    with lock(run, "affectkit train"):
        with (
            pytest.raises(AffectkitError, match=rf"process {os.getpid()} on .*affectkit train"),
            lock(run, "affectkit predict"),
        ):
            pytest.fail("the block should not run")
        (run / "model").touch()
    with lock(run, "affectkit predict"):
        pass
    assert names(run) == ["model"]


def test_a_locked_folder_that_stays_empty_is_removed(tmp_path):
    with lock(tmp_path / "run", "nothing"):
        pass
    assert names(tmp_path) == []


def test_a_lock_removes_what_killed_processes_have_left(tmp_path):
    for name in (".partial-01234567-a.csv", "predictions/.partial-01234567-a.zarr"):
        (tmp_path / name).mkdir(parents=True)
    with lock(tmp_path, "affectkit predict"):
        pass
    assert names(tmp_path) == ["predictions"]
    assert names(tmp_path / "predictions") == []


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "a\\b", ".a", "(all)", "a\n", " a", "\0", 3, None, "a" * 300]
)
def test_names_that_cannot_be_part_of_a_path_are_refused(name):
    with pytest.raises(AffectkitError, match=r"run\.json: .*cannot be the name of a recording"):
        check_name(name, "run.json")


@pytest.mark.parametrize("name", ["a", "video.1", "Jürgen (2)", "日本", "a b", "-x", "a::b"])
def test_other_names_are_kept(name):
    assert check_name(name, "run.json") == name


def test_missing_folders_are_created(tmp_path):
    write_text(tmp_path / "a" / "b" / "c.txt", "text")
    assert (tmp_path / "a" / "b" / "c.txt").read_text() == "text"


def test_json_is_indented_and_keeps_unicode(tmp_path):
    write_json(tmp_path / "a.json", {"name": "Mühe", "numbers": [1, 2]})
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"name": "Mühe", "numbers": [1, 2]}
    assert "Mühe" in text
    assert text.endswith("\n")


def test_removing_a_link_keeps_its_target(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    remove(tmp_path / "link")
    remove(tmp_path / "nothing")
    assert names(tmp_path) == ["folder"]
