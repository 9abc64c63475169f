"""What a video is like, as far as labels hang on it: frames, time stamps, picture, sound, faces."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectkit.doctor.findings import find
from affectkit.errors import AffectkitError
from affectkit.faces import load_detector
from affectkit.video import (
    Packet,
    VideoInfo,
    faulty_stamps,
    probe,
    read_frames,
    read_packets,
    read_times,
)

SAMPLE = 20  # frames looked at for faces
STEADY = 0.001  # seconds: webm rounds to milliseconds
ON_GRID = 0.1  # of the interval: how near a gap lies to a multiple of it
MOSTLY = 0.9  # share of intervals on the grid, for a clock that ticks and drops
GRAIN = 4  # pixels: pictures are compared at every fourth row and column


def video_report(path: Path) -> dict[str, Any]:
    """What a video is like, and what of it can part labels from frames.

    Returns:
        Plain values by name, None where unknown; times in seconds. `dropped_frames` are those
        missing in gaps that are multiples of the usual interval, `drift` is the most that frame
        number / nominal rate lies off the time stamp, `jitter` the standard deviation of the
        intervals (such gaps divided by their multiple), `repeated_pictures` are equal to the one
        before, `faces` is the share of about 20 frames, spread over the video, in which dlib finds
        one.
        `warnings` is a list of texts, `findings` a list of `Finding`, the worst first.

    Raises:
        AffectkitError: there is no video at `path`, or not a single frame of it decodes.
    """
    info = probe(path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        time = read_times(path)
    picks = np.unique(np.linspace(0, len(time) - 1, SAMPLE).round().astype(int))
    described = {
        **_container(info),
        **_frames(info, read_packets(path), time),
        **_clock(info, time),
        **_pictures(path, picks),
        "warnings": [str(warning.message) for warning in caught],
    }
    return described | {"findings": find(described)}


def _container(info: VideoInfo) -> dict[str, Any]:
    return {
        "container": info.container,
        "codec": info.codec,
        "pixel_format": info.pixel_format,
        "width": info.width,
        "height": info.height,
        "rotation": info.rotation,
        "pixel_aspect": info.pixel_aspect,
        "interlaced": info.interlaced,
        "sound": info.sound,
    }


def _frames(
    info: VideoInfo, packets: list[Packet], time: NDArray[np.float64]
) -> dict[str, int | bool | None]:
    stamps = [packet.pts for packet in packets if packet.pts is not None]
    hidden = sum(not packet.shown for packet in packets)
    return {
        "announced_frames": info.frames or None,
        "decoded_frames": len(time),
        "hidden_frames": hidden,
        "undecodable_frames": max(0, len(packets) - hidden - len(time)),
        "b_frames": stamps != sorted(stamps) if stamps else info.reordered,
        "stamped": bool(stamps),
        "faulty_stamps": faulty_stamps(packets) if stamps else 0,
    }


def _clock(info: VideoInfo, time: NDArray[np.float64]) -> dict[str, Any]:
    interval = np.diff(time) if len(time) > 1 else np.array([1 / info.fps])
    usual = float(np.median(interval))
    multiple = np.maximum(1, np.round(interval / usual))
    off = np.abs(interval - multiple * usual)
    on_grid = off <= max(STEADY + 1e-9, ON_GRID * usual)
    ticking = bool(on_grid.mean() >= MOSTLY)
    gaps = np.flatnonzero(on_grid & (multiple > 1)) if ticking else np.array([], int)
    steady = bool((on_grid & ((multiple > 1) | (off <= STEADY + 1e-9))).all())
    drift = time - time[0] - np.arange(len(time)) / info.fps
    return {
        "first_time": float(time[0]),
        "last_time": float(time[-1]),
        "nominal_fps": info.fps,
        "rate": "constant" if steady else "variable",
        "interval_median": usual,
        "interval_min": float(interval.min()),
        "interval_max": float(interval.max()),
        "jitter": float(np.std(interval / multiple if ticking else interval)),
        "dropped_frames": int((multiple[gaps] - 1).sum()),
        "gaps": len(gaps),
        "before_gap": float(time[gaps[0]]) if len(gaps) else None,
        "drift": float(np.abs(drift).max()),
        "sound_offset": None if info.sound_start is None else info.sound_start - float(time[0]),
    }


def _pictures(path: Path, picks: NDArray[np.int64]) -> dict[str, Any]:
    """Repeated pictures, and the share of the frames `picks` with a face."""
    try:
        find_faces = load_detector("dlib").find
    except AffectkitError:
        find_faces = None
    found = repeated = start = 0
    before: NDArray[np.uint8] | None = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # told already
        for time, rgb in read_frames(path, 16):
            inside = picks[(picks >= start) & (picks < start + len(time))] - start
            if find_faces:
                found += sum(bool(find_faces(picture)[1].any()) for picture in rgb[inside])
            for coarse in rgb[:, ::GRAIN, ::GRAIN]:
                repeated += before is not None and np.array_equal(coarse, before)
                before = coarse
            start += len(time)
    return {
        "repeated_pictures": repeated,
        "sampled_frames": len(picks),
        "faces": found / len(picks) if find_faces else None,
    }
