"""The SEWA loader on small handmade copies with known quirks."""

import numpy as np
import pytest

from affectkit.datasets import align_to_frames, sewa
from affectkit.errors import AffectkitError
from tests.datasets.files import write_grey, write_lines

HEADER = "name;timestamp;arousal;valence;liking"


def write_labels(root, name, rows, folder="labels_devel", header=HEADER, end="\n"):
    lines = [f"'{name}';{number / 10:.6f};{row};0.0" for number, row in enumerate(rows)]
    return write_lines(root / folder / f"{name}.csv", header, *lines, end=end)


@pytest.fixture
def root(tmp_path):
    write_labels(tmp_path, "Devel_DE_01", ["0.0;0.0", "0.0;0.0", "0.5;-0.1", "0.7;-0.3"])
    write_labels(tmp_path, "Train_DE_01", ["0.1;0.2"], "labels_train")
    write_labels(tmp_path, "Test_CN_07", ["0.1;0.2"], "labels_test")
    write_grey(tmp_path / "clips" / "de" / "Devel_DE_01.mp4", frames=10)
    return tmp_path


def read(root, name="Devel_DE_01"):
    return sewa.annotations(root, name)["annotation"].values


def test_index_takes_splits_from_names_and_videos_from_any_folder(root):
    index = sewa.index(root).set_index("recording")
    assert index["split"].to_dict() == {
        "Devel_DE_01": "validation",
        "Test_CN_07": "test",
        "Train_DE_01": "train",
    }
    assert index.loc["Devel_DE_01", "video"] == str(root / "clips" / "de" / "Devel_DE_01.mp4")
    assert index.loc["Train_DE_01", "video"] == ""


def test_equal_numbers_in_different_splits_are_different_subjects(root):
    assert sewa.index(root)["subject"].is_unique


def test_valence_is_found_by_name_after_arousal_and_zeros_are_kept(root):
    np.testing.assert_allclose(read(root), [[0, 0], [0, 0], [-0.1, 0.5], [-0.3, 0.7]])


def test_columns_may_be_in_another_order(root):
    path = root / "labels_devel" / "Devel_DE_01.csv"
    write_lines(path, "liking;valence;arousal;timestamp;name", "0;0.1;0.2;0.0;'x'", end="\r\n")
    np.testing.assert_allclose(read(root), [[0.1, 0.2]])


def test_ten_rows_per_second_are_interpolated_at_the_frame_times(root):
    aligned = align_to_frames(sewa.annotations(root, "Devel_DE_01"), np.arange(10) / 25)[
        "annotation"
    ]
    np.testing.assert_allclose(aligned[5], [-0.1, 0.5])
    np.testing.assert_allclose(aligned[6], [-0.1 - 0.2 * 0.4, 0.5 + 0.2 * 0.4], rtol=1e-6)


def test_predictions_with_the_same_names_are_ignored(root):
    write_labels(root, "Devel_DE_01", ["1;1"] * 9, "predictions_svr")
    write_labels(root, "Devel_HU_01", ["1;1"] * 9, "predictions_svr")
    assert len(read(root)) == 4
    assert len(sewa.index(root)) == 3


def test_the_labels_folder_is_preferred_for_duplicate_names(root):
    write_labels(root, "Devel_DE_01", ["1;1"], "zz_copy")
    assert len(read(root)) == 4


def test_other_and_broken_tables_are_ignored(root):
    write_lines(root / "subjects.csv", "id,age", "1,30")
    (root / "labels_devel" / "broken.csv").write_bytes(b"\xff\xfe\x00")
    assert len(sewa.index(root)) == 3


def test_wrong_root_and_unknown_recording_are_named(root, tmp_path_factory):
    with pytest.raises(AffectkitError, match="no SEWA labels in"):
        sewa.index(tmp_path_factory.mktemp("empty"))
    with pytest.raises(AffectkitError, match="did you mean 'Devel_DE_01'"):
        read(root, "Devel_DE_02")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("'x';0.1;2;0;0", r"line 3: expected arousal in \[-1, 1\], got arousal '2'"),
        ("'x';0.1;0;;0", r"line 3: expected valence in \[-1, 1\], got valence ''"),
        ("'x';now;0;0;0", "line 3: expected numbers only, got timestamp 'now'"),
        ("'x';0.0;0;0;0", "line 3: expected increasing timestamps"),
    ],
)
def test_an_invalid_row_is_named_with_its_line(row, message, root):
    write_lines(root / "labels_devel" / "Devel_DE_01.csv", HEADER, "'x';0.0;0;0;0", row)
    with pytest.raises(AffectkitError, match=rf"Devel_DE_01\.csv, {message}"):
        read(root)
