import shutil
from pathlib import Path

import numpy as np
import pytest

from affectkit.datasets import find_loader, synthetic
from affectkit.datasets.synthetic.scene import make_scene, read_settings
from affectkit.errors import AffectkitError
from affectkit.video import read_frames
from tests.datasets.synthetic.conftest import TINY


def contents(root: Path) -> dict[str, bytes]:
    paths = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in paths}


def test_layout_is_that_of_affwild2(synthetic_root):
    assert set(contents(synthetic_root)) == {
        "synthetic.json",
        "batch1/person_000.mp4",
        "batch1/person_001.mp4",
        "ratings/person_000.csv",
        "ratings/person_001.csv",
        "VA_Estimation_Challenge/Train_Set/person_000.txt",
        "VA_Estimation_Challenge/Validation_Set/person_001.txt",
    }
    assert list(find_loader("affwild2").index(synthetic_root)["recording"]) == [
        "person_000",
        "person_001",
    ]


def test_the_written_annotations_are_read_back(synthetic_root):
    dataset = find_loader("synthetic")
    row = dataset.index(synthetic_root).iloc[1]
    (time, rgb), *_ = read_frames(row["video"])
    read = dataset.annotations(synthetic_root, row["recording"])
    scene = make_scene(read_settings(synthetic_root), 1)
    expected = np.where(scene.annotated[:, None], scene.rating.mean(axis=0).round(4), np.nan)
    assert not scene.annotated.all()
    np.testing.assert_array_equal(read["annotation"], expected.astype(np.float32))
    np.testing.assert_array_equal(read["rating"], scene.rating.round(4).astype(np.float32))
    np.testing.assert_allclose(time, np.arange(15) / 15, atol=1e-6)
    assert rgb.shape == (15, 128, 128, 3)
    assert (row["subject"], row["split"], row["fps"]) == ("person_001", "validation", 15)
    assert read.attrs["dataset"] == "synthetic"


def test_two_workers_write_the_same_bytes_as_one(synthetic_root, tmp_path):
    steps = []
    again = synthetic.write_synthetic(
        tmp_path / "again",
        **TINY | {"workers": 2},
        progress=lambda *state: steps.append(state),
    )
    assert contents(again) == contents(synthetic_root)
    assert steps == [("subjects", 1, 2), ("subjects", 2, 2)]


def test_another_seed_gives_other_subjects_and_emotions(synthetic_root, tmp_path):
    other = synthetic.write_synthetic(
        tmp_path / "other", **TINY | {"seed": 1, "subjects": (1, 0, 0)}
    )
    for name in ("batch1/person_000.mp4", "VA_Estimation_Challenge/Train_Set/person_000.txt"):
        assert contents(other)[name] != contents(synthetic_root)[name]


def test_second_call_writes_only_what_is_missing(synthetic_root, tmp_path):
    root = Path(shutil.copytree(synthetic_root, tmp_path / "copy"))
    (root / "batch1" / "person_001.mp4").unlink()
    (root / "ratings" / "person_000.csv").unlink()
    (root / "batch1" / ".partial-01234567-person_001.mp4").write_text("left by a killed process")
    kept = root / "batch1" / "person_000.mp4"
    expected = kept.stat().st_mtime_ns
    synthetic.write_synthetic(root, **TINY)
    assert contents(root) == contents(synthetic_root)
    assert kept.stat().st_mtime_ns == expected


def test_other_settings_in_the_same_folder_are_refused(synthetic_root):
    with pytest.raises(AffectkitError, match=r"seed 0, requested 7.*choose another folder"):
        synthetic.write_synthetic(synthetic_root, **TINY | {"seed": 7})


def test_a_folder_with_other_files_is_not_changed(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(AffectkitError, match="not an empty folder"):
        synthetic.write_synthetic(tmp_path, **TINY)


def test_unknown_layouts_list_the_known_ones(tmp_path):
    with pytest.raises(AffectkitError, match="unknown layout 'affwild22': did you mean 'affwild2'"):
        synthetic.write_synthetic(tmp_path / "new", **TINY, layout="affwild22")


@pytest.mark.parametrize(
    "wrong", [{"subjects": (0, 0, 0)}, {"seconds": 0}, {"size": 97}, {"missing": 2}, {"workers": 0}]
)
def test_invalid_settings_are_named(wrong, tmp_path):
    with pytest.raises(AffectkitError, match=next(iter(wrong))):
        synthetic.write_synthetic(tmp_path / "new", **TINY | wrong)


def test_damaged_settings_and_ratings_give_one_line(synthetic_root, tmp_path):
    root = Path(shutil.copytree(synthetic_root, tmp_path / "copy"))
    (root / "ratings" / "person_000.csv").write_text("frame,person\n1,2\n")
    with pytest.raises(AffectkitError, match=r"person_000\.csv cannot be read as ratings"):
        synthetic.annotations(root, "person_000")
    (root / "synthetic.json").write_text("{}")
    with pytest.raises(AffectkitError, match=r"synthetic\.json does not contain the settings"):
        synthetic.index(root)
