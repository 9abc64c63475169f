"""A store is checked before zarr opens it: any damage is an error of one line."""

import json
import shutil
from contextlib import suppress

import numpy as np
import pytest
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from affectkit.errors import AffectkitError
from affectkit.recording import LAYOUT, make_recording, open_recording, save_recording
from affectkit.store import is_store, open_store, write_store


@pytest.fixture
def path(recording, tmp_path):
    save_recording(recording, tmp_path / "one.zarr")
    return tmp_path / "one.zarr"


def edit(path, **changes):
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | changes))


PICKLE = [{"id": "vlen-utf8"}, {"id": "pickle", "protocol": 5}]
DAMAGE = {
    "a missing chunk of faces": lambda p: (p / "face" / "0.0.0.0").unlink(),
    "a truncated chunk": lambda p: (p / "landmark" / "0.0.0").write_bytes(b"short"),
    "an empty chunk": lambda p: (p / "time" / "0").write_bytes(b""),
    "a longer chunk": lambda p: (p / "time" / "0").write_bytes(bytes(10_000)),
    "a missing variable": lambda p: shutil.rmtree(p / "crop_box"),
    "no metadata of an array": lambda p: (p / "box" / ".zarray").unlink(),
    "metadata that is not JSON": lambda p: (p / "box" / ".zarray").write_text("{"),
    "metadata that is a list": lambda p: (p / "box" / ".zarray").write_text("[]"),
    "metadata nested deeply": lambda p: (p / ".zattrs").write_text("[" * 100_000),
    "attributes that are not JSON": lambda p: (p / ".zattrs").write_text("\0"),
    "no attributes": lambda p: (p / ".zattrs").unlink(),
    "a pickle filter": lambda p: edit(p / "affect" / ".zarray", dtype="|O", filters=PICKLE),
    "objects": lambda p: edit(p / "affect" / ".zarray", dtype="|O"),
    "a compressor": lambda p: edit(p / "face" / ".zarray", compressor={"id": "blosc"}),
    "a date": lambda p: edit(p / "time" / ".zarray", dtype="<M8[s]"),
    "a scale": lambda p: edit(p / "box" / ".zattrs", scale_factor=3.0),
    "another shape": lambda p: edit(p / "annotation" / ".zarray", shape=[4000, 2]),
    "a negative shape": lambda p: edit(p / "annotation" / ".zarray", shape=[-1, 2]),
    "a shape of one dim": lambda p: edit(p / "annotation" / ".zarray", shape=[80], chunks=[80]),
    "huge chunks": lambda p: edit(p / "annotation" / ".zarray", chunks=[10**18, 2]),
    "no chunks": lambda p: edit(p / "annotation" / ".zarray", chunks=[]),
    "other dims": lambda p: edit(p / "box" / ".zattrs", _ARRAY_DIMENSIONS=["frame", "frame"]),
    "dims that are numbers": lambda p: edit(p / "box" / ".zattrs", _ARRAY_DIMENSIONS=[1, 2]),
    "bytes that are no text": lambda p: (p / "axis" / "0").write_bytes(b"\xff" * 8),
    "bytes that are no bool": lambda p: (p / "detected" / "0").write_bytes(b"\x07" * 40),
    "other labels": lambda p: (p / "axis" / "0").write_bytes("yx".encode("utf-32-le")),
    "a newer schema": lambda p: edit(p / ".zattrs", schema=99),
    "no schema": lambda p: edit(p / ".zattrs", schema=None),
    "a path as name": lambda p: edit(p / ".zattrs", recording="../../up"),
    "a number as name": lambda p: edit(p / ".zattrs", recording=3),
    "a negative rate": lambda p: edit(p / ".zattrs", fps=-25),
    "a text as crop settings": lambda p: edit(p / ".zattrs", crop="all"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_recording_is_an_error_of_one_line(path, damage):
    damage(path)
    with pytest.raises(AffectkitError) as raised:
        open_recording(path)
    message = str(raised.value)
    assert str(path) in message
    assert "\n" not in message
    assert ("prepare" in message) or ("update affectkit" in message)


def test_a_pickle_in_a_recording_is_never_loaded(path, tmp_path):
    marker = tmp_path / "marker"
    edit(path / "affect" / ".zarray", dtype="|O", filters=PICKLE)
    payload = f"cos\nsystem\n(S'touch {marker}'\ntR."
    (path / "affect" / "0").write_text(payload)
    with pytest.raises(AffectkitError, match=r"\.zarray: filters"):
        open_recording(path)
    assert not marker.exists()


@pytest.mark.parametrize("name", ["face", "time/0", ".zattrs", "time/.zarray"])
def test_symbolic_links_inside_a_recording_are_not_followed(path, tmp_path, name):
    (path / name).rename(tmp_path / "moved")
    (path / name).symlink_to(tmp_path / "moved")
    with pytest.raises(AffectkitError, match=r"link|is not a file"):
        open_recording(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.data())
def test_any_change_of_a_file_gives_an_error_or_a_valid_recording(path, tmp_path, data):
    copy = tmp_path / "copy.zarr"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(path, copy)
    files = sorted(each for each in copy.rglob("*") if each.is_file())
    file = data.draw(st.sampled_from(files))
    content = file.read_bytes()
    start = data.draw(st.integers(0, len(content)))
    stop = data.draw(st.integers(start, len(content)))
    file.write_bytes(content[:start] + data.draw(st.binary(max_size=8)) + content[stop:])
    with suppress(AffectkitError):  # and nothing else
        assert open_recording(copy).load().sizes["frame"] == 40


def test_everything_is_written_without_codec(path):
    for file in path.rglob(".zarray"):
        content = json.loads(file.read_text())
        assert content["compressor"] is None
        assert content["filters"] is None
        assert content["dtype"] != "|O"


def test_bool_values_are_one_byte_and_read_back_without_attributes(path):
    assert json.loads((path / "detected" / ".zarray").read_text())["dtype"] == "|b1"
    detected = open_recording(path)["detected"]
    assert detected.dtype == bool
    assert "dtype" not in detected.attrs


def test_black_faces_and_missing_annotations_are_written_too(tmp_path):
    face = np.zeros((5, 8, 8, 3), np.uint8)
    save_recording(
        make_recording(np.arange(5.0), {"face": face}, {"recording": "a"}), tmp_path / "a"
    )
    assert (tmp_path / "a" / "face" / "0.0.0.0").stat().st_size == face.nbytes
    assert (tmp_path / "a" / "annotation" / "0.0").stat().st_size == 5 * 2 * 4
    assert open_recording(tmp_path / "a")["face"].sum() == 0


def test_long_variables_are_written_to_several_files(tmp_path):
    long = make_recording(np.arange(10_000) / 25, {}, {"recording": "a"})
    write_store(long, tmp_path / "a")
    assert sorted(each.name for each in (tmp_path / "a" / "time").glob("[0-9]*")) == ["0", "1", "2"]
    xr.testing.assert_identical(open_store(tmp_path / "a", "recording", LAYOUT).load(), long)


@pytest.mark.parametrize("name", ["a::b.zarr", "file:::memory:", "http:one.zarr", "a b%20.zarr"])
def test_a_name_that_looks_like_an_address_is_a_local_path(recording, tmp_path, name):
    save_recording(recording, tmp_path / name)
    assert [each.name for each in tmp_path.iterdir()] == [name]
    xr.testing.assert_identical(open_recording(tmp_path / name).load(), recording)


def test_only_folders_that_look_like_stores_are_replaced(path, recording):
    assert is_store(path, LAYOUT)
    (path / ".zattrs").write_text("damaged")
    shutil.rmtree(path / "face")
    save_recording(recording, path, overwrite=True)
    (path / "notes.txt").write_text("mine")
    with pytest.raises(AffectkitError, match="was not written by affectkit"):
        save_recording(recording, path, overwrite=True)
    assert (path / "notes.txt").read_text() == "mine"
