"""The AffectNet loader on small handmade copies of both releases with known quirks."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from affectkit.datasets import affectnet
from affectkit.errors import AffectkitError

HEADER = (
    "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,"
    "expression,valence,arousal"
)
QUOTED = ",".join(f'"{name}"' for name in HEADER.split(","))
POINTS = np.arange(136, dtype=float)
LANDMARKS = ";".join(f"{value:g}" for value in POINTS)


def line(path="12/0a1b.jpg", face="31,32,250,240", points=LANDMARKS, affect="0.72,-0.11"):
    return f"{path},{face},{points},1,{affect}"


def write_table(path: Path, *lines: str, header: str = HEADER, end: str = "\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(end.join([*([header] if header else []), *lines, ""]).encode())
    return path


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def write_values(folder: Path, number: int, **values) -> None:
    """Write the files of one picture: `val`, `aro`, `exp` and `lnd`, by suffix."""
    (folder / "annotations").mkdir(parents=True, exist_ok=True)
    for kind, value in values.items():
        np.save(folder / "annotations" / f"{number}_{kind}.npy", value)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """The release of 2017: two pictures for training, one of them missing, and one more."""
    write_table(tmp_path / "training.csv", line(), line("99/gone.jpg", affect="-2,-2"))
    write_table(tmp_path / "validation.csv", line("7/ff.jpg", affect="1,-1"))
    touch(tmp_path / "Manually_Annotated_Images" / "12" / "0a1b.jpg")
    touch(tmp_path / "Manually_Annotated_Images" / "7" / "ff.jpg")
    return tmp_path


@pytest.fixture
def new(tmp_path: Path) -> Path:
    """The release of 2021: pictures 2, 10 (without annotation), and 11 (without picture)."""
    train = tmp_path / "train_set"
    for number in (2, 10):
        touch(train / "images" / f"{number}.jpg")
    for number in (2, 11):
        values = {"val": np.array("0.5"), "aro": np.array("-0.25"), "exp": np.array("1")}
        write_values(train, number, lnd=POINTS, **values)
    touch(tmp_path / "val_set" / "images" / "0.jpg")
    write_values(tmp_path / "val_set", 0, val=np.array("-2"), aro=np.array("0.1"))
    return tmp_path


def read(root: Path, name: str = "train_0000"):
    return affectnet.annotations(root, name)


@pytest.mark.parametrize("release", ["old", "new"])
def test_index_has_one_row_per_thousand_pictures(release, request):
    root = request.getfixturevalue(release)
    index = affectnet.index(root).set_index("recording")
    assert index["split"].to_dict() == {"train_0000": "train", "validation_0000": "validation"}
    assert index["subject"].tolist() == list(index.index)
    assert index["fps"].tolist() == [0.01, 0.01]  # a picture every 100 s
    pictures = {"old": "Manually_Annotated_Images", "new": "train_set/images"}[release]
    assert index.loc["train_0000", "video"] == str(root / pictures)
    assert index["frames"].tolist() == {"old": [2, 1], "new": [3, 1]}[release]


def test_a_long_table_is_read_in_groups_of_a_thousand(tmp_path):
    lines = [line(f"1/{number}.jpg", affect=f"{number / 10000},0") for number in range(2001)]
    lines[1500] += "\n"  # a blank line after it
    write_table(tmp_path / "training.csv", *lines)
    assert affectnet.index(tmp_path)["frames"].tolist() == [1000, 1000, 1]
    for group, count in enumerate((1000, 1000, 1)):
        valence = read(tmp_path, f"train_{group:04d}")["annotation"].sel(affect="valence")
        np.testing.assert_allclose(valence, np.arange(count) / 10000 + group / 10, rtol=1e-5)


def test_a_line_is_a_picture_with_box_and_landmarks(old):
    annotation = read(old).sel(frame=0)
    assert annotation["still"].item() == "12/0a1b.jpg"
    assert annotation["box"].values.tolist() == [31, 32, 281, 272]
    np.testing.assert_array_equal(annotation["landmark"].sel(axis="x"), POINTS[::2])
    np.testing.assert_allclose(annotation["annotation"], [0.72, -0.11], rtol=1e-6)


def test_minus_two_is_not_annotated_and_a_missing_picture_stays(old):
    annotation = read(old)
    assert annotation["still"].values.tolist() == ["12/0a1b.jpg", ""]
    assert annotation["annotation"].isnull().all("affect").values.tolist() == [False, True]


@pytest.mark.parametrize("face", ["NULL,NULL,NULL,NULL", "-1,-1,-1,-1", ",,,"])
def test_a_picture_without_a_face_has_no_box_and_no_landmarks(face, tmp_path):
    write_table(tmp_path / "training.csv", line(face=face, points=""))
    assert np.isnan(read(tmp_path)["box"]).all()
    assert np.isnan(read(tmp_path)["landmark"]).all()


@pytest.mark.parametrize("header", [HEADER, "\ufeff" + HEADER, QUOTED])
def test_header_crlf_and_byte_order_mark(header, tmp_path):
    write_table(tmp_path / "training.csv", "", line(), header=header, end="\r\n")
    assert affectnet.index(tmp_path)["frames"].tolist() == [1]
    np.testing.assert_allclose(read(tmp_path)["annotation"], [[0.72, -0.11]], rtol=1e-6)


@pytest.mark.parametrize("first", [line(), "\ufeff" + line()])
def test_a_table_without_header_loses_no_line(first, tmp_path):
    write_table(tmp_path / "validation.csv", first, line("1/b.jpg"), header="")
    assert read(tmp_path, "validation_0000")["annotation"].notnull().all()
    assert affectnet.index(tmp_path)["frames"].tolist() == [2]


def test_folders_as_the_archives_unpack(tmp_path):
    write_table(tmp_path / "Manually_Annotated_file_lists" / "training.csv", line())
    pictures = tmp_path / "Manually_Annotated" / "Manually_Annotated_Images"
    touch(pictures / "12" / "0a1b.jpg")
    assert affectnet.index(tmp_path)["video"].tolist() == [str(pictures)]
    pictures.rename(tmp_path / "inner")
    (tmp_path / "inner").rename(touch(pictures / "x").parent / "Manually_Annotated_Images")
    assert read(tmp_path)["still"].values.tolist() == ["12/0a1b.jpg"]


def test_a_changed_table_is_read_again(old):
    assert read(old).sizes["frame"] == 2
    write_table(old / "training.csv", line())
    assert read(old).sizes["frame"] == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (line(affect="1.2,0"), r"in \[-1, 1\] or -2, got 1\.2, 0"),
        (line(affect="nan,0"), r"in \[-1, 1\] or -2, got nan, 0"),
        (line(affect="happy,0"), "numbers as valence and arousal.*'happy'"),
        (line(points="1;2;3"), "136 numbers separated by ';' as facial_landmarks, got 3"),
        (line(points="1;x"), "numbers as facial_landmarks.*'x'"),
        (line(face="a,1,1,1"), "numbers as face_x to face_height.*'a'"),
        ("12/0a1b.jpg,0.1", "expected the 9 cells .*, got 2"),
    ],
)
def test_an_invalid_line_is_named_with_its_number(text, message, tmp_path):
    write_table(tmp_path / "training.csv", line(), "", text)
    with pytest.raises(AffectkitError, match=rf"training\.csv, line 4: .*{message}"):
        read(tmp_path)
    assert affectnet.index(tmp_path)["frames"].tolist() == [2]


def test_another_header_and_binary_content_are_refused(tmp_path):
    swapped = HEADER.replace("valence,arousal", "arousal,valence")
    write_table(tmp_path / "training.csv", line(), header=swapped)
    with pytest.raises(AffectkitError, match=r"line 1: expected the header .*valence,arousal, got"):
        read(tmp_path)
    (tmp_path / "training.csv").write_bytes(HEADER.encode() + b"\n\xff\xfe\x9c/\n")
    with pytest.raises(AffectkitError, match="expected text in UTF-8"):
        read(tmp_path)


def test_numbers_are_pictures_in_the_order_of_numbers(new):
    annotation = read(new)
    assert annotation["still"].values.tolist() == ["2.jpg", "10.jpg", ""]
    np.testing.assert_allclose(
        annotation["annotation"], [[0.5, -0.25], [np.nan, np.nan], [0.5, -0.25]], rtol=1e-6
    )


def test_many_numbers_are_read_in_groups_of_a_thousand(tmp_path):
    for number in range(1002):
        touch(tmp_path / "train_set" / "images" / f"{2 * number}.jpg")
    write_values(tmp_path / "train_set", 2001, val=np.array("1"), aro=np.array("1"))
    assert affectnet.index(tmp_path)["frames"].tolist() == [1000, 3]
    assert read(tmp_path)["still"].values[[0, 1, -1]].tolist() == ["0.jpg", "2.jpg", "1998.jpg"]
    last = read(tmp_path, "train_0001")
    assert last["still"].values.tolist() == ["2000.jpg", "", "2002.jpg"]
    assert last["annotation"].notnull().all("affect").values.tolist() == [False, True, False]


def test_landmarks_of_a_picture_come_with_the_box_around_them(new):
    annotation = read(new)
    np.testing.assert_array_equal(annotation["landmark"].sel(frame=0, axis="y"), POINTS[1::2])
    assert annotation["box"].sel(frame=0).values.tolist() == [0, 1, 134, 135]
    assert np.isnan(annotation["box"].sel(frame=1)).all()


def test_minus_two_in_one_value_makes_both_nan(new):
    assert np.isnan(read(new, "validation_0000")["annotation"]).all()


@pytest.mark.parametrize(
    "value", [np.array("0.5"), np.array(b"0.5"), np.array(0.5), np.array([0.5]), np.float32(0.5)]
)
def test_a_value_may_be_text_or_number(value, new):
    write_values(new / "train_set", 2, val=value)
    assert read(new)["annotation"].sel(frame=0, affect="valence") == 0.5


def test_hidden_and_other_files_are_ignored(new):
    touch(new / "train_set" / "images" / "._2.jpg")
    touch(new / "train_set" / "images" / ".DS_Store")
    touch(new / "train_set" / "annotations" / "._2_val.npy")
    assert affectnet.index(new)["frames"].tolist() == [3, 1]


class Malice:
    def __reduce__(self):
        return (Path.mkdir, (Path("executed"),))


def test_a_pickle_is_refused_and_not_executed(new, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = new / "train_set" / "annotations" / "2_val.npy"
    np.save(path, np.array(Malice(), dtype=object), allow_pickle=True)
    with pytest.raises(AffectkitError, match=r"2_val\.npy: .*a pickle is never loaded"):
        read(new)
    path.write_bytes(pickle.dumps(Malice()))
    with pytest.raises(AffectkitError, match=r"2_val\.npy: .*a pickle is never loaded"):
        read(new)
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("val", np.array("happy"), "2_val.npy: expected numbers in an npy file"),
        ("val", np.array(3.0), r"2_val\.npy: expected a number in \[-1, 1\] or -2, got array\(3"),
        ("aro", np.zeros(2), r"2_aro\.npy: expected a number in"),
        ("lnd", np.zeros(5), r"2_lnd\.npy: expected 68 pairs of numbers, got .* shape \(5,\)"),
    ],
)
def test_an_invalid_file_is_named(kind, value, message, new):
    write_values(new / "train_set", 2, **{kind: value})
    with pytest.raises(AffectkitError, match=message):
        read(new)


def test_an_empty_file_is_named(new):
    (new / "train_set" / "annotations" / "2_aro.npy").write_bytes(b"")
    with pytest.raises(AffectkitError, match=r"2_aro\.npy: expected numbers in an npy file"):
        read(new)


def test_wrong_root_and_unknown_recordings_are_named(old, tmp_path):
    (tmp_path / "holiday" / "beach").mkdir(parents=True)
    with pytest.raises(AffectkitError, match=r"training\.csv.* or train_set.*found beach"):
        affectnet.index(tmp_path / "holiday")
    for name in ("train_0001", "train_0", "train", "happy_x", "_0000"):
        with pytest.raises(AffectkitError, match=f"unknown recording '{name}'.*train_0000"):
            read(old, name)
