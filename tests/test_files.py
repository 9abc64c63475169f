import json

import pytest

from affectkit.errors import AffectkitError
from affectkit.files import atomic_write, remove, write_json, write_text


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_final_name_does_not_exist_before_the_block_ends(tmp_path):
    with atomic_write(tmp_path / "video.mp4") as partial:
        partial.write_text("half")
        assert not (tmp_path / "video.mp4").exists()
        assert partial.suffix == ".mp4"
    assert names(tmp_path) == ["video.mp4"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failed_block_leaves_no_file(tmp_path, error):
    def fail():
        with atomic_write(tmp_path / "store.zarr") as partial:
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


def test_a_folder_replaces_the_whole_old_folder(tmp_path):
    old = tmp_path / "store"
    old.mkdir()
    (old / "old").touch()
    with atomic_write(old, overwrite=True) as partial:
        partial.mkdir()
        (partial / "new").touch()
    assert names(old) == ["new"]
    assert names(tmp_path) == ["store"]


def test_partial_files_of_a_killed_process_are_removed(tmp_path):
    remains = tmp_path / ".partial-store"
    remains.mkdir()
    (remains / "half").touch()
    with atomic_write(tmp_path / "store") as partial:
        assert not partial.exists()
        partial.mkdir()
    assert names(tmp_path) == ["store"]
    assert names(tmp_path / "store") == []


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
