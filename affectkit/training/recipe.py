"""Recipes: TOML files with all settings of a model and its training, read and checked."""

import reprlib
import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Self

import tomli_w
from pydantic import ValidationError, model_validator
from pydantic_core import PydanticCustomError

from affectkit.errors import AffectkitError, did_you_mean
from affectkit.files import StrPath
from affectkit.training.recipe_sections import (
    ModelSection,
    Name,
    PredictSection,
    Section,
    Seed,
    SplitSection,
    Stage,
    TrainingSection,
    WindowSection,
)

MAX_FAULTS = 20  # listed in an error
RENAMED_KEYS = {  # keys of older recipes; used only for the error that names the new key
    "model.connected": "model.fc",
    "model.taps": "model.feature_layers",
    "model.one_memory": "model.shared_rnn",
    "model.spread": "model.std",
    "model.pixels": "model.normalisation",
    "model.norm": "model.layer_norm",
    "model.look_back": "model.context",
    "windows.quadrants": "windows.quadrant_shares",
    "training.clip": "training.gradient_clip",
    "training.accumulate": "training.micro_batches",
}

REMOVED_KEYS = {
    "training.accelerator": "the device is not part of a recipe any more: use --device of "
    "'affectkit train', or fit(..., device=...)",
}


class Recipe(Section):
    """All settings of a model and its training."""

    name: Name
    seed: Seed = 0
    model: ModelSection = ModelSection()
    windows: WindowSection = WindowSection()
    training: TrainingSection = TrainingSection()
    splits: SplitSection = SplitSection()
    predict: PredictSection = PredictSection()

    @model_validator(mode="after")
    def _check_std(self) -> Self:
        loss, mix = self.training.loss, self.training.mix
        if loss == "mix" and not mix.ccc + mix.mse + mix.gaussian:
            raise PydanticCustomError(
                "mix", "training.mix must give at least one loss a weight above 0"
            )
        trained = loss == "gaussian" or (loss == "mix" and mix.gaussian > 0)
        if self.model.std != trained:
            raise PydanticCustomError(
                "std",
                "model.std = true needs training.loss = 'gaussian', or 'mix' with "
                "training.mix.gaussian above 0, and these losses need model.std = true",
            )
        return self

    @model_validator(mode="after")
    def _check_devices(self) -> Self:
        if self.training.devices > self.windows.batch:
            raise PydanticCustomError(
                "devices",
                "training.devices should be at most windows.batch ({batch}): each process trains "
                "on at least one window of a batch, got {devices}",
                {"batch": self.windows.batch, "devices": self.training.devices},
            )
        return self


def shipped_recipes() -> list[str]:
    """Names of the recipes that affectkit includes."""
    folder = resources.files("affectkit") / "recipes"
    return sorted(item.name[:-5] for item in folder.iterdir() if item.name.endswith(".toml"))


def read_recipe(source: StrPath, **overrides: Any) -> Recipe:  # noqa: ANN401
    """Read and check a recipe.

    Args:
        source: path of a TOML file, or the name of a shipped recipe.
        overrides: values that replace those of the file, tables as mappings:
            `read_recipe("demo", training={"epochs": 3}, seed=1)`. Keys that a mapping does not
            name stay as they are.

    Raises:
        AffectkitError: the recipe does not exist, or keys are unknown or values invalid; one line
            lists all of them.
    """
    content = _merge(_read_toml(source), overrides)
    try:
        return Recipe.model_validate({"name": Path(source).stem} | content)
    except ValidationError as error:
        found = [_fault(detail) for detail in error.errors()]
        more = f"; and {len(found) - MAX_FAULTS} more" if len(found) > MAX_FAULTS else ""
        faults = " ".join("; ".join(found[:MAX_FAULTS]).split()) + more
        raise AffectkitError(f"recipe {source}: {faults}") from None


def _merge(content: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(content)
    for key, value in overrides.items():
        both_tables = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _merge(merged[key], value) if both_tables else value
    return merged


def parse_overrides(arguments: Iterable[str]) -> dict[str, Any]:
    """Overrides for `read_recipe` from the command line's `--set TABLE.KEY=VALUE`.

    The value is written as in TOML; text needs no quotes.

    Raises:
        AffectkitError: an argument has no "=", or sets a key of something that is not a table.
    """
    overrides: dict[str, Any] = {}
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals:
            raise AffectkitError(
                f"expected TABLE.KEY=VALUE, such as training.epochs=5, got {argument!r}"
            )
        *tables, name = key.strip().split(".")
        target = overrides
        for table in tables:
            target = target.setdefault(table, {})
            if not isinstance(target, dict):
                raise AffectkitError(
                    f"{argument!r}: expected a table of the recipe, but another argument sets "
                    f"{table!r} to a value; leave out one of them"
                )
        target[name] = _toml_value(value)
    return overrides


def _toml_value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text.strip()


def _read_toml(source: StrPath) -> dict[str, Any]:
    path = Path(source)
    known = shipped_recipes()
    if path.suffix == ".toml":
        if not path.exists():
            raise AffectkitError(f"no recipe at {path}; shipped recipes are {', '.join(known)}")
    elif str(source) in known:
        path = Path(str(resources.files("affectkit") / "recipes" / f"{source}.toml"))
    else:
        raise AffectkitError(
            f"unknown recipe {str(source)!r}: {did_you_mean(str(source), known)}"
            f"expected the path of a .toml file or one of {', '.join(known)}"
        )
    content = _parse_toml(path)
    if not content:
        raise AffectkitError(
            f"recipe {path} is empty: expected at least one key; 'demo' is a short recipe to "
            "start from"
        )
    return content


def _parse_toml(path: Path) -> dict[str, Any]:
    reason: object
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        reason = error.strerror
    except ValueError as error:  # not TOML, not UTF-8, or a number of thousands of digits
        reason = error
    except RecursionError:
        reason = "arrays or tables are nested too deep"
    raise AffectkitError(f"recipe {path} is not valid TOML, correct it: {reason}")


def _fault(detail: Any) -> str:  # noqa: ANN401
    """The text for one fault that pydantic found."""
    name = ".".join(str(part)[:100] for part in detail["loc"])
    if not name:  # a fault of the whole recipe
        return str(detail["msg"])
    if detail["type"] != "extra_forbidden":
        return f"{name}: {detail['msg'].lower()}, got {_shown(detail['input'])}"
    if name in RENAMED_KEYS:
        return f"{name} is now {RENAMED_KEYS[name]}; rename it"
    if name in REMOVED_KEYS:
        return f"{name} was removed, delete it: {REMOVED_KEYS[name]}"
    *tables, key = detail["loc"]
    section: Any = Recipe
    for table in tables:  # a number is the position in training.stages
        section = Stage if isinstance(table, int) else section.model_fields[table].annotation
    known = sorted(section.model_fields)
    hint = did_you_mean(key, known).strip() or f"expected one of {', '.join(known)}"
    return f"unknown key {name!r}: {hint}"


def _shown(value: object) -> str:
    """A value as Python writes it; a long one is shortened."""
    try:
        return reprlib.repr(value)
    except ValueError:  # Python does not print integers of thousands of digits
        return "a huge number"


def recipe_text(recipe: Recipe) -> str:
    """A complete recipe as TOML, with the default values."""
    return tomli_w.dumps(recipe.model_dump())
