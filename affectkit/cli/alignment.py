"""How the report on a video is shown."""

import json
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from affectkit.cli.console import say


def show_video(console: Console, measures: dict[str, Any], form: str) -> None:
    """Measures and findings of a video as a table or as JSON."""
    if form == "json":
        findings = [finding._asdict() for finding in measures["findings"]]
        say(json.dumps(measures | {"findings": findings}, indent=2))
        return
    table = Table(show_header=False, box=None)
    for name, text in _rows(measures).items():
        table.add_row(name, escape(text))
    console.print(table, highlight=False)
    findings = measures["findings"]
    if not findings:
        fps = measures["nominal_fps"]
        say(f"\nno findings: frame number / {fps:.5g} is each frame's time in seconds")
        return
    say(f"\n{len(findings)} finding{'s' * (len(findings) > 1)}")
    for finding in findings:
        say(f"  {finding.kind}: {finding.text}")


def _rows(m: dict[str, Any]) -> dict[str, str]:
    announced = m["announced_frames"]
    hidden = f", {m['hidden_frames']} hidden" if m["hidden_frames"] else ""
    turned = f", turned by {m['rotation']} degrees" if m["rotation"] else ""
    return {
        "file": f"{m['codec']} ({m['pixel_format']}) in {m['container']}",
        "picture": f"{m['width']} x {m['height']} pixels{turned}",
        "frames": f"{m['decoded_frames']} decoded, {announced or 'none'} announced{hidden}",
        "not decodable": str(m["undecodable_frames"]),
        "dropped": f"{m['dropped_frames']} in {m['gaps']} gaps",
        "repeated pictures": str(m["repeated_pictures"]),
        "first and last time": f"{m['first_time']:.3f} to {m['last_time']:.3f} s",
        "faulty time stamps": str(m["faulty_stamps"]),
        "frame rate": f"{m['rate']}, nominally {m['nominal_fps']:.5g} frames a second",
        "interval": f"{_ms(m['interval_median'])} ms ({_ms(m['interval_min'])} to "
        f"{_ms(m['interval_max'])}), jitter {_ms(m['jitter'])} ms",
        "B-frames": "yes, put in order" if m["b_frames"] else "no",
        "sound": _sound(m),
        "faces": _faces(m),
    }


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.2f}"


def _sound(m: dict[str, Any]) -> str:
    if not m["sound"]:
        return "none"
    offset = m["sound_offset"]
    if offset is None:
        return "yes"
    if abs(offset) < 0.0005:
        return "begins with the picture"
    return f"begins {abs(offset):.3f} s {'after' if offset > 0 else 'before'} the picture"


def _faces(m: dict[str, Any]) -> str:
    if m["faces"] is None:
        return "not looked for: dlib is not installed"
    return f"in {m['faces']:.0%} of {m['sampled_frames']} frames looked at"
