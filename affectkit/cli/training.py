"""Commands: train, tune, ensemble."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from affectkit.cli.output import console, print_rows, progress_bars, rounded, say
from affectkit.errors import AffectkitError

if TYPE_CHECKING:  # these import torch
    from affectkit.training.recipe import Recipe
    from affectkit.training.summary import LayerSummary, Throughput

Device = Annotated[
    str,
    typer.Option(help="cpu, cuda, cuda:1, mps, or auto: a GPU if there is one, else the CPU."),
]
FRAMES = 1000  # the time is given for this many frames if there are no recordings


def train(
    recipe: Annotated[
        str,
        typer.Argument(
            help="A .toml file, or the name of a built-in recipe, such as demo or "
            "affwild-vggface-gru."
        ),
    ],
    recordings: Annotated[
        Path | None, typer.Option(help="Folder of recordings; needed to train.")
    ] = None,
    run: Annotated[
        Path | None, typer.Option(help="Output folder of the run; needed to train.")
    ] = None,
    set_: Annotated[
        list[str],
        typer.Option(
            "--set",
            metavar="TABLE.KEY=VALUE",
            help="Change a setting of the recipe, such as training.epochs=3; may be repeated.",
        ),
    ] = [],  # noqa: B006
    devices: Annotated[
        int | None,
        typer.Option(help="Number of processes; each uses one GPU if there are GPUs."),
    ] = None,
    device: Device = "auto",
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Print layers, memory and time of an epoch; do not train."),
    ] = False,
) -> None:
    """Train a model; the same command resumes an interrupted training, also on another device.

    Keeps the weights of the epoch with the highest CCC on the validation split.
    """
    from affectkit.training.recipe import parse_overrides, read_recipe

    overrides = [] if devices is None else [f"training.devices={devices}"]
    settings = read_recipe(recipe, **parse_overrides([*set_, *overrides]))
    if dry_run:
        _print_summary(settings, recordings, device)
    elif recordings is None or run is None:
        raise AffectkitError("train needs --recordings and --run, except with --dry-run")
    else:
        _train(settings, recordings, run, device)


def _train(recipe: "Recipe", recordings: Path, run: Path, device: str) -> None:
    from affectkit.run import best_epoch
    from affectkit.training.fit import fit

    with progress_bars() as progress:
        history = fit(
            recipe, recordings, run, device=device, on_epoch=_print_epoch, progress=progress
        )
    best = history[best_epoch(history)]["ccc_mean"]
    say(f"{run}: {len(history)} epochs, highest mean CCC on validation {best:.3f}")


def _print_epoch(row: dict[str, float]) -> None:
    console.print(
        f"epoch {row['epoch']:.0f}  loss {row['loss']:.3f}  validation CCC: valence "
        f"{row['ccc_valence']:.3f}, arousal {row['ccc_arousal']:.3f}, mean {row['ccc_mean']:.3f}",
        highlight=False,
    )


def tune(
    run: Annotated[Path, typer.Argument(help="Folder of the run.")],
    recordings: Annotated[
        Path | None, typer.Option(help="Recordings folder, if it was moved.")
    ] = None,
    device: Device = "auto",
) -> None:
    """Choose the smoothing filter of the predictions on the validation split.

    The filter with the highest CCC is saved in the run; later predictions use it.
    """
    from affectkit.inference import tune as tune_run

    with progress_bars() as progress:
        table = tune_run(run, recordings, device=device, progress=progress)
    print_rows(rounded(table))
    say(f"saved the filter of the first row in {run}; run 'affectkit predict' again to use it")


def ensemble(
    out: Annotated[Path, typer.Argument(help="Output folder of the new run.")],
    runs: Annotated[list[Path], typer.Argument(help="Folders of two or more runs.")],
) -> None:
    """Make a run that predicts the mean of other runs.

    Predict, evaluate and tune it like any other run.
    """
    from affectkit.inference import make_ensemble

    make_ensemble(out, runs)
    say(f"{out} predicts the mean of {len(runs)} runs; next: affectkit predict {out} RECORDINGS")


def _print_summary(recipe: "Recipe", recordings: Path | None, device: str) -> None:
    from affectkit.training.summary import (
        estimate_memory,
        frames_in_epoch,
        list_layers,
        measure_throughput,
        micro_batch_size,
    )

    frames = frames_in_epoch(recipe, recordings) if recordings else None
    _print_layers(recipe, list_layers(recipe))
    _print_memory(recipe, estimate_memory(recipe), micro_batch_size(recipe))
    _print_time(recipe, measure_throughput(recipe, device), frames)


def _print_layers(recipe: "Recipe", layers: "Sequence[LayerSummary]") -> None:
    windows = recipe.windows
    side = windows.input_size
    console.print(
        f"{recipe.name}: windows of {windows.length} frames, {side} x {side} pixels, "
        f"{windows.batch} windows per batch",
        highlight=False,
    )
    print_rows(
        [
            {
                "layer": layer.name,
                "kind": layer.kind,
                "output shape per window": " x ".join(map(str, layer.shape)),
                "parameters": f"{layer.parameters:>11,}" if layer.parameters else "",
                "": _frozen(layer),
            }
            for layer in layers
        ]
    )
    total = sum(layer.parameters for layer in layers)
    trained = sum(layer.trained for layer in layers)
    console.print(f"{total:,} parameters, {trained:,} of them trained", highlight=False)


def _frozen(layer: "LayerSummary") -> str:
    if layer.trained == layer.parameters:
        return ""
    return f"{layer.trained:,} trained" if layer.trained else "frozen"


def _print_memory(recipe: "Recipe", memory: dict[str, int], windows: int) -> None:
    rows = [*memory.items(), ("total", sum(memory.values()))]
    console.print()
    print_rows([{"memory of a step": part, "": f"{_size(count):>9}"} for part, count in rows])
    each = " Each process needs this much." if recipe.training.devices > 1 else ""
    console.print(
        f"Estimated from tensor shapes; activations of {windows} windows at once. Workspace of "
        f"libraries, about 1 GB, is not included.{each}",
        highlight=False,
    )


def _print_time(recipe: "Recipe", throughput: "Throughput", frames: int | None) -> None:
    batch = recipe.windows.batch * recipe.windows.length
    seconds = throughput.seconds(frames or FRAMES, batch // throughput.devices)
    what = f"an epoch of {frames:,} frames" if frames else f"{FRAMES:,} frames of an epoch"
    console.print()
    console.print(
        f"Time: about {_duration(seconds)} for {what} on {throughput.device}, measured on steps of "
        f"up to {throughput.timed} random frames. Reading and validation are not included.",
        highlight=False,
    )


def _size(count: int) -> str:
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{float(f'{seconds:.2g}'):g} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"
