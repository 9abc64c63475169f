"""The sections of a recipe: all keys, with their defaults and allowed values.

Every number has a lower and an upper bound, far above what is useful: a value beyond it is a slip,
and would ask for more memory or processes than any computer has. The bounds are part of the schema
(`Recipe.model_json_schema()`), and the error for a value names the bound.
"""

import math
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

Text = Annotated[str, Field(max_length=1000, pattern=r"^[^\p{Cc}]*$")]
Name = Annotated[Text, Field(min_length=1)]
Names = Annotated[tuple[Name, ...], Field(max_length=100)]
Seed = Annotated[int, Field(ge=0, lt=2**63)]
Size = Annotated[int, Field(ge=1, le=16_384)]  # units or layers
Epochs = Annotated[int, Field(ge=1, le=1_000_000)]
Frames = Annotated[int, Field(ge=0, le=10_000_000)]  # four days at 30 frames per second
Share = Annotated[float, Field(ge=0, lt=1)]
Rate = Annotated[float, Field(gt=0, le=1000)]  # learning rate
Weight = Annotated[float, Field(ge=0, le=1000)]  # of a loss or of the weight decay
MAX_BATCH_PIXELS = 2**33  # of all frames of a batch: 24 GiB as stored, several times more in use
MAX_PAST_FRAMES = 100_000  # that a tcn keeps as its state


class Section(BaseModel):
    """A table of the recipe's TOML file; unknown keys are errors, and values cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _as_list(value: object) -> object:
    return [value] if isinstance(value, int | float) else value


class ModelSection(Section):
    """The model; the keys are arguments of `CnnRnn`."""

    backbone: Name = "mobilenetv3_small_050"
    pretrained: bool = Field(default=False, description="start from published weights")
    weights: Text = Field(default="", description="start from a weights file, or from a run")
    normalisation: Literal["native", "paper", "imagenet"] = "native"
    landmarks: bool = Field(default=False, description="landmarks as further features")
    fc: tuple[Size, ...] = Field(
        default=(64,), max_length=16, description="widths of the fully connected layers"
    )
    activation: Literal["relu", "gelu"] = "gelu"
    layer_norm: bool = Field(default=True, description="in the fully connected layers")
    dropout: Annotated[tuple[Share, ...], BeforeValidator(_as_list)] = Field(
        default=(0.0,), description="of the fully connected layers: one for all, or one for each"
    )
    feature_layers: Names = Field(
        default=(), description="layers of the backbone that feed an RNN directly"
    )
    shared_rnn: bool = Field(
        default=False, description="one RNN for the fully connected and all feature layers"
    )
    temporal: Name = "gru"
    hidden: Size = 64
    layers: int = Field(default=1, ge=1, le=64)
    bidirectional: bool = Field(default=False, description="gru and lstm")
    temporal_dropout: Share = 0.0
    kernel: int = Field(default=3, ge=2, le=1000, description="frames of a convolution, tcn")
    heads: int = Field(default=4, ge=1, le=1000, description="attention heads, transformer")
    context: int = Field(
        default=64,
        ge=1,
        le=10_000,
        description="past frames that each layer attends to, transformer",
    )
    std: bool = Field(default=False, description="predict a standard deviation of each value")

    @model_validator(mode="after")
    def _check_dropout(self) -> Self:
        if len(self.dropout) not in (1, len(self.fc)):
            raise PydanticCustomError(
                "dropout",
                "dropout must be one number, or one for each of the "
                f"{len(self.fc)} fully connected layers",
            )
        return self

    @model_validator(mode="after")
    def _check_past_frames(self) -> Self:
        past = 2 * (self.kernel - 1) * (2**self.layers - 1)
        if self.temporal == "tcn" and past > MAX_PAST_FRAMES:
            raise PydanticCustomError(
                "past_frames",
                "a tcn with these layers and kernel uses {past} past frames, "
                f"more than {MAX_PAST_FRAMES}; lower model.layers or model.kernel",
                {"past": past},
            )
        return self


class WindowSection(Section):
    """The windows for training: their length, their order, and how they are augmented."""

    length: int = Field(default=80, ge=1, le=100_000, description="frames per window")
    batch: int = Field(default=4, ge=1, le=100_000, description="windows per step")
    input_size: int = Field(
        default=96, ge=32, le=2048, description="pixels a side of the CNN's input"
    )
    augment: bool = Field(default=True, description="random crop, rotation, colours and mirroring")
    cutout: float = Field(
        default=0.0, ge=0, le=1, description="probability that a black rectangle covers a part"
    )
    starts: Literal["strided", "random"] = Field(
        default="strided", description="every `stride` frames, or at random frames"
    )
    stride: Frames = Field(default=0, description="frames between starts; 0 = length")
    order: Literal["shuffled", "consecutive"] = Field(
        default="shuffled", description="consecutive: the hidden state is carried over"
    )
    max_gap: float = Field(
        default=math.inf, gt=0, description="longest gap between two frames of a window, seconds"
    )
    quadrant_shares: tuple[Share, ...] = Field(
        default=(), description="of +V +A, -V +A, +V -A, -V -A; empty = as in the recordings"
    )

    @property
    def frames_between_starts(self) -> int:
        """Frames from the start of a window to the start of the next one."""
        return self.stride or self.length

    @model_validator(mode="after")
    def _check_batch_size(self) -> Self:
        pixels = self.length * self.batch * self.input_size**2
        if pixels > MAX_BATCH_PIXELS:
            raise PydanticCustomError(
                "batch_size",
                "length x batch x input_size x input_size is {pixels} pixels a step, "
                f"more than {MAX_BATCH_PIXELS}; lower one of them",
                {"pixels": pixels},
            )
        return self

    @model_validator(mode="after")
    def _check_combinations(self) -> Self:
        if self.quadrant_shares and (
            len(self.quadrant_shares) != 4 or abs(sum(self.quadrant_shares) - 1) > 1e-3
        ):
            raise PydanticCustomError(
                "quadrant_shares",
                "quadrant_shares must be four numbers that sum to 1, the shares of "
                "+V +A, -V +A, +V -A and -V -A",
            )
        sampled = (
            self.frames_between_starts != self.length
            or self.starts == "random"
            or self.quadrant_shares
        )
        if self.order == "consecutive" and sampled:
            raise PydanticCustomError(
                "order",
                "order = 'consecutive' cannot be combined with stride, starts = 'random' or "
                "quadrant_shares: each window starts where the previous one ended",
            )
        return self


class MixSection(Section):
    """Weights of the losses in the weighted sum that `loss = "mix"` minimises."""

    ccc: Weight = 1.0
    mse: Weight = 1.0
    gaussian: Weight = 0.0


class Stage(Section):
    """Some epochs in which further parts of the model are frozen."""

    epochs: Epochs
    frozen: Names = Field(default=(), description="in addition to training.frozen")


class TrainingSection(Section):
    """Loss, optimiser, schedule and devices."""

    loss: Literal["ccc", "mse", "gaussian", "mix"] = "ccc"
    mix: MixSection = MixSection()
    epochs: Epochs = Field(default=20, description="in total, all stages included")
    patience: int = Field(
        default=0,
        ge=0,
        le=1_000_000,
        description="early stopping: epochs without a better CCC; 0 = off",
    )
    learning_rate: Rate = Field(default=2e-3, description="maximum of the schedule")
    learning_rates: dict[Name, Rate] = Field(
        default={},
        max_length=100,
        description="of parts of the model that have their own: cnn, fc, ...",
    )
    schedule: Literal["one-cycle", "cosine", "constant"] = "one-cycle"
    warmup: float = Field(default=0.15, ge=0, lt=1, description="as a share of all steps")
    weight_decay: Weight = 0.02
    gradient_clip: float = Field(
        default=5.0, gt=0, description="maximum norm of the gradient; inf = any"
    )
    frozen: Names = Field(default=(), description="parts that are never trained: cnn, ...")
    stages: tuple[Stage, ...] = Field(
        default=(), max_length=100, description="of the first epochs, in order"
    )
    micro_batches: int = Field(
        default=1,
        ge=1,
        le=100_000,
        description="number of parts of a batch, processed one by one to save memory",
    )
    gradient_checkpointing: bool = Field(
        default=False, description="recompute activations of the CNN, to save memory"
    )
    compile: bool = Field(default=False, description="compile the CNN with torch.compile")
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    devices: int = Field(default=1, ge=1, le=64, description="processes that share each batch")
    checkpoint_seconds: float = Field(
        default=60.0,
        ge=0,
        description="seconds between checkpoints; 0 = every step, inf = after each epoch only",
    )
    tensorboard: bool = Field(default=False, description="write curves for TensorBoard")

    @model_validator(mode="after")
    def _check_stages(self) -> Self:
        staged = sum(stage.epochs for stage in self.stages)
        if staged > self.epochs:
            raise PydanticCustomError(
                "stages",
                "training.stages have {staged} epochs in total, more than training.epochs",
                {"staged": staged},
            )
        return self


class SplitSection(Section):
    """The training and the validation split; the test split is never changed."""

    folds: int = Field(
        default=0,
        ge=0,
        le=1000,
        description="number of folds, by subject; 0 = the dataset's splits",
    )
    fold: int = Field(default=0, ge=0, le=999, description="index of the validation fold")
    seed: int = Field(
        default=0, ge=0, lt=2**32, description="of the random folds; use one for all folds"
    )
    shared_subjects: tuple[Name, ...] = Field(
        default=(), max_length=100_000, description="subjects that may be in several splits"
    )

    @model_validator(mode="after")
    def _check_fold(self) -> Self:
        if self.folds == 1 or (self.folds and self.fold >= self.folds):
            raise PydanticCustomError("folds", "folds must be at least 2, and fold less than folds")
        return self


class PredictSection(Section):
    """The default prediction settings of the run; stored in its metadata."""

    window: Frames = Field(default=0, description="frames per window; 0 = the whole recording")
    stride: Frames = Field(default=0, description="frames between windows; 0 = window")
    blend: Literal["mean", "triangular"] = Field(
        default="mean", description="of overlapping windows"
    )
    smooth: Literal["none", "median", "savitzky-golay", "wiener"] = "none"
    smooth_seconds: float = Field(
        default=1.0, gt=0, le=3600, description="window of the filter, seconds"
    )

    @model_validator(mode="after")
    def _check_stride(self) -> Self:
        if self.stride > self.window:
            raise PydanticCustomError(
                "stride",
                "predict.stride should be at most predict.window: frames would be left out",
            )
        return self
