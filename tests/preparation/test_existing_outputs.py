"""What already stands at the path of a recording: damaged, foreign, of another video, newer."""

import json
import os
import shutil
from pathlib import Path

import pytest

from affectkit.datasets import synthetic
from affectkit.errors import AffectkitError
from affectkit.preparation import prepare, prepare_videos
from tests.preparation.conftest import CROP, files_of


def edit_attrs(recording_path: Path, **changes: object) -> None:
    path = recording_path / ".zattrs"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


DAMAGES = {
    "no group": lambda path: (path / ".zgroup").unlink(),
    "no attributes": lambda path: (path / ".zattrs").unlink(),
    "attributes not JSON": lambda path: (path / ".zattrs").write_text("{"),
    "attributes a list": lambda path: (path / ".zattrs").write_text("[]"),
    "array not JSON": lambda path: (path / "box" / ".zarray").write_bytes(b"\xff\x00"),
    "no variable": lambda path: shutil.rmtree(path / "annotation"),
    "a chunk missing": lambda path: (path / "annotation" / "0.0").unlink(),
    "a face chunk missing": lambda path: (path / "face" / "0.0.0.0").unlink(),
    "a chunk truncated": lambda path: os.truncate(path / "face" / "0.0.0.0", 1000),
    "a chunk empty": lambda path: os.truncate(path / "landmark" / "0.0.0", 0),
    "an older schema": lambda path: edit_attrs(path, schema=1),
    "another name": lambda path: edit_attrs(path, recording="../escape"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_recording_is_named_and_created_again(damage, synthetic_root, prepared, tmp_path):
    path = Path(shutil.copytree(prepared[0], tmp_path / prepared[0].name))
    DAMAGES[damage](path)
    with pytest.warns(UserWarning, match=rf"{path} is damaged, or .*; it is created again"):
        prepare("synthetic", synthetic_root, tmp_path, crop=CROP, only=[path.stem])
    assert files_of(path) == files_of(prepared[0])
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_recordings_beside_a_damaged_one_are_kept(synthetic_root, prepared, tmp_path):
    paths = [Path(shutil.copytree(path, tmp_path / path.name)) for path in prepared]
    stamps = [path.stat().st_ino for path in paths]
    DAMAGES["a chunk truncated"](paths[1])
    with pytest.warns(UserWarning, match=paths[1].stem):
        prepare("synthetic", synthetic_root, tmp_path, crop=CROP)
    assert [path.stat().st_ino == stamp for path, stamp in zip(paths, stamps, strict=True)] == [
        True,
        False,
        True,
    ]
    assert [files_of(path) for path in paths] == [files_of(path) for path in prepared]


@pytest.mark.parametrize("source", ["text", None, {"given": 3}])
def test_a_recording_whose_source_is_damaged_is_another_recording(
    source, synthetic_root, prepared, tmp_path
):
    path = Path(shutil.copytree(prepared[0], tmp_path / prepared[0].name))
    edit_attrs(path, source=source)
    with pytest.raises(AffectkitError, match="is the recording of another video"):
        prepare("synthetic", synthetic_root, tmp_path, crop=CROP, only=[path.stem])


def test_a_recording_of_a_newer_version_is_kept(synthetic_root, prepared, tmp_path):
    path = Path(shutil.copytree(prepared[0], tmp_path / prepared[0].name))
    edit_attrs(path, schema=99)
    before = files_of(path)
    with pytest.raises(AffectkitError, match=r"newer affectkit .*; update affectkit"):
        prepare("synthetic", synthetic_root, tmp_path, crop=CROP, only=[path.stem])
    assert files_of(path) == before


@pytest.mark.parametrize("kind", ["folder", "store", "file", "link"])
def test_what_affectkit_did_not_write_is_kept_and_the_others_are_prepared(
    kind, synthetic_root, prepared, tmp_path
):
    out = tmp_path / "out"
    path = out / prepared[0].name
    mine = path if kind in ("folder", "store") else tmp_path / "mine"
    (mine / "sub").mkdir(parents=True)
    (mine / "sub" / "thesis.txt").write_text("years of work")
    if kind == "store":
        (mine / ".zgroup").write_text('{"zarr_format": 2}')
    if kind == "file":
        out.mkdir()
        path.write_text("years of work")
    if kind == "link":
        out.mkdir()
        path.symlink_to(mine)
    only = [path.stem, prepared[1].stem]
    with (
        pytest.warns(UserWarning, match=f"{path.stem}: "),
        pytest.raises(AffectkitError, match=f"{path} .*was not written by affectkit") as error,
    ):
        prepare("synthetic", synthetic_root, out, crop=CROP, only=only)
    assert "\n" not in str(error.value)
    assert path.is_symlink() == (kind == "link")
    assert path.is_file() == (kind == "file")
    assert (mine / "sub" / "thesis.txt").read_text() == "years of work"
    assert files_of(out / prepared[1].name) == files_of(prepared[1])


def test_the_recording_of_another_dataset_of_the_same_name_is_kept(
    dataset_copy, prepared, tmp_path
):
    path = Path(shutil.copytree(prepared[0], tmp_path / "out" / prepared[0].name))
    shutil.copy(*synthetic.index(dataset_copy)["video"].iloc[[1, 0]])
    with pytest.raises(AffectkitError, match=r"of another video .*person_000\.mp4"):
        prepare("synthetic", dataset_copy, path.parent, crop=CROP, only=[path.stem])
    assert files_of(path) == files_of(prepared[0])


@pytest.mark.parametrize("stem", ["(1)", "(all)", ".partial-clip", ".hidden", " clip", "a\nb"])
def test_a_name_that_results_cannot_have_is_refused_before_the_work(stem, tmp_path):
    with pytest.raises(AffectkitError, match="cannot be the name of a recording") as error:
        prepare_videos([tmp_path / f"{stem}.mp4"], tmp_path / "out")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_a_name_in_a_dataset_that_results_cannot_have_is_refused(dataset_copy, tmp_path):
    for path in sorted(dataset_copy.rglob("person_000.*")):
        path.rename(path.with_name("(mean)" + path.suffix))
    with pytest.raises(AffectkitError, match=r"'\(mean\)' cannot be the name of a recording"):
        prepare("affwild2", dataset_copy, tmp_path / "out")
