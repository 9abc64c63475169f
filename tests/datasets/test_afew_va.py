"""The loader against a hand-made tree with the traps of the copies that go round."""

import json
from pathlib import Path

import numpy as np
import pytest

from affectkit.datasets import afew_va
from affectkit.errors import AffectkitError

POINTS = [[10.0 + point, 20.5] for point in range(68)]


def frame_row(valence=3, arousal=-1, landmarks=POINTS):
    return {"landmarks": landmarks, "valence": valence, "arousal": arousal}


def write_clip(folder: Path, rows: dict, pictures=("00000", "00001"), actor="A. Example", name=""):
    folder.mkdir(parents=True)
    content = {"actor": actor, "video_id": folder.name, "frames": rows}
    (folder / f"{name or folder.name}.json").write_text(json.dumps(content))
    for stem in pictures:
        (folder / f"{stem}.png").touch()
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three clips of two actors in two parts, a mirror of one, and hidden files."""
    rows = {"00000": frame_row(), "00001": frame_row(10, -10)}
    write_clip(tmp_path / "01" / "001", rows)
    write_clip(tmp_path / "01" / "002", rows, actor=" a.  EXAMPLE ")
    write_clip(tmp_path / "12" / "600", rows, actor="B. Example")
    write_clip(tmp_path / "01" / "001_cropped", rows)
    write_clip(tmp_path / "01" / "002_cropped", rows, name="002")
    (tmp_path / ".DS_Store").touch()
    (tmp_path / "01" / "001" / "._00000.png").touch()
    return tmp_path


def test_index_lists_clips_of_all_parts_and_no_mirrors(root):
    index = afew_va.index(root).set_index("recording")
    assert list(index.index) == ["001", "002", "600"]
    assert set(index["split"]) == {""}
    assert index.loc["600", "video"] == str(root / "12" / "600")
    assert index.loc["600", "annotation"] == (str(root / "12" / "600" / "600.json"),)
    assert index.loc["001", ["frames", "fps"]].tolist() == [2, 25.0]


def test_one_actor_is_one_subject_however_the_name_is_written(root):
    assert list(afew_va.index(root)["subject"]) == ["A. Example", "A. Example", "B. Example"]


@pytest.mark.parametrize("folder", ["001", "AFEW-VA/01/001"])
def test_flattened_and_nested_parts_are_found(folder, tmp_path):
    write_clip(tmp_path / folder, {"00000": frame_row()})
    assert list(afew_va.index(tmp_path)["video"]) == [str(tmp_path / folder)]
    assert afew_va.annotations(tmp_path, "001").sizes["frame"] == 2


def test_a_flattened_clip_is_taken_before_its_copy_in_a_part(root):
    write_clip(root / "001", {"00000": frame_row(5, 5)}, pictures=["00000"])
    index = afew_va.index(root).set_index("recording")
    assert index.loc["001", "video"] == str(root / "001")
    assert afew_va.annotations(root, "001").sizes["frame"] == 1


def test_a_loop_of_links_does_not_catch_the_search(root):
    (root / "01" / "loop").symlink_to(root, target_is_directory=True)
    assert list(afew_va.index(root)["recording"]) == ["001", "002", "600"]


def test_values_are_divided_by_ten_and_labelled(root):
    known = afew_va.annotations(root, "001")
    np.testing.assert_allclose(known["annotation"], [[0.3, -0.1], [1, -1]], rtol=1e-6)
    assert known["annotation"].dims == ("frame", "affect")
    assert known.attrs["source_range"] == {"valence": [-10, 10], "arousal": [-10, 10]}


def test_landmarks_come_along_and_the_box_lies_around_them(root):
    known = afew_va.annotations(root, "001")
    assert known["landmark"].sel(axis="x", frame=1).values[:3].tolist() == [10, 11, 12]
    assert known["box"].sel(frame=0).to_series().to_dict() == {
        "left": 10, "top": 20.5, "right": 77, "bottom": 20.5
    }  # fmt: skip
    assert known["still"].values.tolist() == ["00000.png", "00001.png"]


def test_picture_without_key_and_key_without_picture_stay(tmp_path):
    rows = {"00003": frame_row(), "00000": frame_row(-10, 0)}
    write_clip(tmp_path / "001", rows, pictures=["00000", "00001"])
    known = afew_va.annotations(tmp_path, "001")
    assert known["frame"].values.tolist() == [0, 1, 3]
    assert known["still"].values.tolist() == ["00000.png", "00001.png", ""]
    assert known["annotation"].isnull().all("affect").values.tolist() == [False, True, False]
    assert np.isnan(known["landmark"].sel(frame=1)).all()
    assert np.isnan(known["box"].sel(frame=1)).all()


def test_byte_order_mark_and_crlf_are_tolerated(root):
    path = root / "01" / "001" / "001.json"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b", ", b",\r\n"))
    assert afew_va.annotations(root, "001").sizes["frame"] == 2


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (frame_row(0.3, -0.1), r"frame '00000': expected .* whole numbers from -10 to 10, got \[0"),
        (frame_row(11, 0), r"got \[11, 0\]"),
        (frame_row(None, 0), r"got \[None, 0\]"),
        (frame_row("3", 0), r"got \['3', 0\]"),
        ([3, -1], r"got \[None, None\]"),
        (frame_row(landmarks=POINTS[:5]), r"68 pairs of numbers, got an array of shape \(5, 2\)"),
        (frame_row(landmarks=[["x", 1]] * 68), "68 pairs of numbers"),
        (frame_row(landmarks=[[float("nan"), 1]] * 68), "68 pairs of numbers"),
        (frame_row(landmarks=None), "68 pairs of numbers"),
    ],
)
def test_a_bad_frame_is_named(row, message, tmp_path):
    write_clip(tmp_path / "001", {"00000": row})
    with pytest.raises(AffectkitError, match=rf"001\.json, .*{message}"):
        afew_va.annotations(tmp_path, "001")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read as JSON"),
        ("[]", "expected an object with 'actor' and 'frames'"),
        ('{"frames": {"first": {}}}', "expected a frame's number as its name, got 'first'"),
    ],
)
def test_a_broken_file_is_one_clear_line_and_hides_no_other(text, message, root):
    (root / "01" / "001" / "001.json").write_text(text)
    with pytest.raises(AffectkitError, match=rf"001\.json.*{message}"):
        afew_va.annotations(root, "001")
    index = afew_va.index(root).set_index("recording")
    assert index.loc[["001", "002"], "subject"].tolist() == ["", "A. Example"]


def test_wrong_root_and_unknown_clip_are_named(root, tmp_path):
    (tmp_path / "holiday" / "beach").mkdir(parents=True)
    with pytest.raises(AffectkitError, match=r"no AFEW-VA in .*CLIP/CLIP\.json.*found beach"):
        afew_va.index(tmp_path / "holiday")
    with pytest.raises(AffectkitError, match=r"unknown recording '003': .*known are 001, 002, 600"):
        afew_va.annotations(root, "003")
