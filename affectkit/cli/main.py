"""The command line: parses arguments, calls the function of the same name, prints the result."""

import ctypes
import sys
import warnings
from typing import Annotated, Any

import typer

from affectkit.cli import datasets, results, setup, training, views, weights
from affectkit.cli.output import errors
from affectkit.errors import AffectkitError, missing_extra

HELP = """
Predict valence and arousal from face video, and show the errors and their causes.

A recording is one person in one video: faces, landmarks and annotations of all frames, stored in
one folder NAME.zarr. A recipe is a TOML file with the settings of a model and its training. A run
is the output folder of one training: the model, its predictions, scores and attributions.

The usual order is: prepare, train, predict, evaluate, attribute, dashboard. To try all of it on
synthetic data: affectkit demo. To look at a video with a published model: affectkit look VIDEO.

Long commands show their progress. prepare, train, tune, predict, attribute, demo and look
resume where they were interrupted if they are run again.
"""

COMMANDS = {
    "Start": (setup.demo, weights.look, setup.doctor),
    "Data": (datasets.datasets, datasets.check, datasets.prepare, datasets.raters),
    "Training": (training.train, training.tune, training.ensemble),
    "Results": (
        results.predict,
        results.evaluate,
        results.compare,
        results.attribute,
        results.submit,
    ),
    "Views": (views.figure, views.dashboard, views.notebooks),
    "Benchmarks": (setup.bench,),
}

# import name of each optional package, and the extra of affectkit that installs it
EXTRAS = {
    "ai_edge_litert": "faces",
    "anywidget": "notebooks",
    "captum": "train",
    "dlib": "faces",
    "face_alignment": "faces",
    "face_recognition_models": "faces",
    "h5py": "train",
    "jupyterlab": "notebooks",
    "jupytext": "notebooks",
    "lightning_fabric": "train",
    "markupsafe": "dashboard",
    "safetensors": "train",
    "starlette": "dashboard",
    "streamlit": "dashboard",
    "tensorboard": "tensorboard",
    "timm": "train",
    "torch": "train",
    "torchvision": "train",
}
INTERRUPTED = 130  # exit status after Ctrl-C
RESUMED = (
    "prepare",
    "train",
    "tune",
    "predict",
    "attribute",
    "demo",
    "look",
)  # keep what is finished

# option numbers of mallopt in glibc's malloc.h
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3

# typer has its own copy of click, which exports no public names
UsageError: Any = typer.BadParameter.__bases__[0]


def _paragraphs(text: str) -> str:
    """The text with one line per paragraph: typer keeps line breaks."""
    return "\n\n".join(" ".join(part.split()) for part in text.strip().split("\n\n"))


app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help=_paragraphs(HELP),
)
for panel, commands in COMMANDS.items():
    for command in commands:
        app.command(rich_help_panel=panel, help=_paragraphs(command.__doc__ or ""))(command)
app.add_typer(
    weights.weights,
    name="weights",
    rich_help_panel="Training",
    help="List, fetch and use published weights.",
)


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Options of all commands; `main` reads --debug itself, because it catches the errors."""


def main() -> None:
    """Run the command line; an error that the user can fix is one line and exit status 2."""
    keep_freed_memory()
    warnings.showwarning = _print_warning
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        status = app(arguments, standalone_mode=False)
        if status == INTERRUPTED:  # typer returns it instead of raising
            raise KeyboardInterrupt
    except (AffectkitError, OSError, ModuleNotFoundError, UsageError) as error:
        message = _message(error)
        if debug or not message:
            raise
        errors.print(f"error: {message}", markup=False, highlight=False, soft_wrap=True)
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        resumed = bool(arguments) and arguments[0] in RESUMED
        advice = "; run the same command again to resume" if resumed else ""
        errors.print(f"interrupted{advice}")
        sys.exit(INTERRUPTED)
    sys.exit(status or 0)


def _message(error: Exception) -> str:
    """The error in one line, or "" if it is an error of affectkit itself."""
    if isinstance(error, ModuleNotFoundError):
        package = (error.name or "").partition(".")[0]
        return str(missing_extra(package, EXTRAS[package])) if package in EXTRAS else ""
    text = str(error)
    if isinstance(error, UsageError):
        text = error.format_message()
        if error.ctx:
            see = " See:" if text.endswith("?") else "; see:"
            text = f"{text.rstrip('.')}{see} {error.ctx.command_path} --help"
    elif isinstance(error, OSError) and error.filename and error.strerror:
        text = f"{error.filename}: {error.strerror}"
    return " ".join(text.split())


def _print_warning(message: Warning | str, *rest: Any, **more: Any) -> None:  # noqa: ANN401
    errors.print(f"warning: {message}", markup=False, highlight=False, soft_wrap=True)


def keep_freed_memory() -> None:
    """Keep freed memory in this process and reuse it, instead of returning it to the system.

    Images and activations take tens of megabytes each. By default glibc returns them to the system
    and every step starts with a page fault per 4 kB: one fifth of a training step of the demo
    model. The resident memory of the process does not fall below its peak any more. Other C
    libraries are left unchanged. Only the command line calls this: a library does not change the
    allocator of the process that imports it.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    mallopt(M_MMAP_THRESHOLD, 1 << 30)
    mallopt(M_TRIM_THRESHOLD, -1)


if __name__ == "__main__":
    main()
