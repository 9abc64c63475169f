import pytest

from affectkit.errors import AffectkitError
from affectkit.training.recipe import (
    RENAMED_KEYS,
    Recipe,
    parse_overrides,
    read_recipe,
    recipe_text,
    shipped_recipes,
)


@pytest.mark.parametrize("name", shipped_recipes())
def test_shipped_recipes_are_valid(name):
    assert read_recipe(name).name == name


def test_a_written_recipe_reads_back(tmp_path):
    recipe = read_recipe("demo", training={"epochs": 3})
    (tmp_path / "r.toml").write_text(recipe_text(recipe))
    assert read_recipe(tmp_path / "r.toml") == recipe
    assert read_recipe(str(tmp_path / "r.toml")) == recipe


def test_overrides_replace_single_keys_and_keep_the_others():
    recipe = read_recipe("demo", training={"epochs": 3, "mix": {"mse": 0.5}}, seed=4, name="mine")
    expected = read_recipe("demo").model_dump()
    expected |= {"seed": 4, "name": "mine"}
    expected["training"] |= {"epochs": 3}
    expected["training"]["mix"] |= {"mse": 0.5}
    assert recipe.model_dump() == expected


def test_overrides_of_the_command_line_are_toml_values_or_plain_words():
    overrides = parse_overrides(
        ["model.temporal=lstm", "windows.augment=false", "seed=4", "training.mix.mse=0.5"]
    )
    assert overrides == {
        "model": {"temporal": "lstm"},
        "windows": {"augment": False},
        "seed": 4,
        "training": {"mix": {"mse": 0.5}},
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["training.epochs"], "expected TABLE.KEY=VALUE, such as training.epochs=5"),
        (["name=x", "name.x=3"], "another argument sets 'name' to a value"),
    ],
)
def test_invalid_overrides_of_the_command_line_are_errors(arguments, message):
    with pytest.raises(AffectkitError, match=message):
        parse_overrides(arguments)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.epoch=3", "unknown key 'training.epoch': did you mean 'epochs'"),
        ("modell.backbone=x", "unknown key 'modell': did you mean 'model'"),
        ("training.epochs=0", "training.epochs: input should be greater than or equal to 1, got 0"),
        ("training.loss=cccc", "training.loss: input should be 'ccc', 'mse'"),
        ("training.mix.cccc=1", "unknown key 'training.mix.cccc': did you mean 'ccc'"),
        ("training.mix.mse=-1", "training.mix.mse: input should be greater than or equal to 0"),
        ("model.std=true", "model.std = true needs training.loss = 'gaussian'"),
        ("training.loss=gaussian", "model.std = true needs training.loss = 'gaussian'"),
        ("model.dropout=1.0", "model.dropout.0: input should be less than 1, got 1.0"),
        ("model.dropout=[0.5, 0.5]", "one number, or one for each of the 1 fully connected layers"),
        ("model.fc=[64, 0]", "model.fc.1: input should be greater than or equal"),
        ("model.contxt=3", "unknown key 'model.contxt': did you mean 'context'"),
        ("windows.length=long", "windows.length: input should be a valid integer"),
        ("name.x=3", "name: input should be a valid string"),
    ],
)
def test_invalid_keys_and_values_are_named(override, message):
    with pytest.raises(AffectkitError, match=message.replace("[", r"\[")):
        read_recipe("demo", **parse_overrides([override]))


@pytest.mark.parametrize(("old", "new"), RENAMED_KEYS.items())
def test_the_error_for_an_old_key_names_the_new_one(old, new):
    known = {
        f"{table}.{key}"
        for table, field in Recipe.model_fields.items()
        for key in getattr(field.annotation, "model_fields", ())
    }
    assert new in known
    assert old not in known
    with pytest.raises(AffectkitError, match=f"{old} is now {new}; rename it"):
        read_recipe("demo", **parse_overrides([f"{old}=1"]))


def test_a_mix_of_losses_needs_a_weight_above_0():
    with pytest.raises(AffectkitError, match=r"training\.mix must give at least one loss a weight"):
        read_recipe("demo", training={"loss": "mix", "mix": {"ccc": 0, "mse": 0}})


@pytest.mark.parametrize("loss", [{"loss": "gaussian"}, {"loss": "mix", "mix": {"gaussian": 0.1}}])
def test_standard_deviations_need_a_loss_that_trains_them(loss):
    assert read_recipe("demo", model={"std": True}, training=loss).model.std


def test_dropout_is_one_number_or_one_for_each_layer(tmp_path):
    assert read_recipe("demo", model={"dropout": 0.5}).model.dropout == (0.5,)
    recipe = read_recipe("demo", model={"fc": [8, 4], "dropout": [0.5, 0]})
    assert recipe.model.dropout == (0.5, 0.0)
    (tmp_path / "r.toml").write_text(recipe_text(recipe))
    assert read_recipe(tmp_path / "r.toml") == recipe


def test_one_error_lists_all_invalid_keys(tmp_path):
    (tmp_path / "r.toml").write_text("[training]\nepoch = 1\nloss = 'x'\n")
    with pytest.raises(AffectkitError, match=r"epoch.*; .*loss|loss.*; .*epoch"):
        read_recipe(tmp_path / "r.toml")


@pytest.mark.parametrize("source", ["gone.toml", "gone"])
def test_the_error_for_a_missing_recipe_lists_the_shipped_ones(source):
    with pytest.raises(AffectkitError, match=", ".join(shipped_recipes())):
        read_recipe(source)


def test_a_file_that_is_not_toml_is_an_error(tmp_path):
    (tmp_path / "r.toml").write_text("epochs: 3")
    with pytest.raises(AffectkitError, match="is not valid TOML"):
        read_recipe(tmp_path / "r.toml")


@pytest.mark.parametrize("splits", [{"folds": 1}, {"folds": 3, "fold": 3}])
def test_a_fold_that_does_not_exist_is_an_error(splits):
    with pytest.raises(
        AffectkitError, match="splits: folds must be at least 2, and fold less than folds"
    ):
        read_recipe("demo", splits=splits)


def test_shared_subjects_read_back(tmp_path):
    recipe = read_recipe("demo", splits={"shared_subjects": ["ann", "ben"], "folds": 5})
    (tmp_path / "r.toml").write_text(recipe_text(recipe))
    assert read_recipe(tmp_path / "r.toml").splits == recipe.splits
    assert recipe.splits.shared_subjects == ("ann", "ben")
