"""Where the commands print to."""

from rich.console import Console

console = Console()
errors = Console(stderr=True)


def say(text: str) -> None:
    """Print a line as it is: a path stays in one piece, and brackets in it are no markup."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def counted(number: int, noun: str) -> str:
    """1 recording, 2 recordings."""
    return f"{number} {noun}" + "s" * (number != 1)
