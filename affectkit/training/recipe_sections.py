"""The sections of a recipe: all keys, with their defaults and allowed values."""

import math
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PositiveFloat, model_validator
from pydantic_core import PydanticCustomError

Size = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, lt=1)]


class Section(BaseModel):
    """A table of the recipe's TOML file; unknown keys are errors, and values cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _as_list(value: object) -> object:
    return [value] if isinstance(value, int | float) else value


class ModelSection(Section):
    """The model; the keys are arguments of `CnnRnn`."""

    backbone: str = "mobilenetv3_small_050"
    pretrained: bool = Field(default=False, description="start from published weights")
    weights: str = Field(default="", description="start from a weights file, or from a run")
    normalisation: Literal["native", "paper"] = "native"
    landmarks: bool = Field(default=False, description="landmarks as further features")
    fc: tuple[Size, ...] = Field(default=(64,), description="widths of the fully connected layers")
    activation: Literal["relu", "gelu"] = "gelu"
    layer_norm: bool = Field(default=True, description="in the fully connected layers")
    dropout: Annotated[tuple[Share, ...], BeforeValidator(_as_list)] = Field(
        default=(0.0,), description="of the fully connected layers: one for all, or one for each"
    )
    feature_layers: tuple[str, ...] = Field(
        default=(), description="layers of the backbone that feed an RNN directly"
    )
    shared_rnn: bool = Field(
        default=False, description="one RNN for the fully connected and all feature layers"
    )
    temporal: str = "gru"
    hidden: Size = 64
    layers: Size = 1
    bidirectional: bool = Field(default=False, description="gru and lstm")
    temporal_dropout: Share = 0.0
    kernel: int = Field(default=3, ge=2, description="frames of a convolution, tcn")
    heads: int = Field(default=4, ge=1, description="attention heads, transformer")
    context: int = Field(
        default=64, ge=1, description="past frames that each layer attends to, transformer"
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


class WindowSection(Section):
    """The windows for training: their length, their order, and how they are augmented."""

    length: int = Field(default=80, ge=1, description="frames per window")
    batch: int = Field(default=4, ge=1, description="windows per step")
    input_size: int = Field(default=96, ge=32, description="pixels a side of the CNN's input")
    augment: bool = Field(default=True, description="random crop, rotation, colours and mirroring")
    cutout: float = Field(
        default=0.0, ge=0, le=1, description="probability that a black rectangle covers a part"
    )
    starts: Literal["strided", "random"] = Field(
        default="strided", description="every `stride` frames, or at random frames"
    )
    stride: int = Field(default=0, ge=0, description="frames between starts; 0 = length")
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

    ccc: float = Field(default=1.0, ge=0)
    mse: float = Field(default=1.0, ge=0)
    gaussian: float = Field(default=0.0, ge=0)


class Stage(Section):
    """Some epochs in which further parts of the model are frozen."""

    epochs: int = Field(ge=1)
    frozen: tuple[str, ...] = Field(default=(), description="in addition to training.frozen")


class TrainingSection(Section):
    """Loss, optimiser, schedule and devices."""

    loss: Literal["ccc", "mse", "gaussian", "mix"] = "ccc"
    mix: MixSection = MixSection()
    epochs: int = Field(default=20, ge=1, description="in total, all stages included")
    patience: int = Field(
        default=0, ge=0, description="early stopping: epochs without a better CCC; 0 = off"
    )
    learning_rate: float = Field(default=2e-3, gt=0, description="maximum of the schedule")
    learning_rates: dict[str, PositiveFloat] = Field(
        default={}, description="of parts of the model that have their own: cnn, fc, ..."
    )
    schedule: Literal["one-cycle", "cosine", "constant"] = "one-cycle"
    warmup: float = Field(default=0.15, ge=0, lt=1, description="as a share of all steps")
    weight_decay: float = Field(default=0.02, ge=0)
    gradient_clip: float = Field(default=5.0, gt=0, description="maximum norm of the gradient")
    frozen: tuple[str, ...] = Field(
        default=(), description="parts that are never trained: cnn, ..."
    )
    stages: tuple[Stage, ...] = Field(default=(), description="of the first epochs, in order")
    micro_batches: int = Field(
        default=1,
        ge=1,
        description="number of parts of a batch, processed one by one to save memory",
    )
    gradient_checkpointing: bool = Field(
        default=False, description="recompute activations of the CNN, to save memory"
    )
    compile: bool = Field(default=False, description="compile the CNN with torch.compile")
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    accelerator: Literal["auto", "cpu", "gpu", "cuda", "mps"] = "auto"
    devices: int = Field(default=1, ge=1, description="processes that share each batch")
    checkpoint_seconds: float = Field(
        default=60.0, ge=0, description="seconds between checkpoints; 0 = every step"
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
        default=0, ge=0, description="number of folds, by subject; 0 = the dataset's splits"
    )
    fold: int = Field(default=0, ge=0, description="index of the validation fold")
    seed: int = Field(default=0, ge=0, description="of the random folds; use one for all folds")
    shared_subjects: tuple[str, ...] = Field(
        default=(), description="subjects that may be in several splits"
    )

    @model_validator(mode="after")
    def _check_fold(self) -> Self:
        if self.folds == 1 or (self.folds and self.fold >= self.folds):
            raise PydanticCustomError("folds", "folds must be at least 2, and fold less than folds")
        return self


class PredictSection(Section):
    """The default prediction settings of the run; stored in its metadata."""

    window: int = Field(default=0, ge=0, description="frames per window; 0 = the whole recording")
    stride: int = Field(default=0, ge=0, description="frames between windows; 0 = window")
    blend: Literal["mean", "triangular"] = Field(
        default="mean", description="of overlapping windows"
    )
    smooth: Literal["none", "median", "savitzky-golay", "wiener"] = "none"
    smooth_seconds: float = Field(
        default=1.0, gt=0, le=3600, allow_inf_nan=False, description="window of the filter, seconds"
    )

    @model_validator(mode="after")
    def _check_stride(self) -> Self:
        if self.stride > self.window:
            raise PydanticCustomError(
                "stride",
                "predict.stride should be at most predict.window: frames would be left out",
            )
        return self
