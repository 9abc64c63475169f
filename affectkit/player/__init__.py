"""The frame-exact player: one JavaScript module for the dashboard and for notebooks."""

from importlib.resources import files

SCRIPTS = (
    "payload.js", "dom.js", "colour.js", "saliency.js", "clock.js", "stage.js", "plane.js",
    "series.js", "strip.js", "rail.js", "controls.js", "actions.js", "player.js",
    "hosts.js",
)  # fmt: skip


def module() -> str:
    """The player as one JavaScript module: its files, one after the other."""
    folder = files("affectkit.player") / "js"
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in SCRIPTS)


def style() -> str:
    """The style sheet of the player."""
    return (files("affectkit.player") / "player.css").read_text(encoding="utf-8")
