"""What the measures of a video mean for labels: one line each, and what to do."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

Measures = dict[str, Any]

LATE = 0.04  # seconds of sound that anybody can tell
FREQUENT = 0.05  # share of pictures that are repeated
FEW = 0.95  # share of frames with a face, below which it is worth a word


class Finding(NamedTuple):
    """One line of the verdict."""

    kind: str
    text: str  # what is found: what it means


def find(measures: Measures) -> list[Finding]:
    """All findings about a video, those that part labels from frames first."""
    return [Finding(kind, text) for kind, tell in RULES.items() for text in tell(measures)]


def _announced(m: Measures) -> Iterator[str]:
    announced, decoded = m["announced_frames"], m["decoded_frames"]
    if announced and announced != decoded + m["hidden_frames"]:
        yield (
            f"the header announces {announced} frames, {decoded} decode: "
            "count decoded frames, never the header"
        )


def _damaged(m: Measures) -> Iterator[str]:
    if lost := m["undecodable_frames"]:
        yield (
            f"{_frames(lost)} cannot be decoded: what was numbered on a whole copy is that many "
            "frames off from there on; match labels by time"
        )
    if any(text.endswith("s decoded; the file is cut short") for text in m["warnings"]):
        yield (
            f"pictures end at {m['last_time']:.3f} s, earlier than the header says: the file is "
            "cut short, and labels may go on after its end"
        )


def _edit_list(m: Measures) -> Iterator[str]:
    if hidden := m["hidden_frames"]:
        yield (
            f"{_frames(hidden)} lie outside the edit list and are not shown: tools that ignore "
            f"edit lists count them, so their frame numbers differ by as many"
        )


def _stamps(m: Measures) -> Iterator[str]:
    if not m["stamped"]:
        yield (
            f"the file stores no time stamps, frame number / {m['nominal_fps']:.5g} is taken: make "
            "sure of that rate; other tools may begin frames later, so match by frame number"
        )
    if faulty := m["faulty_stamps"]:
        yield (
            f"{faulty} time stamps are missing or repeated: those frames are kept, one tick behind "
            "the frame before; match their labels by frame number"
        )


def _dropped(m: Measures) -> Iterator[str]:
    if dropped := m["dropped_frames"]:
        behind = dropped * m["interval_median"]
        yield (
            f"{_frames(dropped)} missing in {m['gaps']} gaps, the first after "
            f"{m['before_gap']:.3f} s: match labels by time; frame number x "
            f"{1000 * m['interval_median']:.4g} ms falls {behind:.2f} s behind by the end"
        )


def _rate(m: Measures) -> Iterator[str]:
    fps, drift = m["nominal_fps"], m["drift"]
    if m["rate"] == "variable":
        low, high = 1000 * m["interval_min"], 1000 * m["interval_max"]
        yield (
            f"frames last {low:.3g} to {high:.3g} ms: match labels by time; frame number / "
            f"{fps:.5g} is up to {drift:.3f} s off"
        )
    elif drift > m["interval_median"] / 2 and not m["dropped_frames"]:
        yield (
            f"the header says {fps:.5g} frames a second, time stamps say "
            f"{1 / m['interval_median']:.5g}: match labels by time; frame number / {fps:.5g} is "
            f"up to {drift:.3f} s off"
        )


def _first_time(m: Measures) -> Iterator[str]:
    if abs(m["first_time"]) > 1e-6:
        yield (
            f"the first frame is shown at {m['first_time']:.3f} s: labels that count from the "
            "first frame are that much early; add it to their times"
        )


def _sound(m: Measures) -> Iterator[str]:
    offset = m["sound_offset"] or 0.0
    if abs(offset) > LATE:
        yield (
            f"sound begins {abs(offset):.3f} s {'after' if offset > 0 else 'before'} the first "
            "frame: labels made on the sound taken out by itself are that much off"
        )


def _shape(m: Measures) -> Iterator[str]:
    if m["rotation"]:
        yield (
            f"the file asks to be turned by {m['rotation']} degrees, which is done here: boxes and "
            "points of tools that do not turn it lie elsewhere"
        )
    if abs(m["pixel_aspect"] - 1) > 0.01:
        yield (
            f"pixels are {m['pixel_aspect']:.4g} times as wide as high: players show "
            f"{m['width'] * m['pixel_aspect']:.0f}x{m['height']}, coordinates here count stored "
            "pixels"
        )
    if m["interlaced"]:
        yield (
            "pictures are interlaced, two moments in each: edges of moving faces look like combs; "
            "deinterlace at the same frame rate first"
        )


def _repeated(m: Measures) -> Iterator[str]:
    repeated, decoded = m["repeated_pictures"], m["decoded_frames"]
    if repeated > FREQUENT * decoded:
        yield (
            f"{repeated} of {decoded} pictures equal the one before: filmed at a lower rate, or "
            "frozen; their labels are of moments that nobody filmed"
        )


def _faces(m: Measures) -> Iterator[str]:
    share, sampled = m["faces"], m["sampled_frames"]
    if share == 0:
        yield (
            f"dlib finds no face in {_frames(sampled)} looked at: a recording of this video would "
            "be without landmarks; try --detector face-alignment"
        )
    elif share is not None and share < FEW:
        yield (
            f"dlib finds a face in {share:.0%} of {_frames(sampled)} looked at: long stretches "
            "without one stay without landmarks and are not trained on"
        )


RULES: dict[str, Callable[[Measures], Iterator[str]]] = {
    "frames announced": _announced,
    "damage": _damaged,
    "edit list": _edit_list,
    "time stamps": _stamps,
    "dropped frames": _dropped,
    "frame rate": _rate,
    "first time stamp": _first_time,
    "sound": _sound,
    "picture": _shape,
    "repeated pictures": _repeated,
    "faces": _faces,
}


def _frames(number: int) -> str:
    return f"{number} frame" + "s" * (number != 1)
