"""Recipes: TOML files that say how to train, checked before anything is read or built."""

import math
import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import tomli_w
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PositiveFloat,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from affectkit.errors import AffectkitError


class Section(BaseModel):
    """A table of a recipe: no unknown keys, no changes once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Size = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, lt=1)]


def _as_list(value: object) -> object:
    return [value] if isinstance(value, int | float) else value


class ModelSection(Section):
    """The net; the keys are arguments of `CnnRnn`."""

    backbone: str = "mobilenetv3_small_050"
    pretrained: bool = False
    weights: str = ""
    pixels: Literal["native", "paper"] = "native"
    landmarks: bool = False
    connected: tuple[Size, ...] = Field(default=(64,), description="fully connected layers")
    activation: Literal["relu", "gelu"] = "gelu"
    norm: bool = Field(default=True, description="layer norm in the fully connected layers")
    dropout: Annotated[tuple[Share, ...], BeforeValidator(_as_list)] = Field(
        default=(0.0,), description="of the fully connected layers: one for all, or one for each"
    )
    taps: tuple[str, ...] = Field(default=(), description="layers with a memory of their own")
    one_memory: bool = Field(default=False, description="one memory over all that is tapped")
    temporal: str = "gru"
    hidden: Size = 64
    layers: Size = 1
    bidirectional: bool = Field(default=False, description="gru and lstm")
    temporal_dropout: Share = 0.0
    kernel: int = Field(default=3, ge=2, description="frames of a convolution, tcn")
    heads: int = Field(default=4, ge=1, description="of attention, transformer")
    look_back: int = Field(default=64, ge=1, description="frames that a layer sees, transformer")
    spread: bool = Field(default=False, description="a standard deviation of every value")

    @model_validator(mode="after")
    def _dropout_fits(self) -> Self:
        if len(self.dropout) not in (1, len(self.connected)):
            raise PydanticCustomError(
                "dropout",
                "dropout should be one number, or one for each of the "
                f"{len(self.connected)} connected layers",
            )
        return self


class WindowSection(Section):
    """What the net is shown."""

    length: int = Field(default=80, ge=1, description="frames of a window")
    batch: int = Field(default=4, ge=1, description="windows in a step")
    input_size: int = Field(default=96, ge=32, description="pixels a side that the CNN sees")
    augment: bool = True
    cutout: float = Field(default=0.0, ge=0, le=1, description="how often a window gets a hole")
    starts: Literal["strided", "random"] = "strided"
    stride: int = Field(default=0, ge=0, description="frames between starts; 0 = length")
    order: Literal["shuffled", "carried"] = "shuffled"
    max_gap: float = Field(default=math.inf, gt=0, description="seconds a window may jump over")
    quadrants: tuple[Share, ...] = Field(
        default=(), description="shares of +V +A, -V +A, +V -A, -V -A; none = as they come"
    )

    @property
    def step(self) -> int:
        """Frames from the start of a window to that of the next."""
        return self.stride or self.length

    @model_validator(mode="after")
    def _choices_go_together(self) -> Self:
        if self.quadrants and (len(self.quadrants) != 4 or abs(sum(self.quadrants) - 1) > 1e-3):
            raise PydanticCustomError(
                "quadrants",
                "quadrants should be four shares that sum to 1: of +V +A, -V +A, +V -A and -V -A",
            )
        drawn = self.step != self.length or self.starts == "random" or self.quadrants
        if self.order == "carried" and drawn:
            raise PydanticCustomError(
                "order",
                "carried windows follow one another: leave stride, starts and quadrants out",
            )
        return self


class MixSection(Section):
    """Weights of the losses that loss = "mix" adds up."""

    ccc: float = Field(default=1.0, ge=0)
    mse: float = Field(default=1.0, ge=0)
    gaussian: float = Field(default=0.0, ge=0)


class Stage(Section):
    """Some epochs in which parts of the net stand still."""

    epochs: int = Field(ge=1)
    frozen: tuple[str, ...] = Field(default=(), description="besides training.frozen")


class TrainingSection(Section):
    """How the weights move."""

    loss: Literal["ccc", "mse", "gaussian", "mix"] = "ccc"
    mix: MixSection = MixSection()
    epochs: int = Field(default=20, ge=1, description="in all stages together")
    patience: int = Field(default=0, ge=0, description="epochs without a better CCC; 0 = no end")
    learning_rate: float = Field(default=2e-3, gt=0, description="the highest of the schedule")
    learning_rates: dict[str, PositiveFloat] = Field(
        default={}, description="of parts that learn at another one: cnn, connected, ..."
    )
    schedule: Literal["one-cycle", "cosine", "constant"] = "one-cycle"
    warmup: float = Field(default=0.15, ge=0, lt=1, description="share of all steps")
    weight_decay: float = Field(default=0.02, ge=0)
    clip: float = Field(default=5.0, gt=0, description="largest norm of the gradient")
    frozen: tuple[str, ...] = Field(default=(), description="parts that never move: cnn, ...")
    stages: tuple[Stage, ...] = Field(default=(), description="the first epochs, in order")
    accumulate: int = Field(default=1, ge=1, description="pieces of a batch, to save memory")
    gradient_checkpointing: bool = Field(
        default=False, description="compute the CNN's insides twice, to save memory"
    )
    compile: bool = Field(default=False, description="the CNN, by torch.compile")
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    accelerator: Literal["auto", "cpu", "gpu", "cuda", "mps"] = "auto"
    devices: int = Field(default=1, ge=1, description="processes that share each batch")
    checkpoint_seconds: float = Field(default=60.0, ge=0, description="0 = after every step")
    tensorboard: bool = False

    @model_validator(mode="after")
    def _stages_fit(self) -> Self:
        staged = sum(stage.epochs for stage in self.stages)
        if staged > self.epochs:
            raise PydanticCustomError(
                "stages",
                "training.stages take {staged} epochs, more than training.epochs",
                {"staged": staged},
            )
        return self


class SplitSection(Section):
    """Which recordings train and which validate; test recordings stay apart always."""

    folds: int = Field(default=0, ge=0, description="dealt by subject; 0 = the dataset's splits")
    fold: int = Field(default=0, ge=0, description="the fold that validates")
    seed: int = Field(default=0, ge=0, description="of the dealing: the same for all folds")
    shared_subjects: tuple[str, ...] = Field(
        default=(), description="who may be in more than one split"
    )

    @model_validator(mode="after")
    def _fold_is_there(self) -> Self:
        if self.folds == 1 or (self.folds and self.fold >= self.folds):
            raise PydanticCustomError("folds", "folds should be 2 or more, fold below folds")
        return self


class PredictSection(Section):
    """How a run predicts, unless it is told otherwise; the run's contract carries it."""

    window: int = Field(default=0, ge=0, description="frames from an empty state; 0 = one stream")
    stride: int = Field(default=0, ge=0, description="frames between starts; 0 = window")
    blend: Literal["mean", "triangular"] = Field(default="mean", description="where they overlap")
    smooth: Literal["none", "median", "savitzky-golay", "wiener"] = "none"
    smooth_seconds: float = Field(
        default=1.0, gt=0, allow_inf_nan=False, description="the filter's window"
    )

    @model_validator(mode="after")
    def _no_frame_is_left_out(self) -> Self:
        if self.stride > self.window:
            raise PydanticCustomError(
                "stride",
                "predict.stride should be at most predict.window: frames would be left out",
            )
        return self


class Recipe(Section):
    """A whole recipe."""

    name: str
    seed: int = 0
    model: ModelSection = ModelSection()
    windows: WindowSection = WindowSection()
    training: TrainingSection = TrainingSection()
    splits: SplitSection = SplitSection()
    predict: PredictSection = PredictSection()

    @model_validator(mode="after")
    def _spread_is_learnt(self) -> Self:
        loss, mix = self.training.loss, self.training.mix
        if loss == "mix" and not mix.ccc + mix.mse + mix.gaussian:
            raise PydanticCustomError("mix", "training.mix should give a loss a weight above 0")
        learnt = loss == "gaussian" or (loss == "mix" and mix.gaussian > 0)
        if self.model.spread != learnt:
            raise PydanticCustomError(
                "spread",
                "model.spread = true goes with training.loss = 'gaussian', or 'mix' with "
                "training.mix.gaussian above 0: only this loss looks at the spread",
            )
        return self


def shipped_recipes() -> list[str]:
    """Names of the recipes that come with affectkit."""
    folder = resources.files("affectkit") / "recipes"
    return sorted(item.name[:-5] for item in folder.iterdir() if item.name.endswith(".toml"))


def read_recipe(source: Path | str, overrides: Iterable[str] = ()) -> Recipe:
    """Read and check a recipe.

    Args:
        source: a TOML file, or the name of a shipped recipe.
        overrides: "table.key=value", with the value as TOML writes it; bare words are text.

    Raises:
        AffectkitError: no such recipe, or a key, type or range is wrong; all faults in one line.
    """
    content = tomllib.loads(_recipe_text(source))
    for override in overrides:
        _override(content, override)
    try:
        return Recipe.model_validate({"name": Path(source).stem} | content)
    except ValidationError as error:
        faults = "; ".join(_fault(detail) for detail in error.errors())
        raise AffectkitError(f"recipe {source}: {faults}") from None


def _recipe_text(source: Path | str) -> str:
    path = Path(source)
    if path.suffix == ".toml":
        if not path.is_file():
            raise AffectkitError(f"no recipe at {path}; shipped are {', '.join(shipped_recipes())}")
        text = path.read_text(encoding="utf-8")
    elif str(source) in shipped_recipes():
        text = (resources.files("affectkit") / "recipes" / f"{source}.toml").read_text("utf-8")
    else:
        known = shipped_recipes()
        near = get_close_matches(str(source), known, n=1, cutoff=0.5)
        raise AffectkitError(
            f"unknown recipe {str(source)!r}: {f'did you mean {near[0]!r}? ' if near else ''}"
            f"give a .toml file or one of {', '.join(known)}"
        )
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise AffectkitError(f"recipe {path} is not TOML: {error}") from None
    return text


def _override(content: dict[str, Any], override: str) -> None:
    key, sign, value = override.partition("=")
    if not sign:
        raise AffectkitError(f"{override!r} should read TABLE.KEY=VALUE, as in training.epochs=5")
    *tables, name = key.strip().split(".")
    for table in tables:
        content = content.setdefault(table, {})
        if not isinstance(content, dict):
            raise AffectkitError(f"{override!r}: {table!r} is not a table of the recipe")
    try:
        content[name] = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        content[name] = value.strip()


def _fault(detail: Any) -> str:  # noqa: ANN401
    name = ".".join(str(part) for part in detail["loc"])
    if not name:  # of the recipe as a whole
        return str(detail["msg"])
    if detail["type"] != "extra_forbidden":
        return f"{name}: {detail['msg'].lower()}, got {detail['input']!r}"
    *tables, key = detail["loc"]
    section: Any = Recipe
    for table in tables:  # a number stands for one of training.stages
        section = Stage if isinstance(table, int) else section.model_fields[table].annotation
    known = sorted(section.model_fields)
    near = get_close_matches(key, known, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
    return f"unknown key {name!r}, {hint}"


def recipe_text(recipe: Recipe) -> str:
    """A complete recipe as TOML, defaults included."""
    return tomli_w.dumps(recipe.model_dump())
