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
        ("training.loss=cccc", "training.loss: input should be 'ccc', 'mse'"),
        ("training.mix.cccc=1", "unknown key 'training.mix.cccc', did you mean 'ccc'"),
        ("training.mix.mse=-1", "training.mix.mse: input should be greater than or equal to 0"),
        ("model.spread=true", "model.spread = true goes with training.loss = 'gaussian'"),
        ("training.loss=gaussian", "model.spread = true goes with training.loss = 'gaussian'"),
        ("model.dropout=1.0", "model.dropout.0: input should be less than 1, got 1.0"),
        ("model.dropout=[0.5, 0.5]", "one number, or one for each of the 1 connected layers"),
        ("model.connected=[64, 0]", "model.connected.1: input should be greater than or equal"),
        ("model.look_bak=3", "unknown key 'model.look_bak', did you mean 'look_back'"),
        ("windows.length=long", "windows.length: input should be a valid integer"),
        ("training.epochs", "should read TABLE.KEY=VALUE"),
        ("name.x=3", "'name' is not a table of the recipe"),
    ],
)
def test_faults_are_named(override, message):
    with pytest.raises(AffectkitError, match=message.replace("[", r"\[")):
        read_recipe("demo", [override])


def test_a_mix_needs_a_weight():
    with pytest.raises(AffectkitError, match=r"training\.mix should give a loss a weight above 0"):
        read_recipe("demo", ["training.loss=mix", "training.mix={ccc=0, mse=0}"])


@pytest.mark.parametrize("loss", [["loss=gaussian"], ["loss=mix", "mix.gaussian=0.1"]])
def test_spreads_go_with_the_loss_that_looks_at_them(loss):
    recipe = read_recipe("demo", ["model.spread=true", *(f"training.{each}" for each in loss)])
    assert recipe.model.spread


def test_dropout_is_a_number_or_one_for_each_layer(tmp_path):
    assert read_recipe("demo", ["model.dropout=0.5"]).model.dropout == (0.5,)
    recipe = read_recipe("demo", ["model.connected=[8, 4]", "model.dropout=[0.5, 0]"])
    assert recipe.model.dropout == (0.5, 0.0)
    (tmp_path / "r.toml").write_text(recipe_text(recipe))
    assert read_recipe(tmp_path / "r.toml") == recipe


def test_all_faults_come_at_once(tmp_path):
    (tmp_path / "r.toml").write_text("[training]\nepoch = 1\nloss = 'x'\n")
    with pytest.raises(AffectkitError, match=r"epoch.*; .*loss|loss.*; .*epoch"):
        read_recipe(tmp_path / "r.toml")


@pytest.mark.parametrize("source", ["gone.toml", "gone"])
def test_a_missing_recipe_lists_the_shipped_ones(source):
    with pytest.raises(AffectkitError, match=", ".join(shipped_recipes())):
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
