import pytest

from affectkit.errors import AffectkitError
from affectkit.training.recipe import read_recipe, recipe_text, shipped_recipes


@pytest.mark.parametrize("name", shipped_recipes())
def test_shipped_recipes_read(name):
    assert read_recipe(name).name == name


def test_a_complete_recipe_reads_back(tmp_path):
    recipe = read_recipe("demo", ["training.epochs=3"])
    (tmp_path / "r.toml").write_text(recipe_text(recipe))
    assert read_recipe(tmp_path / "r.toml") == recipe


def test_overrides_take_toml_values_and_bare_words():
    recipe = read_recipe("demo", ["model.temporal=lstm", "windows.augment=false", "seed=4"])
    assert (recipe.model.temporal, recipe.windows.augment, recipe.seed) == ("lstm", False, 4)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.epoch=3", "unknown key 'training.epoch', did you mean 'epochs'"),
        ("modell.backbone=x", "unknown key 'modell', did you mean 'model'"),
        ("training.epochs=0", "training.epochs: input should be greater than or equal to 1, got 0"),
        ("training.loss=cccc", "training.loss: input should be 'ccc' or 'mse'"),
        ("windows.length=long", "windows.length: input should be a valid integer"),
        ("training.epochs", "should read TABLE.KEY=VALUE"),
        ("name.x=3", "'name' is not a table of the recipe"),
    ],
)
def test_faults_are_named(override, message):
    with pytest.raises(AffectkitError, match=message.replace("[", r"\[")):
        read_recipe("demo", [override])


def test_all_faults_come_at_once(tmp_path):
    (tmp_path / "r.toml").write_text("[training]\nepoch = 1\nloss = 'x'\n")
    with pytest.raises(AffectkitError, match=r"epoch.*; .*loss|loss.*; .*epoch"):
        read_recipe(tmp_path / "r.toml")


@pytest.mark.parametrize("source", ["gone.toml", "gone"])
def test_a_missing_recipe_lists_the_shipped_ones(source):
    with pytest.raises(AffectkitError, match="demo, quick"):
        read_recipe(source)


def test_a_file_that_is_not_toml_says_so(tmp_path):
    (tmp_path / "r.toml").write_text("epochs: 3")
    with pytest.raises(AffectkitError, match="is not TOML"):
        read_recipe(tmp_path / "r.toml")


@pytest.mark.parametrize("value", ["{folds = 1}", "{folds = 3, fold = 3}"])
def test_a_fold_that_is_not_there_is_named(value):
    with pytest.raises(AffectkitError, match="splits: folds should be 2 or more, fold below folds"):
        read_recipe("demo", [f"splits={value}"])


def test_shared_subjects_read_back(tmp_path):
    recipe = read_recipe("demo", ['splits.shared_subjects=["ann", "ben"]', "splits.folds=5"])
    (tmp_path / "r.toml").write_text(recipe_text(recipe))
    assert read_recipe(tmp_path / "r.toml").splits == recipe.splits
    assert recipe.splits.shared_subjects == ("ann", "ben")
