"""Installed packages, weights, devices, browser and video encoder."""

import platform
import re
import shutil
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, requires, version
from typing import NamedTuple

import av

from affectkit.errors import AffectkitError
from affectkit.faces.dlib import predictor_file
from affectkit.faces.face_alignment import missing_weights

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge", "firefox")


# what the packages of each extra are for; "" are those that are always installed
PURPOSES = {
    "": "recordings, scores, figures",
    "faces": "face detection",
    "train": "training, prediction, attribution",
    "tensorboard": "training curves in TensorBoard",
    "dashboard": "the dashboard",
    "notebooks": "the notebooks",
}


class Check(NamedTuple):
    """One row of the installation report."""

    name: str
    purpose: str  # what it is for
    found: str  # version, path or devices; "" if missing
    ok: bool
    advice: str  # what to do; "" if nothing
    needed: bool = True  # if False, everything works without it


def report() -> list[Check]:
    """Check Python, the packages, devices, weights, the browser and the video encoder."""
    return [
        Check("python", "everything", platform.python_version(), True, ""),
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
        purpose = PURPOSES.get(extra[1], extra[1]) if extra else PURPOSES[""]
        try:
            checks[name] = Check(name, purpose, version(name), True, "")
        except PackageNotFoundError:
            checks[name] = Check(name, purpose, "", False, f"pip install '{wanted}'")
    return list(checks.values())


def _devices() -> Check:
    try:
        import torch
    except ImportError:
        return Check("devices", PURPOSES["train"], "", False, "pip install 'affectkit[train]'")
    names = [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]
    names += ["mps"] if torch.backends.mps.is_available() else []
    found = ", ".join([*names, f"cpu ({torch.get_num_threads()} threads)"])
    return Check("devices", PURPOSES["train"], found, True, "")


def _dlib_predictor() -> Check:
    name, purpose = "dlib landmark predictor", "--detector dlib, the default"
    try:
        return Check(name, purpose, str(predictor_file()), True, "")
    except AffectkitError as error:
        return Check(name, purpose, "", False, str(error))


def _face_alignment_weights() -> Check:
    name, purpose = "face-alignment weights", "--detector face-alignment"
    try:
        missing = missing_weights()
    except ImportError:
        return Check(name, purpose, "", False, "pip install 'affectkit[faces]'", needed=False)
    if missing:
        advice = "nothing: they are downloaded at first use; dlib needs no download"
        return Check(name, purpose, "", False, advice, needed=False)
    return Check(name, purpose, "in torch's hub folder", True, "")


def _browser() -> Check:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    advice = (
        ""
        if path
        else "install Chromium or Firefox, or open the dashboard's address on another machine"
    )
    return Check("browser", "the dashboard", path or "", path is not None, advice, needed=False)


def _encoder() -> Check:
    ok = "libx264" in av.codec.codecs_available
    advice = "" if ok else "install av from its wheel: pip install --force-reinstall av"
    return Check("H.264 encoder", "overlays, playable copies", "libx264" if ok else "", ok, advice)


def verdict(checks: Sequence[Check]) -> str:
    """One line that says whether everything works."""
    missing = [check.name for check in checks if check.needed and not check.ok]
    if missing:
        return f"missing: {', '.join(missing)}; the last column says what to do"
    optional = [check.name for check in checks if not check.ok]
    return "all is well" + (f"; optional and not found: {', '.join(optional)}" * bool(optional))
