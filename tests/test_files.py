import json

import pytest

from affectkit.errors import AffectkitError
from affectkit.files import beside, remove, write_json, write_text


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_nothing_stands_under_the_final_name_before_the_end(tmp_path):
    with beside(tmp_path / "video.mp4") as partial:
        partial.write_text("half")
        assert not (tmp_path / "video.mp4").exists()
        assert partial.suffix == ".mp4"
    assert names(tmp_path) == ["video.mp4"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_failed_block_leaves_nothing(tmp_path, error):
    def fail():
        with beside(tmp_path / "store.zarr") as partial:
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
        with beside(path, overwrite=True) as partial:
            partial.write_text("new")
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        fail()
    assert path.read_text() == "old"


def test_overwriting_happens_only_when_asked(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(AffectkitError, match="exists already"), beside(path):
        pytest.fail("the block should not run")
    with beside(path, overwrite=True) as partial:
        partial.write_text("new")
    assert path.read_text() == "new"


def test_a_folder_replaces_a_folder_whole(tmp_path):
    old = tmp_path / "store"
    old.mkdir()
    (old / "old").touch()
    with beside(old, overwrite=True) as partial:
        partial.mkdir()
        (partial / "new").touch()
    assert names(old) == ["new"]
    assert names(tmp_path) == ["store"]


def test_remains_of_a_killed_process_are_swept_away(tmp_path):
    remains = tmp_path / ".partial-store"
    remains.mkdir()
    (remains / "half").touch()
    with beside(tmp_path / "store") as partial:
        assert not partial.exists()
        partial.mkdir()
    assert names(tmp_path) == ["store"]
    assert names(tmp_path / "store") == []


def test_missing_folders_are_made(tmp_path):
    write_text(tmp_path / "a" / "b" / "c.txt", "text")
    assert (tmp_path / "a" / "b" / "c.txt").read_text() == "text"


def test_json_is_readable_by_people_and_machines(tmp_path):
    write_json(tmp_path / "a.json", {"name": "Mühe", "numbers": [1, 2]})
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"name": "Mühe", "numbers": [1, 2]}
    assert "Mühe" in text
    assert text.endswith("\n")


def test_removing_a_link_keeps_what_it_points_to(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    remove(tmp_path / "link")
    remove(tmp_path / "nothing")
    assert names(tmp_path) == ["folder"]
