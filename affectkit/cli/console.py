"""Where the commands print to."""

from rich.console import Console

console = Console()
errors = Console(stderr=True)
