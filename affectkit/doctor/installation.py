"""Installed packages, weights, devices, browser and video encoder."""

import platform
import re
import shutil
from importlib.metadata import PackageNotFoundError, requires, version
from typing import NamedTuple

import av

from affectkit.errors import AffectkitError
from affectkit.faces.dlib import predictor_file
from affectkit.faces.face_alignment import missing_weights

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge", "firefox")


class Check(NamedTuple):
    """One row of the installation report."""

    name: str
    found: str  # version, path or devices; "" if missing
    ok: bool
    advice: str  # what to do; "" if nothing


def report() -> list[Check]:
    """Check Python, the packages, devices, weights, the browser and the video encoder."""
    return [
        Check("python", platform.python_version(), True, ""),
        *_packages(),
        _devices(),
        _dlib_predictor(),
        _face_alignment_weights(),
        _browser(),
        _encoder(),
    ]


def _packages() -> list[Check]:
    checks: dict[str, Check] = {}  # the extra `all` repeats packages
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


def _dlib_predictor() -> Check:
    try:
        return Check("dlib landmark predictor", str(predictor_file()), True, "")
    except AffectkitError as error:
        return Check("dlib landmark predictor", "", False, str(error))


def _face_alignment_weights() -> Check:
    name = "face-alignment weights"
    try:
        missing = missing_weights()
    except ImportError:
        return Check(name, "", False, "pip install 'affectkit[faces]'")
    if missing:
        return Check(name, "", False, "downloaded at first use; dlib needs no download")
    return Check(name, "in torch's hub folder", True, "")


def _browser() -> Check:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    advice = (
        ""
        if path
        else "install Chromium or Firefox, or open the dashboard's address on another machine"
    )
    return Check("browser", path or "", path is not None, advice)


def _encoder() -> Check:
    ok = "libx264" in av.codec.codecs_available
    advice = "" if ok else "install av from its wheel: pip install --force-reinstall av"
    return Check("H.264 encoder", "libx264" if ok else "", ok, advice)
