"""The frame-exact video player: one JavaScript module for the dashboard and notebooks."""

from importlib.resources import files

SCRIPTS = (
    "payload.js", "dom.js", "colour.js", "saliency.js", "clock.js", "stage.js", "plane.js",
    "series.js", "strip.js", "rail.js", "controls.js", "actions.js", "player.js",
    "hosts.js",
)  # fmt: skip


def module() -> str:
    """The JavaScript module of the player: its files, concatenated."""
    folder = files("affectkit.video_player") / "js"
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in SCRIPTS)


def style() -> str:
    """The style sheet of the player."""
    return (files("affectkit.video_player") / "player.css").read_text(encoding="utf-8")
