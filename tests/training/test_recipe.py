import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


@pytest.mark.parametrize(
    "override",
    [
        "seed=-1",
        "seed=9223372036854775808",
        "splits.seed=4294967296",
        "windows.length=1_000_000_000",
        "windows.input_size=100_000",
        "windows.max_gap=nan",
        "model.layers=1_000_000",
        "model.fc=[100_000_000_000_000_000_000]",
        "model.hidden=1_000_000",
        "training.devices=1_000_000_000",
        "training.epochs=1_000_000_000",
        "training.learning_rate=inf",
        "training.gradient_clip=nan",
        "predict.window=1_000_000_000_000",
        "predict.smooth_seconds=1e300",
    ],
)
def test_the_error_for_a_number_out_of_bounds_names_key_and_bound(override):
    key = override.partition("=")[0]
    with pytest.raises(
        AffectkitError, match=rf"{key}.*: input should be .* than (or equal to )?\d"
    ):
        read_recipe("demo", **parse_overrides([override]))


def test_a_batch_of_more_pixels_than_any_memory_is_an_error():
    windows = {"length": 100_000, "batch": 100, "input_size": 1024}
    with pytest.raises(AffectkitError, match="10485760000000 pixels a step, more than 8589934592"):
        read_recipe("demo", windows=windows)


def test_a_tcn_with_too_long_a_memory_is_an_error():
    with pytest.raises(AffectkitError, match="uses 131068 past frames, more than 100000"):
        read_recipe("demo", model={"temporal": "tcn", "layers": 15})
    assert read_recipe("demo", model={"temporal": "gru", "layers": 15}).model.layers == 15


def test_more_processes_than_windows_in_a_batch_are_an_error():
    with pytest.raises(AffectkitError, match=r"at most windows\.batch \(4\)"):
        read_recipe("demo", training={"devices": 5})


def test_infinity_means_no_limit_where_a_limit_is_optional():
    recipe = read_recipe(
        "demo", training={"gradient_clip": math.inf}, windows={"max_gap": math.inf}
    )
    assert recipe.training.gradient_clip == recipe.windows.max_gap == math.inf


def _keys(section=Recipe, path=()):
    """The path of each key of a recipe."""
    for name, field in section.model_fields.items():
        if hasattr(field.annotation, "model_fields"):
            yield from _keys(field.annotation, (*path, name))
        yield (*path, name)


NUMBERS = st.integers() | st.integers(-(10**6000), 10**6000) | st.floats()
ANYTHING = st.recursive(
    NUMBERS | st.text(st.characters()) | st.binary() | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=6,
)


@settings(max_examples=1000)
@given(key=st.sampled_from(list(_keys())), value=ANYTHING)
def test_any_value_of_a_key_gives_a_recipe_that_reads_back_or_an_error_of_one_line(
    key, value, tmp_path_factory
):
    changed = value
    for name in reversed(key):
        changed = {name: changed}
    error, recipe = "", None
    try:
        recipe = read_recipe("demo", **changed)
    except AffectkitError as raised:
        error = str(raised)
    if recipe is None:
        assert len(error.splitlines()) == 1
        assert len(error) < 10_000
        return
    path = tmp_path_factory.getbasetemp() / "r.toml"
    path.write_text(recipe_text(recipe), encoding="utf-8")
    assert read_recipe(path) == recipe


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


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"epochs: 3", "is not valid TOML"),
        (b"name = '\xff'", "is not valid TOML, correct it: 'utf-8' codec"),
        (b"x = " + 100_000 * b"[", "nested too deep"),
        (b"x = " + 100_000 * b"{y = ", "nested too deep"),
        (b"seed = " + 5000 * b"1", "is not valid TOML"),
        (b"", "is empty"),
        (b"# a comment\n", "is empty"),
    ],
)
def test_a_file_that_is_not_a_recipe_is_an_error_of_one_line(content, message, tmp_path):
    (tmp_path / "r.toml").write_bytes(content)
    with pytest.raises(AffectkitError, match=message) as error:
        read_recipe(tmp_path / "r.toml")
    assert len(str(error.value).splitlines()) == 1


def test_a_folder_with_the_name_of_a_recipe_is_an_error(tmp_path):
    (tmp_path / "r.toml").mkdir()
    with pytest.raises(AffectkitError, match=r"r\.toml .*[Dd]irectory"):
        read_recipe(tmp_path / "r.toml")


def test_a_value_nested_too_deep_for_toml_is_text():
    assert parse_overrides(["name=" + 100_000 * "["])["name"] == 100_000 * "["


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
