"""Measurements of a video that matter for labels: frames, time stamps, pictures, sound, faces."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from affectkit.doctor.problems import find_problems
from affectkit.errors import AffectkitError
from affectkit.faces import Detector, load_detector
from affectkit.files import StrPath
from affectkit.video import (
    Packet,
    VideoInfo,
    invalid_timestamps,
    probe,
    read_frames,
    read_packets,
    read_times,
)

FACE_SAMPLE = 20  # frames in which faces are detected
STEADY = 0.001  # seconds: webm rounds time stamps to milliseconds
GRID_TOLERANCE = 0.1  # of the median interval: distance of an interval from a multiple of it
GRID_SHARE = 0.9  # of the intervals must be multiples, to count missing frames
PICTURE_STEP = 4  # pixels: every fourth row and column of two pictures is compared


def video_report(path: StrPath, *, stream: int | None = None) -> dict[str, Any]:
    """Measure a video and list the problems that misalign labels and frames.

    Args:
        path: a video file.
        stream: number of the video stream in the file; by default the one that FFmpeg prefers.

    Returns:
        Plain values by name; None where unknown; times in seconds:

        - `header_frames`, `decoded_frames`, `hidden_frames` (outside the edit list),
          `undecodable_frames`: numbers of frames.
        - `dropped_frames`: frames missing in gaps that are multiples of the median interval.
        - `drift`: largest difference between frame number / nominal frame rate and the time stamp.
        - `jitter`: standard deviation of the intervals; gaps are divided by their multiple.
        - `repeated_pictures`: pictures that equal the one before.
        - `face_share`: share of about 20 frames, evenly spaced, in which dlib detects a face.
        - `warnings`: texts from reading the video.
        - `problems`: a list of `VideoProblem`, the most important first.

    Raises:
        AffectkitError: `path` is not a video, or none of its frames can be decoded.
    """
    path = Path(path)
    info = probe(path, stream=stream)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        time = read_times(path, stream=info.stream)
    sample = np.unique(np.linspace(0, len(time) - 1, FACE_SAMPLE).round().astype(int))
    measurements = {
        **_container(info),
        **_frames(info, read_packets(path, stream=info.stream), time),
        **_times(info, time),
        **_pictures(info, sample),
        "warnings": [str(warning.message) for warning in caught],
    }
    return measurements | {"problems": find_problems(measurements)}


def _container(info: VideoInfo) -> dict[str, Any]:
    return {
        "container": info.container,
        "codec": info.codec,
        "pixel_format": info.pixel_format,
        "width": info.width,
        "height": info.height,
        "rotation": info.rotation,
        "mirrored": info.mirrored,
        "pixel_aspect": info.pixel_aspect,
        "interlaced": info.interlaced,
        "sound": info.sound,
        "stream": info.stream,
        "streams": list(info.streams),
    }


def _frames(
    info: VideoInfo, packets: list[Packet], time: NDArray[np.float64]
) -> dict[str, int | bool | None]:
    stored = [packet.pts for packet in packets if packet.pts is not None]
    hidden = sum(not packet.shown for packet in packets)
    return {
        "header_frames": info.frames or None,
        "decoded_frames": len(time),
        "hidden_frames": hidden,
        "undecodable_frames": max(0, len(packets) - hidden - len(time)),
        "b_frames": stored != sorted(stored) if stored else info.reordered,
        "has_timestamps": bool(stored),
        "invalid_timestamps": invalid_timestamps(packets) if stored else 0,
    }


def _times(info: VideoInfo, time: NDArray[np.float64]) -> dict[str, Any]:
    interval = np.diff(time) if len(time) > 1 else np.array([1 / info.fps])
    median = float(np.median(interval))
    multiple = np.maximum(1, np.round(interval / median))
    off = np.abs(interval - multiple * median)
    on_grid = off <= max(STEADY + 1e-9, GRID_TOLERANCE * median)
    has_grid = bool(on_grid.mean() >= GRID_SHARE)
    gaps = np.flatnonzero(on_grid & (multiple > 1)) if has_grid else np.array([], int)
    constant = bool((on_grid & ((multiple > 1) | (off <= STEADY + 1e-9))).all())
    drift = time - time[0] - np.arange(len(time)) / info.fps
    return {
        "first_time": float(time[0]),
        "time_shift": info.time_shift,
        "last_time": float(time[-1]),
        "nominal_fps": info.fps,
        "frame_rate": "constant" if constant else "variable",
        "interval_median": median,
        "interval_min": float(interval.min()),
        "interval_max": float(interval.max()),
        "jitter": float(np.std(interval / multiple if has_grid else interval)),
        "dropped_frames": int((multiple[gaps] - 1).sum()),
        "gaps": len(gaps),
        "first_gap_time": float(time[gaps[0]]) if len(gaps) else None,
        "drift": float(np.abs(drift).max()),
        "sound_offset": None if info.sound_start is None else info.sound_start - float(time[0]),
    }


def _pictures(info: VideoInfo, sample: NDArray[np.int64]) -> dict[str, Any]:
    """Repeated pictures, and the share of the frames `sample` with a face."""
    detector: Detector | None
    try:
        detector = load_detector("dlib")
    except AffectkitError:
        detector = None
    with_face = repeated = start = 0
    before: NDArray[np.uint8] | None = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # recorded already when the times were read
        for time, rgb in read_frames(info.path, 16, stream=info.stream):
            inside = sample[(sample >= start) & (sample < start + len(time))] - start
            if detector:
                with_face += sum(_has_face(detector, picture) for picture in rgb[inside])
            for coarse in rgb[:, ::PICTURE_STEP, ::PICTURE_STEP]:
                repeated += before is not None and np.array_equal(coarse, before)
                before = coarse
            start += len(time)
    return {
        "repeated_pictures": repeated,
        "sampled_frames": len(sample),
        "face_share": with_face / len(sample) if detector else None,
    }


def _has_face(detector: Detector, picture: NDArray[np.uint8]) -> bool:
    _, score = detector.detect(picture)
    return bool(detector.is_confident(score).any())
