"""Splits of the recordings, and the metadata of a run."""

import pytest

from affectkit.errors import AffectkitError
from affectkit.recording import list_recordings, open_recording, save_recording
from affectkit.run import read_metadata
from affectkit.training.fit import fit
from affectkit.training.recipe_sections import SplitSection
from affectkit.training.run_metadata import split_recordings


def names(splits):
    return {split: {r.attrs["recording"] for r in group} for split, group in splits.items()}


@pytest.fixture
def unsplit(make_recording):
    """Six recordings of four subjects without a split, and one of the test split."""
    subjects = ("ann", "ann", "ben", "cam", "cam", "")
    recordings = [
        make_recording(f"clip_{number}", 20, number, subject=subject, crop={"size": 16})
        for number, subject in enumerate(subjects)
    ]
    last = make_recording("clip_6", 20, 6, subject="dan", split="test", crop={"size": 16})
    return [*recordings, last]


def change(path, **attrs):
    save_recording(open_recording(path).load().assign_attrs(attrs), path, overwrite=True)


def test_without_folds_recordings_keep_their_splits(three_recordings):
    assert names(split_recordings(three_recordings)) == {
        "train": {"first"}, "validation": {"second"}, "test": {"third"}
    }  # fmt: skip


def test_the_error_for_missing_splits_says_how_to_make_them(unsplit):
    with pytest.raises(AffectkitError, match=r"6 in '', 1 in 'test'; .*set splits\.folds"):
        split_recordings(unsplit)


def test_each_fold_holds_out_other_subjects_and_keeps_the_test_split(unsplit):
    held_out = []
    for fold in range(4):
        splits = names(split_recordings(unsplit, SplitSection(folds=4, fold=fold)))
        assert splits["test"] == {"clip_6"}
        assert len(splits["train"] | splits["validation"]) == 6
        held_out.append(splits["validation"])
    assert sorted(held_out, key=min) == [
        {"clip_0", "clip_1"}, {"clip_2"}, {"clip_3", "clip_4"}, {"clip_5"}
    ]  # fmt: skip


def test_folds_replace_the_validation_split_of_the_dataset(three_recordings):
    held_out = [
        names(split_recordings(three_recordings, SplitSection(folds=2, fold=fold)))["validation"]
        for fold in (0, 1)
    ]
    assert sorted(held_out, key=min) == [{"first"}, {"second"}]


def test_shared_subjects_are_an_error_unless_they_are_allowed(unsplit):
    for recording in unsplit:
        recording.attrs["split"] = "train"
    for number in (1, 4):
        unsplit[number].attrs["split"] = "validation"
    message = (
        r"subject 'ann' is in the splits 'train' and 'validation'; subject 'cam' .*shared_subjects"
    )
    with pytest.raises(AffectkitError, match=message):
        split_recordings(unsplit)
    with pytest.raises(AffectkitError, match=r"^subject 'cam'"):
        split_recordings(unsplit, SplitSection(shared_subjects=("ann",)))
    splits = names(split_recordings(unsplit, SplitSection(shared_subjects=("ann", "cam"))))
    assert splits["validation"] == {"clip_1", "clip_4"}


def test_the_metadata_of_a_run_contain_the_splits_of_its_fold(recordings, recipe, tmp_path):
    for path in list_recordings(recordings):
        change(path, split="")
    folds = recipe(splits__folds=4, splits__fold=1, training__epochs=1)
    fit(folds, recordings, tmp_path / "run")
    splits = read_metadata(tmp_path / "run")["splits"]
    assert {split: len(group) for split, group in splits.items()} == {"train": 6, "validation": 2}
    fit(folds, recordings, tmp_path / "run")  # finished; the run matches
    with pytest.raises(AffectkitError, match="was trained with another recipe"):
        fit(recipe(splits__folds=4, training__epochs=1), recordings, tmp_path / "run")


def test_a_run_does_not_resume_with_other_splits(recordings, recipe, tmp_path):
    fit(recipe(training__epochs=1), recordings, tmp_path / "run")
    change(recordings / "person_4.zarr", split="test")
    with pytest.raises(AffectkitError, match="was trained on other splits"):
        fit(recipe(training__epochs=1), recordings, tmp_path / "run")


def test_a_split_without_annotated_faces_is_an_error(three_recordings):
    first, second, third = three_recordings
    seen = second["frame"] >= 30
    second["annotation"] = second["annotation"].where(~seen)
    second["crop_box"] = second["crop_box"].where(seen)
    with pytest.raises(AffectkitError, match="with annotated faces in the split 'validation'"):
        split_recordings([first, second, third])
