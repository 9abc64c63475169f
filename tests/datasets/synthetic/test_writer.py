import shutil
from pathlib import Path

import numpy as np
import pytest

from affectkit.datasets import find, synthetic
from affectkit.datasets.synthetic.plan import make_scene, read_plan
from affectkit.errors import AffectkitError
from affectkit.video import read_frames
from tests.datasets.synthetic.conftest import TINY


def contents(root: Path) -> dict[str, bytes]:
    paths = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in paths}


def test_layout_is_that_of_affwild2(drawn):
    assert set(contents(drawn)) == {
        "synthetic.json",
        "batch1/person_000.mp4",
        "batch1/person_001.mp4",
        "ratings/person_000.csv",
        "ratings/person_001.csv",
        "VA_Estimation_Challenge/Train_Set/person_000.txt",
        "VA_Estimation_Challenge/Validation_Set/person_001.txt",
    }
    assert list(find("affwild2").index(drawn)["recording"]) == ["person_000", "person_001"]


def test_what_is_read_is_what_was_written(drawn):
    dataset = find("synthetic")
    row = dataset.index(drawn).iloc[1]
    (time, rgb), *_ = read_frames(row["video"])
    read = dataset.annotations(drawn, row["recording"])
    scene = make_scene(read_plan(drawn), 1)
    expected = np.where(scene.annotated[:, None], scene.rating.mean(axis=0).round(4), np.nan)
    assert not scene.annotated.all()
    np.testing.assert_array_equal(read["annotation"], expected.astype(np.float32))
    np.testing.assert_array_equal(read["rating"], scene.rating.round(4).astype(np.float32))
    np.testing.assert_allclose(time, np.arange(15) / 15, atol=1e-6)
    assert rgb.shape == (15, 128, 128, 3)
    assert (row["subject"], row["split"], row["fps"]) == ("person_001", "validation", 15)
    assert read.attrs["dataset"] == "synthetic"


def test_two_processes_write_the_same_bytes_as_one(drawn, tmp_path):
    steps = []
    again = synthetic.write(
        tmp_path / "again",
        **TINY | {"workers": 2},
        progress=lambda done, total: steps.append((done, total)),
    )
    assert contents(again) == contents(drawn)
    assert steps == [(1, 2), (2, 2)]


def test_other_seed_draws_other_people_with_other_emotions(drawn, tmp_path):
    other = synthetic.write(tmp_path / "other", **TINY | {"seed": 1, "people": (1, 0, 0)})
    for name in ("batch1/person_000.mp4", "VA_Estimation_Challenge/Train_Set/person_000.txt"):
        assert contents(other)[name] != contents(drawn)[name]


def test_second_call_writes_only_what_is_missing(drawn, tmp_path):
    root = Path(shutil.copytree(drawn, tmp_path / "copy"))
    (root / "batch1" / "person_001.mp4").unlink()
    (root / "ratings" / "person_000.csv").unlink()
    (root / "batch1" / ".partial-person_001.mp4").write_text("left by a killed process")
    kept = root / "batch1" / "person_000.mp4"
    written = kept.stat().st_mtime_ns
    synthetic.write(root, **TINY)
    assert contents(root) == contents(drawn)
    assert kept.stat().st_mtime_ns == written


def test_other_numbers_in_the_same_folder_are_refused(drawn):
    with pytest.raises(AffectkitError, match=r"seed 0, asked for 7.*choose another folder"):
        synthetic.write(drawn, **TINY | {"seed": 7})


def test_foreign_folder_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(AffectkitError, match="not an empty folder"):
        synthetic.write(tmp_path, **TINY)


def test_unknown_layouts_list_the_known_ones(tmp_path):
    with pytest.raises(AffectkitError, match="unknown layout 'affwild22': did you mean 'affwild2'"):
        synthetic.write(tmp_path / "new", **TINY, layout="affwild22")


@pytest.mark.parametrize(
    "wrong", [{"people": (0, 0, 0)}, {"seconds": 0}, {"size": 97}, {"missing": 2}, {"workers": 0}]
)
def test_senseless_numbers_are_named(wrong, tmp_path):
    with pytest.raises(AffectkitError, match=next(iter(wrong))):
        synthetic.write(tmp_path / "new", **TINY | wrong)


def test_damaged_plan_and_ratings_are_one_clear_line(drawn, tmp_path):
    root = Path(shutil.copytree(drawn, tmp_path / "copy"))
    (root / "ratings" / "person_000.csv").write_text("frame,person\n1,2\n")
    with pytest.raises(AffectkitError, match=r"person_000\.csv cannot be read as ratings"):
        synthetic.annotations(root, "person_000")
    (root / "synthetic.json").write_text("{}")
    with pytest.raises(AffectkitError, match=r"synthetic\.json is not the plan"):
        synthetic.index(root)
