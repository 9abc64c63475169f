"""What a published model is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from affectkit.faces.crop import Crop


@dataclass(frozen=True)
class PublishedModel:
    """A published model."""

    weights: str
    recipe: Mapping[str, Mapping[str, Any]]
    crop: Crop
    crop_source: str
    read_tensors: Callable[[Path], dict[str, Tensor]]
    trained_on: tuple[str, ...]
    warning: str
