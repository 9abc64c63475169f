"""Where the commands print to."""

from rich.console import Console

console = Console()
errors = Console(stderr=True)


def counted(number: int, noun: str) -> str:
    """1 recording, 2 recordings."""
    return f"{number} {noun}" + "s" * (number != 1)
