"""The command line: parse, call, print. What each command does is a function of the same name."""

import sys
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from affectkit.cli import printing
from affectkit.errors import AffectkitError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Valence and arousal from face video: a joint CNN-RNN, its errors and its reasons.",
)
console = Console()
errors = Console(stderr=True)

# typer keeps its own copy of click, whose names are private
UsageError: Any = typer.BadParameter.__bases__[0]

Recordings = Annotated[Path, typer.Option(help="Folder of recordings.")]


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Options of all commands; `main` looks for --debug itself, since it catches the errors."""


@app.command()
def demo(
    out: Annotated[Path, typer.Argument(help="Folder for everything.")] = Path("data/demo"),
    quick: Annotated[bool, typer.Option("--quick", help="Few people and epochs.")] = False,
    dashboard: Annotated[bool, typer.Option(help="Open the dashboard at the end.")] = True,
    port: Annotated[int, typer.Option(help="Port of the dashboard.")] = 8501,
) -> None:
    """Draw people, prepare, train, predict, evaluate, attribute, and open the dashboard."""
    from affectkit.dashboard import launch
    from affectkit.demo import FULL, QUICK
    from affectkit.demo import demo as run_demo

    with printing.progress(console) as progress:
        outcome = run_demo(out, QUICK if quick else FULL, progress=progress)
    printing.show_outcome(console, outcome)
    if dashboard:
        launch(outcome.runs, recordings=outcome.recordings, port=port, say=console.print)


@app.command()
def doctor(
    video: Annotated[Path | None, typer.Argument(help="A video to report on.")] = None,
) -> None:
    """What is installed and what is missing; with VIDEO its time stamps and faces."""
    from affectkit import doctor as doctors

    if video:
        report = doctors.video_report(video).items()
        printing.show_rows(console, [{"": name, "value": value} for name, value in report])
    else:
        printing.show_rows(console, [check._asdict() for check in doctors.report()])


@app.command()
def datasets() -> None:
    """The datasets that affectkit can read."""
    from affectkit.datasets import DATASETS

    table = Table("dataset", "what it is", box=None)
    for name, dataset in sorted(DATASETS.items()):
        module = sys.modules[dataset.index.__module__]
        table.add_row(name, (module.__doc__ or "").splitlines()[0])
    console.print(table)


@app.command()
def prepare(
    dataset: Annotated[str, typer.Argument(help="A dataset's name, or 'video'.")],
    paths: Annotated[list[Path], typer.Argument(help="The dataset's folder, or video files.")],
    out: Annotated[Path, typer.Option(help="Folder for the recordings.")],
    detector: Annotated[str, typer.Option(help="dlib or face-alignment.")] = "dlib",
    workers: Annotated[int, typer.Option(help="Processes.", min=1)] = 1,
    annotation: Annotated[
        Path | None, typer.Option(help="CSV with frame or time, valence, arousal: for one video.")
    ] = None,
) -> None:
    """Turn a dataset, or videos of your own, into recordings; goes on where it stopped."""
    from affectkit.prepare import prepare as prepare_dataset
    from affectkit.prepare import prepare_video

    with printing.progress(console) as progress:
        if dataset == "video":
            done = [
                prepare_video(
                    path, out, annotation_csv=annotation, detector=detector, progress=progress
                )
                for path in paths
            ]
        elif len(paths) == 1:
            done = prepare_dataset(
                dataset, paths[0], out, detector=detector, workers=workers, progress=progress
            )
        else:
            raise AffectkitError(f"a dataset has one folder, got {len(paths)}")
    printing.show_recordings(console, done)


@app.command()
def train(
    recipe: Annotated[str, typer.Argument(help="A .toml file, or a shipped recipe's name.")],
    recordings: Recordings,
    run: Annotated[Path, typer.Option(help="Folder that training leaves.")],
    set_: Annotated[list[str], typer.Option("--set", help="TABLE.KEY=VALUE")] = [],  # noqa: B006
) -> None:
    """Train a net by a recipe; the same command again goes on where it was cut off."""
    from affectkit.training.fit import fit
    from affectkit.training.recipe import read_recipe

    with printing.progress(console) as progress:
        history = fit(
            read_recipe(recipe, set_),
            recordings,
            run,
            on_epoch=lambda row: printing.show_epoch(console, row),
            progress=progress,
        )
    best = max(row["ccc_mean"] for row in history)
    console.print(f"{run}: {len(history)} epochs, best mean CCC on validation {best:.3f}")


@app.command()
def predict(
    run: Path,
    paths: Annotated[list[Path], typer.Argument(help="Recordings, folders of them, or videos.")],
    overlay: Annotated[
        Path | None, typer.Option(help="Write one video with its prediction drawn onto it.")
    ] = None,
) -> None:
    """Predict valence and arousal of every frame; the results lie in the run's folder."""
    from affectkit.predict import gather
    from affectkit.predict import predict as predict_one

    with printing.progress(console) as progress:
        stores = gather(run, paths, progress)
        if overlay and len(stores) != 1:
            raise AffectkitError(f"--overlay takes one recording, got {len(stores)}")
        for done, store in enumerate(stores, start=1):
            predict_one(run, store)
            progress("predict", done, len(stores))
        if overlay:
            printing.overlay(run, stores[0], overlay, progress)
    console.print(f"{len(stores)} predictions in {run / 'predictions'}")
    printing.show_origin(console, run)


@app.command()
def evaluate(
    run: Path,
    split: str = "test",
    recordings: Annotated[Path | None, typer.Option(help="Where the run's are now.")] = None,
    format_: Annotated[str, typer.Option("--format", help="table, csv, latex, json")] = "table",
) -> None:
    """Score a run's predictions, with intervals, and write scores.csv."""
    from affectkit import evaluation

    scores = evaluation.evaluate(run, recordings, split=split)
    printing.show_scores(console, scores, format_)


@app.command()
def compare(run: Path, others: list[Path], split: str = "test") -> None:
    """The paired difference of runs on the same recordings, with intervals."""
    from affectkit import evaluation

    for other in others:
        printing.show_difference(console, evaluation.compare(run, other, split=split), run, other)


@app.command()
def attribute(
    run: Path,
    names: Annotated[list[str] | None, typer.Argument(metavar="[RECORDING]...")] = None,
    method: str = "gradient_x_input",
) -> None:
    """Attribute every frame's valence and arousal to its pixels."""
    from affectkit.attribution import attribute as attribute_one
    from affectkit.run import list_predictions, read_contract, recording_store

    read_contract(run)
    names = names or list_predictions(run)
    if not names:
        raise AffectkitError(f"{run} has no predictions; run: affectkit predict {run} RECORDINGS")
    with printing.progress(console) as progress:
        for done, name in enumerate(names, start=1):
            attribute_one(run, recording_store(run, name), method)
            progress(f"attribute by {method}", done, len(names))
    console.print(f"{len(names)} attributions in {run / 'attributions' / method}")


@app.command()
def figure(
    kind: Annotated[str, typer.Argument(help="film-strip, traces or regions")],
    run: Path,
    recording: str,
    out: Annotated[Path, typer.Option(help="A .pdf, .svg or .png file.")],
    target: str = "valence",
) -> None:
    """Make a figure for a paper; its data go beside it as CSV."""
    from affectkit import paper

    paper.figure(kind, run, recording, out, target=target)
    console.print(f"{out}")


@app.command()
def dashboard(
    runs: Annotated[Path, typer.Argument(help="A run, or a folder of runs.")] = Path("runs"),
    recordings: Annotated[
        Path | None, typer.Option(help="Folder of recordings; by default where they were.")
    ] = None,
    port: int = 8501,
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
) -> None:
    """Predicted against annotated affect on the playing video, with saliency."""
    from affectkit.dashboard import launch

    launch(runs, recordings=recordings, port=port, open_browser=browser, say=console.print)


@app.command()
def notebooks(
    folder: Annotated[Path, typer.Argument(help="Folder to copy them to.")] = Path("notebooks"),
    browser: Annotated[bool, typer.Option(help="Open JupyterLab.")] = True,
) -> None:
    """Copy the notebooks and open them in JupyterLab."""
    from affectkit import lab

    paths = lab.copy_notebooks(folder)
    console.print("\n".join(str(path) for path in paths))
    if browser:
        lab.open_lab(folder)


@app.command()
def bench(name: Annotated[str, typer.Argument(help="saliency or train")]) -> None:
    """Measure a speed as a ratio against something named, in the same run."""
    from affectkit.bench import run_bench

    printing.show_rows(console, run_bench(name))


def main() -> None:
    """Run the command line; an error that a user can mend is one line and exit status 2."""
    warnings.showwarning = _show_warning  # one line, without the source
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        status = app(arguments, standalone_mode=False)
    except (AffectkitError, OSError, UsageError) as error:
        if debug:
            raise
        _say(error)
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        errors.print("stopped; the same command goes on from here")
        sys.exit(130)
    sys.exit(status or 0)


def _say(error: Exception) -> None:
    message = error.format_message() if isinstance(error, UsageError) else str(error)
    line = " ".join(message.split())
    errors.print(f"error: {line}", markup=False, highlight=False, soft_wrap=True)


def _show_warning(message: Warning | str, *rest: Any, **more: Any) -> None:  # noqa: ANN401
    errors.print(f"warning: {message}", markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
