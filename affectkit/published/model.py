"""What it takes to make a run of a published model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from affectkit.faces import Crop


@dataclass(frozen=True)
class PublishedModel:
    """A published model, as a recipe of the CNN-RNN and its tensors.

    Its name is that of its file in `weights.PUBLISHED`.
    """

    recipe: Mapping[str, Mapping[str, Any]]
    """The sections "model", "windows" and "predict" of its recipe."""
    crop: Crop
    """The crop of the face that it was trained on, or the nearest one."""
    crop_source: str
    """Where that is known from, one sentence."""
    read_tensors: Callable[[Path], Mapping[str, Tensor]]
    """Reads the weight file: the state dict of the model that the recipe builds."""
    trained_on: tuple[str, ...]
    """Datasets."""
    warning: str
    """One sentence for the card and all views: what the model cannot be trusted with."""
