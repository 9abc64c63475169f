"""What `train --dry-run` shows: a recipe's layers, the memory of a step, the time of an epoch."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console

from affectkit.cli.printing import show_rows

if TYPE_CHECKING:  # training imports torch
    from affectkit.training.pace import Pace
    from affectkit.training.recipe import Recipe
    from affectkit.training.summary import Layer

FRAMES = 1000  # what a time is given for where there are no recordings


def show_layers(console: Console, recipe: "Recipe", layers: "Sequence[Layer]") -> None:
    """The table of the network."""
    windows = recipe.windows
    side = windows.input_size
    console.print(
        f"{recipe.name}: windows of {windows.length} frames, {side} x {side} pixels, "
        f"{windows.batch} in a step",
        highlight=False,
    )
    show_rows(
        console,
        [
            {
                "layer": layer.name,
                "kind": layer.kind,
                "shape for a window": " x ".join(map(str, layer.shape)),
                "parameters": f"{layer.parameters:>11,}" if layer.parameters else "",
                "": _frozen(layer),
            }
            for layer in layers
        ],
    )
    every = sum(layer.parameters for layer in layers)
    trained = sum(layer.trained for layer in layers)
    console.print(f"{every:,} parameters, {trained:,} of them trained", highlight=False)


def _frozen(layer: "Layer") -> str:
    if layer.trained == layer.parameters:
        return ""
    return f"{layer.trained:,} trained" if layer.trained else "frozen"


def show_memory(console: Console, recipe: "Recipe", memory: dict[str, int]) -> None:
    """What a step needs, part by part."""
    parts = ", ".join(f"{name} {_size(count)}" for name, count in memory.items())
    console.print(
        f"Memory of a step, estimated: {parts}; together {_size(sum(memory.values()))}. "
        f"Activations are what the backward pass of {recipe.windows.batch} windows needs, counted "
        "on tensors without content; what libraries work in comes on top.",
        highlight=False,
    )


def show_pace(console: Console, recipe: "Recipe", pace: "Pace", frames: int | None) -> None:
    """What an epoch takes, and how that was found."""
    batch = recipe.windows.batch * recipe.windows.length
    what = f"an epoch of {frames:,} frames" if frames else f"{FRAMES:,} frames of an epoch"
    console.print(
        f"Time, estimated: {what} in {_duration(pace.seconds(frames or FRAMES, batch))} on "
        f"{pace.device}, from steps of up to {pace.timed} frames of noise. Reading recordings and "
        "validation come on top.",
        highlight=False,
    )


def _size(count: int) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.2g} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"
