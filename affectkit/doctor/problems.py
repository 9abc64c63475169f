"""Problems of a video that affect its labels: one line each, with its consequence and advice."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

Measurements = dict[str, Any]  # as `video_report` returns them

MAX_SOUND_OFFSET = 0.04  # seconds
MAX_REPEATED = 0.05  # share of the pictures that equal the one before
MIN_FACES = 0.95  # share of the frames with a face


class VideoProblem(NamedTuple):
    """One problem of a video."""

    kind: str
    text: str  # the measurement, its consequence and what to do


def find_problems(measurements: Measurements) -> list[VideoProblem]:
    """List the problems of a video; those that misalign labels and frames come first."""
    return [VideoProblem(kind, text) for kind, rule in RULES.items() for text in rule(measurements)]


def _frame_count(m: Measurements) -> Iterator[str]:
    in_header, decoded = m["header_frames"], m["decoded_frames"]
    if in_header and in_header != decoded + m["hidden_frames"]:
        yield (
            f"the header states {in_header} frames, but {decoded} can be decoded: "
            "count decoded frames, do not rely on the header"
        )


def _damage(m: Measurements) -> Iterator[str]:
    if lost := m["undecodable_frames"]:
        yield (
            f"{_frames(lost)} cannot be decoded: after them, frame numbers differ by that many "
            "from those of an undamaged copy; match labels by time"
        )
    if any(text.endswith("; the file is cut short") for text in m["warnings"]):
        yield (
            f"the video ends at {m['last_time']:.3f} s, before the duration in the header: the "
            "file is cut short, and labels may continue after its end"
        )


def _edit_list(m: Measurements) -> Iterator[str]:
    if hidden := m["hidden_frames"]:
        yield (
            f"{_frames(hidden)} outside the edit list, which players do not display: tools that "
            "ignore edit lists count them, so their frame numbers are larger by that many"
        )


def _time_stamps(m: Measurements) -> Iterator[str]:
    if not m["has_timestamps"]:
        yield (
            f"the file stores no time stamps, so times are frame number / {m['nominal_fps']:.5g}: "
            "verify this frame rate. Other tools may assume a later first time; match labels by "
            "frame number"
        )
    if invalid := m["invalid_timestamps"]:
        yield (
            f"{invalid} time stamps are missing or repeated: these frames are kept, one tick after "
            "the frame before; match their labels by frame number"
        )


def _dropped_frames(m: Measurements) -> Iterator[str]:
    if dropped := m["dropped_frames"]:
        behind = dropped * m["interval_median"]
        yield (
            f"{_frames(dropped)} missing in {m['gaps']} gaps, the first after "
            f"{m['first_gap_time']:.3f} s: match labels by time; frame number x "
            f"{1000 * m['interval_median']:.4g} ms is {behind:.2f} s too early at the end"
        )


def _frame_rate(m: Measurements) -> Iterator[str]:
    fps, drift = m["nominal_fps"], m["drift"]
    if m["frame_rate"] == "variable":
        low, high = 1000 * m["interval_min"], 1000 * m["interval_max"]
        yield (
            f"the frame rate is variable, frames last {low:.3g} to {high:.3g} ms: match labels by "
            f"time; frame number / {fps:.5g} is up to {drift:.3f} s off"
        )
    elif drift > m["interval_median"] / 2 and not m["dropped_frames"]:
        yield (
            f"the header states {fps:.5g} frames per second, the time stamps "
            f"{1 / m['interval_median']:.5g}: match labels by time; frame number / {fps:.5g} is "
            f"up to {drift:.3f} s off"
        )


def _first_time(m: Measurements) -> Iterator[str]:
    if m["time_shift"]:
        yield (
            f"the first frame has the time stamp {-m['time_shift']:.3f} s, and browsers hide the "
            "frames before 0: affectkit counts its times from the first frame; add "
            f"{m['time_shift']:.3f} s to label times that count from the time stamp 0"
        )
    elif abs(m["first_time"]) > 1e-6:
        yield (
            f"the first frame has the time stamp {m['first_time']:.3f} s: label times that count "
            f"from the first frame are too early by this; add {m['first_time']:.3f} s to them"
        )


def _streams(m: Measurements) -> Iterator[str]:
    if len(m["streams"]) > 1:
        others = ", ".join(str(number) for number in m["streams"] if number != m["stream"])
        yield (
            f"the file has {len(m['streams'])} video streams, stream {m['stream']} is read: if the "
            f"labels are of another, give it to prepare with --stream ({others})"
        )


def _sound(m: Measurements) -> Iterator[str]:
    offset = m["sound_offset"] or 0.0
    if abs(offset) > MAX_SOUND_OFFSET:
        yield (
            f"the sound begins {abs(offset):.3f} s {'after' if offset > 0 else 'before'} the first "
            "frame: labels made on the extracted sound are off by this"
        )


def _picture(m: Measurements) -> Iterator[str]:
    if m["rotation"] or m["mirrored"]:
        wanted = " and ".join(
            ["to mirror its pictures left to right"] * m["mirrored"]
            + [f"a rotation by {m['rotation']} degrees"] * bool(m["rotation"])
        )
        yield (
            f"the file requests {wanted}, which affectkit applies: boxes and landmarks of tools "
            "that do not apply it do not match"
        )
    if abs(m["pixel_aspect"] - 1) > 0.01:
        yield (
            f"stored pixels are {m['pixel_aspect']:.4g} times as wide as high: affectkit and "
            f"players make them square, {m['width']}x{m['height']}; boxes and landmarks of tools "
            "that do not do so do not match"
        )
    if m["interlaced"]:
        yield (
            "the video is interlaced, each picture shows two moments, with comb artefacts at "
            "moving faces: deinterlace it at the same frame rate first"
        )


def _repeated_pictures(m: Measurements) -> Iterator[str]:
    repeated, decoded = m["repeated_pictures"], m["decoded_frames"]
    if repeated > MAX_REPEATED * decoded:
        yield (
            f"{repeated} of {decoded} pictures equal the one before: the video was recorded at a "
            "lower frame rate, or froze; labels of these frames have no pictures of their own"
        )


def _faces(m: Measurements) -> Iterator[str]:
    share, sampled = m["face_share"], m["sampled_frames"]
    if share == 0:
        yield (
            f"dlib detects no face in {_frames(sampled)} sampled: a recording of this video would "
            "have no landmarks; try --detector face-alignment"
        )
    elif share is not None and share < MIN_FACES:
        yield (
            f"dlib detects a face in {share:.0%} of {_frames(sampled)} sampled: long stretches "
            "without a face have no landmarks and are not used for training"
        )


RULES: dict[str, Callable[[Measurements], Iterator[str]]] = {
    "frame count": _frame_count,
    "damage": _damage,
    "video streams": _streams,
    "edit list": _edit_list,
    "time stamps": _time_stamps,
    "dropped frames": _dropped_frames,
    "frame rate": _frame_rate,
    "first time stamp": _first_time,
    "sound": _sound,
    "picture": _picture,
    "repeated pictures": _repeated_pictures,
    "faces": _faces,
}


def _frames(number: int) -> str:
    return f"{number} frame" + "s" * (number != 1)
