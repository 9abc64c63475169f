"""The AFEW-VA loader on a small handmade copy with known quirks."""

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
    """Three clips of two actors in two parts, cropped copies, and hidden files."""
    rows = {"00000": frame_row(), "00001": frame_row(10, -10)}
    write_clip(tmp_path / "01" / "001", rows)
    write_clip(tmp_path / "01" / "002", rows, actor=" a.  EXAMPLE ")
    write_clip(tmp_path / "12" / "600", rows, actor="B. Example")
    write_clip(tmp_path / "01" / "001_cropped", rows)
    write_clip(tmp_path / "01" / "002_cropped", rows, name="002")
    (tmp_path / ".DS_Store").touch()
    (tmp_path / "01" / "001" / "._00000.png").touch()
    return tmp_path


def test_index_lists_clips_of_all_parts_without_cropped_copies(root):
    index = afew_va.index(root).set_index("recording")
    assert list(index.index) == ["001", "002", "600"]
    assert set(index["split"]) == {""}
    assert index.loc["600", "video"] == str(root / "12" / "600")
    assert index.loc["600", "annotation"] == (str(root / "12" / "600" / "600.json"),)
    assert index.loc["001", ["frames", "fps"]].tolist() == [2, 25.0]


def test_spellings_of_an_actor_are_one_subject(root):
    assert list(afew_va.index(root)["subject"]) == ["A. Example", "A. Example", "B. Example"]


@pytest.mark.parametrize("folder", ["001", "AFEW-VA/01/001"])
def test_clips_are_found_without_part_folders_and_one_level_deeper(folder, tmp_path):
    write_clip(tmp_path / folder, {"00000": frame_row()})
    assert list(afew_va.index(tmp_path)["video"]) == [str(tmp_path / folder)]
    assert afew_va.annotations(tmp_path, "001").sizes["frame"] == 2


def test_a_clip_outside_part_folders_is_preferred(root):
    write_clip(root / "001", {"00000": frame_row(5, 5)}, pictures=["00000"])
    index = afew_va.index(root).set_index("recording")
    assert index.loc["001", "video"] == str(root / "001")
    assert afew_va.annotations(root, "001").sizes["frame"] == 1


def test_a_loop_of_links_does_not_hang_the_search(root):
    (root / "01" / "loop").symlink_to(root, target_is_directory=True)
    assert list(afew_va.index(root)["recording"]) == ["001", "002", "600"]


def test_values_are_divided_by_ten(root):
    annotation = afew_va.annotations(root, "001")
    np.testing.assert_allclose(annotation["annotation"], [[0.3, -0.1], [1, -1]], rtol=1e-6)
    assert annotation["annotation"].dims == ("frame", "affect")
    assert annotation.attrs["source_range"] == {"valence": [-10, 10], "arousal": [-10, 10]}


def test_landmarks_are_read_and_the_box_is_around_them(root):
    annotation = afew_va.annotations(root, "001")
    assert annotation["landmark"].sel(axis="x", frame=1).values[:3].tolist() == [10, 11, 12]
    assert annotation["box"].sel(frame=0).to_series().to_dict() == {
        "left": 10, "top": 20.5, "right": 77, "bottom": 20.5
    }  # fmt: skip
    assert annotation["still"].values.tolist() == ["00000.png", "00001.png"]


def test_frames_without_key_or_without_picture_are_kept(tmp_path):
    rows = {"00003": frame_row(), "00000": frame_row(-10, 0)}
    write_clip(tmp_path / "001", rows, pictures=["00000", "00001"])
    annotation = afew_va.annotations(tmp_path, "001")
    assert annotation["frame"].values.tolist() == [0, 1, 3]
    assert annotation["still"].values.tolist() == ["00000.png", "00001.png", ""]
    assert annotation["annotation"].isnull().all("affect").values.tolist() == [False, True, False]
    assert np.isnan(annotation["landmark"].sel(frame=1)).all()
    assert np.isnan(annotation["box"].sel(frame=1)).all()


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
def test_an_invalid_frame_is_named(row, message, tmp_path):
    write_clip(tmp_path / "001", {"00000": row})
    with pytest.raises(AffectkitError, match=rf"001\.json, .*{message}"):
        afew_va.annotations(tmp_path, "001")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read as JSON"),
        ("[]", "expected a JSON object with the keys 'actor' and 'frames'"),
        ('{"frames": {"first": {}}}', "expected frame numbers as names, got 'first'"),
    ],
)
def test_a_broken_file_gives_one_line_and_does_not_hide_others(text, message, root):
    (root / "01" / "001" / "001.json").write_text(text)
    with pytest.raises(AffectkitError, match=rf"001\.json.*{message}"):
        afew_va.annotations(root, "001")
    index = afew_va.index(root).set_index("recording")
    assert index.loc[["001", "002"], "subject"].tolist() == ["", "A. Example"]


def test_wrong_root_and_unknown_clip_are_named(root, tmp_path):
    (tmp_path / "holiday" / "beach").mkdir(parents=True)
    with pytest.raises(AffectkitError, match=r"no AFEW-VA in .*CLIP/CLIP\.json.*found beach"):
        afew_va.index(tmp_path / "holiday")
    with pytest.raises(
        AffectkitError, match=r"unknown recording '003': .*expected one of 001, 002, 600"
    ):
        afew_va.annotations(root, "003")
