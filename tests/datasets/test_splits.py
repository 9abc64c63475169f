import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affectkit.datasets import group_folds, with_folds
from affectkit.datasets.index import make_index
from affectkit.errors import AffectkitError

# the subject of each recording, by number; 0 = not named
SUBJECTS = st.lists(st.integers(0, 12), min_size=2, max_size=40)


def index_of(subjects, frames=None, splits=None) -> pd.DataFrame:
    rows = [
        {"recording": f"r{number:02d}", "subject": f"s{who}" if who else ""}
        for number, who in enumerate(subjects)
    ]
    index = make_index(rows)
    return index.assign(frames=frames or [100] * len(rows), split=splits or [""] * len(rows))


@settings(max_examples=40)
@given(subjects=SUBJECTS, seed=st.integers(0, 1000), data=st.data())
def test_no_subject_is_in_two_folds_and_no_fold_is_empty(subjects, seed, data):
    count = len({number for number in subjects if number}) + subjects.count(0)
    k = data.draw(st.integers(2, max(2, count)))
    frames = data.draw(
        st.lists(st.integers(0, 5000), min_size=len(subjects), max_size=len(subjects))
    )
    index = index_of(subjects, frames)
    if count < k:
        with pytest.raises(AffectkitError, match="cannot divide"):
            group_folds(index, k, seed)
        return
    dealt = group_folds(index, k, seed)
    named = dealt[dealt["subject"] != ""]
    assert (named.groupby("subject")["fold"].nunique() == 1).all()
    assert set(dealt["fold"]) == set(range(k))
    pd.testing.assert_frame_equal(dealt.drop(columns="fold"), index)


@settings(max_examples=40)
@given(subjects=SUBJECTS.filter(lambda subjects: len(set(subjects)) > 3), seed=st.integers(0, 9))
def test_folds_depend_on_the_seed_but_not_on_the_order_of_rows(subjects, seed):
    index = index_of(subjects)
    dealt = group_folds(index, 3, seed)
    turned = group_folds(index[::-1], 3, seed)
    pd.testing.assert_frame_equal(turned[::-1], dealt)
    pd.testing.assert_frame_equal(group_folds(index, 3, seed), dealt)


def test_another_seed_gives_other_folds():
    index = index_of(range(1, 31))
    folds = {tuple(group_folds(index, 5, seed)["fold"]) for seed in range(5)}
    assert len(folds) == 5


@pytest.mark.parametrize("seed", range(5))
def test_folds_hold_about_the_same_number_of_frames(seed):
    frames = np.random.default_rng(seed).integers(20, 400, 240).tolist()
    index = index_of([number // 2 + 1 for number in range(240)], frames)
    shares = group_folds(index, 5, seed).groupby("fold")["frames"].sum() / sum(frames)
    assert shares.between(0.18, 0.22).all()


def test_a_recording_of_unknown_length_counts_as_one_of_mean_length():
    index = index_of([1, 2, 3, 4], frames=[300, 0, 300, 0])
    assert sorted(group_folds(index, 2, 0)["fold"]) == [0, 0, 1, 1]
    assert sorted(group_folds(index.assign(frames=0), 2, 0)["fold"]) == [0, 0, 1, 1]


@pytest.mark.parametrize("k", [-1, 0, 1, 4])
def test_too_few_subjects_or_folds_are_refused(k):
    with pytest.raises(AffectkitError, match=rf"3 subjects \(r02, s1, s2\) into {k} folds"):
        group_folds(index_of([1, 2, 0, 1]), k, 0)


def test_one_fold_is_validation_others_train_and_test_unchanged():
    splits = ["train", "validation", "", "train", "test", "test"]
    index = index_of([1, 2, 3, 4, 5, 6], splits=splits)
    held_out = []
    for fold in range(4):
        split = with_folds(index, 4, seed=0, fold=fold)["split"]
        assert split[4:].tolist() == ["test", "test"]
        assert split[:4].value_counts().to_dict() == {"train": 3, "validation": 1}
        held_out += index.loc[split == "validation", "subject"].tolist()
    assert sorted(held_out) == ["s1", "s2", "s3", "s4"]
    assert index["split"].tolist() == splits


def test_a_missing_fold_is_refused():
    with pytest.raises(AffectkitError, match="expected a fold from 0 to 2 for 3 folds, got 3"):
        with_folds(index_of([1, 2, 3]), 3, 0, fold=3)
