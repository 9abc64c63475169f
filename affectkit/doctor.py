"""What is installed and what is missing; what a video is like. Found out here, shown elsewhere."""

import platform
import re
import shutil
import warnings
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from affectkit.errors import AffectkitError
from affectkit.faces import load_detector
from affectkit.faces.dlib import points_file
from affectkit.faces.face_alignment import missing_weights
from affectkit.video import faulty_stamps, probe, read_frames, read_packets, read_times

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge", "firefox")
SAMPLE = 20  # frames looked at for faces
STEADY = 0.001  # seconds: webm rounds to milliseconds


class Check(NamedTuple):
    """One row of the report."""

    name: str
    found: str  # version, place or devices; "" where missing
    ok: bool
    advice: str  # what to do; "" where nothing is to be done


def report() -> list[Check]:
    """Look for Python, the packages, weights, a browser and the video encoder."""
    return [
        Check("python", platform.python_version(), True, ""),
        *_packages(),
        _devices(),
        _points(),
        _weights(),
        _browser(),
        _encoder(),
    ]


def _packages() -> list[Check]:
    checks: dict[str, Check] = {}  # the extra `all` names some twice
    for requirement in requires("affectkit") or []:
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        extra = re.search(r"extra == ['\"](\w+)", requirement)
        if name in ("affectkit", *checks):
            continue
        wanted = f"affectkit[{extra[1]}]" if extra else "affectkit"
        try:
            checks[name] = Check(name, version(name), True, "")
        except PackageNotFoundError:
            checks[name] = Check(name, "", False, f"pip install '{wanted}'")
    return list(checks.values())


def _devices() -> Check:
    try:
        import torch
    except ImportError:
        return Check("devices", "", False, "pip install 'affectkit[train]'")
    names = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    names += ["mps"] if torch.backends.mps.is_available() else []
    return Check(
        "devices", ", ".join([*names, f"cpu ({torch.get_num_threads()} threads)"]), True, ""
    )


def _points() -> Check:
    try:
        return Check("dlib's 68 points", str(points_file()), True, "")
    except AffectkitError as error:
        return Check("dlib's 68 points", "", False, str(error))


def _weights() -> Check:
    name = "face-alignment's weights"
    try:
        absent = missing_weights()
    except ImportError:
        return Check(name, "", False, "pip install 'affectkit[faces]'")
    if absent:
        return Check(name, "", False, "fetched at first use; dlib needs none")
    return Check(name, "in torch's hub folder", True, "")


def _browser() -> Check:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    advice = "" if path else "install Chromium or Firefox, or open the address on another machine"
    return Check("browser", path or "", path is not None, advice)


def _encoder() -> Check:
    ok = "libx264" in av.codec.codecs_available
    advice = "" if ok else "install av from its wheel: pip install --force-reinstall av"
    return Check("H.264 encoder", "libx264" if ok else "", ok, advice)


def video_report(path: Path) -> dict[str, Any]:
    """What a video is like: its container, its time stamps, and whether dlib finds faces in it.

    Returns:
        Plain values by name. `faces` is the share of about 20 frames, spread over the video, in
        which dlib finds one, None where dlib is not installed; `warnings` is a list of texts.

    Raises:
        AffectkitError: there is no video at `path`, or not a single frame of it decodes.
    """
    info = probe(path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        time = read_times(path)
    picks = np.unique(np.linspace(0, len(time) - 1, SAMPLE).round().astype(int))
    return {
        "container": info.container,
        "codec": info.codec,
        "pixel_format": info.pixel_format,
        "width": info.width,
        "height": info.height,
        "rotation": info.rotation,
        "sound": info.sound,
        "announced_frames": info.frames,
        "decoded_frames": len(time),
        "first_time": float(time[0]),
        "last_time": float(time[-1]),
        "nominal_fps": info.fps,
        **_intervals(time),
        "faulty_stamps": faulty_stamps(read_packets(path)),
        "sampled_frames": len(picks),
        "faces": _face_share(path, picks),
        "warnings": [str(warning.message) for warning in caught],
    }


def _intervals(time: NDArray[np.float64]) -> dict[str, Any]:
    intervals = np.diff(time) if len(time) > 1 else np.array([np.nan])
    return {
        "interval_min": float(intervals.min()),
        "interval_median": float(np.median(intervals)),
        "interval_max": float(intervals.max()),
        "rate": "variable" if np.ptp(intervals) > STEADY + 1e-9 else "constant",
    }


def _face_share(path: Path, picks: NDArray[np.int64]) -> float | None:
    try:
        find = load_detector("dlib").find
    except AffectkitError:
        return None
    found, start = 0, 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # told already
        for time, rgb in read_frames(path, 16):
            inside = picks[(picks >= start) & (picks < start + len(time))] - start
            found += sum(bool(find(picture)[1].any()) for picture in rgb[inside])
            start += len(time)
    return found / len(picks)
