"""The command line: parse, call, print. What each command does is a function of the same name."""

import sys
import warnings
from typing import Annotated, Any

import typer

from affectkit.cli import data, look, raters, runs, start, submit
from affectkit.cli.console import errors
from affectkit.errors import AffectkitError

COMMANDS = (
    start.demo,
    start.doctor,
    data.datasets,
    data.check,
    data.prepare,
    runs.train,
    runs.predict,
    runs.ensemble,
    runs.tune,
    runs.evaluate,
    runs.compare,
    runs.attribute,
    raters.raters,
    submit.submit,
    look.figure,
    look.dashboard,
    start.notebooks,
    start.bench,
)

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Valence and arousal from face video: a joint CNN-RNN, its errors and its reasons.",
)
for command in COMMANDS:
    app.command()(command)

STOPPED = 130  # exit status after Ctrl-C

# typer keeps its own copy of click, whose names are private
UsageError: Any = typer.BadParameter.__bases__[0]


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Options of all commands; `main` looks for --debug itself, since it catches the errors."""


def main() -> None:
    """Run the command line; an error that a user can mend is one line and exit status 2."""
    warnings.showwarning = _show_warning  # one line, without the source
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        status = app(arguments, standalone_mode=False)
        if status == STOPPED:  # so typer says it
            raise KeyboardInterrupt
    except (AffectkitError, OSError, UsageError) as error:
        if debug:
            raise
        _say(error)
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        errors.print("stopped; the same command goes on from here")
        sys.exit(STOPPED)
    sys.exit(status or 0)


def _say(error: Exception) -> None:
    message = error.format_message() if isinstance(error, UsageError) else str(error)
    line = " ".join(message.split())
    errors.print(f"error: {line}", markup=False, highlight=False, soft_wrap=True)


def _show_warning(message: Warning | str, *rest: Any, **more: Any) -> None:  # noqa: ANN401
    errors.print(f"warning: {message}", markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
