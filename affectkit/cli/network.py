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


def show_memory(console: Console, recipe: "Recipe", memory: dict[str, int], windows: int) -> None:
    """What a step needs, part by part."""
    rows = [*memory.items(), ("together", sum(memory.values()))]
    console.print()
    show_rows(
        console, [{"memory of a step": part, "": f"{_size(count):>9}"} for part, count in rows]
    )
    each = " Each process needs as much." if recipe.training.devices > 1 else ""
    console.print(
        f"This is an estimate, from tensors without content; activations are of {windows} windows "
        f"at once. What libraries work in comes on top, about a gigabyte.{each}",
        highlight=False,
    )


def show_pace(console: Console, recipe: "Recipe", pace: "Pace", frames: int | None) -> None:
    """What an epoch takes, and how that was found."""
    batch = recipe.windows.batch * recipe.windows.length
    seconds = pace.seconds(frames or FRAMES, batch // pace.devices)
    what = f"an epoch of {frames:,} frames" if frames else f"{FRAMES:,} frames of an epoch"
    console.print()
    console.print(
        f"Time: about {_duration(seconds)} for {what} on {pace.device}, from steps of up to "
        f"{pace.timed} frames of noise. Reading recordings and validation come on top.",
        highlight=False,
    )


def _size(count: int) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{float(f'{seconds:.2g}'):g} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"
