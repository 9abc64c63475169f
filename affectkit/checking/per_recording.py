"""Checks of a single recording: its row in the report, findings and notes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from affectkit.checking.frames import DecodedVideo
from affectkit.checking.report import Finding
from affectkit.datasets import Severity, fit_to_video
from affectkit.datasets.fit import Misfit
from affectkit.recording import AFFECT

UNEVEN = 0.1  # allowed deviation of a frame interval, as a fraction of the median interval
ROUNDING = 0.002  # seconds; time stamps in whole milliseconds differ by one from frame to frame

Problem = tuple[str, str, str]  # kind, file, text


@dataclass(frozen=True, eq=False)
class CheckedRecording:
    """Everything that is known about one recording."""

    row: pd.Series  # of the index
    annotation: xr.Dataset | None = None  # as the loader returns it; None if it cannot be read
    video: DecodedVideo | None = None  # None if there is no video
    aligned: xr.Dataset | None = None  # the annotation aligned to the frames of the video
    misfits: tuple[Misfit, ...] = ()  # of the annotation and the video
    read_error: str = ""  # why the annotation cannot be read

    @property
    def file(self) -> str:
        """The first annotation file."""
        return str(self.row["annotation"][0]) if len(self.row["annotation"]) else ""


def align(recording: CheckedRecording) -> CheckedRecording:
    """Align the annotation to the frames, if both exist and the frames have time stamps."""
    annotation, video = recording.annotation, recording.video
    if annotation is None or video is None or video.time is None:
        return recording
    fit = fit_to_video(annotation, video.time, video.header_frames)
    return replace(recording, aligned=fit.aligned, misfits=tuple(fit.misfits))


def recording_row(recording: CheckedRecording) -> dict[str, Any]:
    """The recording's row in the report; `Report` lists the columns."""
    row, video = recording.row, recording.video or DecodedVideo()
    time = video.time if video.time is not None else np.zeros(0)
    return {
        **{name: row[name] for name in ("recording", "subject", "split", "person", "video")},
        "fps": float(row["fps"]),
        "seconds": _seconds(time) if len(time) else _still_seconds(recording),
        "header_frames": video.header_frames,
        "decoded_frames": video.decoded_frames,
        "variable_frame_rate": bool(len(odd_intervals(time))),
        **_label_columns(recording),
    }


def _seconds(time: NDArray[np.float64]) -> float:
    """From the first frame to the end of the last, which lasts for the median interval."""
    return float(time[-1] - time[0] + np.median(np.diff(time))) if len(time) > 1 else 0.0


def _still_seconds(recording: CheckedRecording) -> float:
    """The duration of a folder of pictures; NaN if they are not the frames of a video."""
    fps = float(recording.row["fps"])
    return recording.video.decoded_frames / fps if recording.video and fps >= 1 else np.nan


def _label_columns(recording: CheckedRecording) -> dict[str, Any]:
    annotation, aligned = recording.annotation, recording.aligned
    if annotation is None:
        values = np.zeros((0, len(AFFECT)))
        columns: dict[str, Any] = {"annotated_frames": 0, "frames_with_face": np.nan}
        columns |= {"source_range": None, "alignment": ""}
    else:
        values = np.atleast_2d(annotation["annotation"].values.astype(np.float64))
        frames = _annotated_frames(annotation if aligned is None else aligned)
        columns = {
            "annotated_frames": frames,
            "frames_with_face": _frames_with_face(annotation),
            "source_range": annotation.attrs["source_range"],
            "alignment": annotation.attrs["alignment"],
        }
    valid = values[np.isfinite(values).all(axis=1)]
    columns |= {"labels": len(values), "invalid": len(values) - len(valid)}
    for column, affect in enumerate(AFFECT):
        columns |= _statistics(affect, valid[:, column])
    return columns


def _annotated_frames(annotation: xr.Dataset) -> int:
    if "frame" not in annotation.dims:
        return 0
    return int(annotation["annotation"].notnull().all("affect").sum())


def _frames_with_face(annotation: xr.Dataset) -> float:
    """Frames with a picture, a box or landmarks in the dataset; NaN if it has none of these."""
    if "still" in annotation:
        return float((annotation["still"] != "").sum())
    for name in ("box", "landmark"):
        if name in annotation:
            known = annotation[name].notnull()
            return float(known.all([dim for dim in known.dims if dim != "frame"]).sum())
    return np.nan


def _statistics(affect: str, values: NDArray[np.float64]) -> dict[str, float]:
    numbers = (values.mean(), values.std(), values.min(), values.max()) if len(values) else ()
    named = zip(("mean", "std", "min", "max"), numbers or (np.nan,) * 4, strict=True)
    return {f"{affect}_{name}": float(number) for name, number in named}


def odd_intervals(time: NDArray[np.float64]) -> NDArray[np.float64]:
    """The intervals between frames that differ from the median interval, in seconds."""
    steps = np.diff(time)
    if len(steps) < 2:
        return np.zeros(0)
    middle = np.median(steps)
    odd: NDArray[np.float64] = steps[np.abs(steps - middle) > max(UNEVEN * middle, ROUNDING)]
    return odd


def findings(recording: CheckedRecording) -> list[Finding]:
    """Problems to correct before the recording is used."""
    name = str(recording.row["recording"])
    problems = [
        *_video_problems(recording),
        *_label_problems(recording),
        *_misfits(recording, note=False),
    ]
    return [Finding(kind, name, file, text) for kind, file, text in problems]


def notes(recording: CheckedRecording) -> list[Finding]:
    """Irregularities that are handled correctly, but worth knowing."""
    name = str(recording.row["recording"])
    return [Finding(kind, name, file, text) for kind, file, text in _irregularities(recording)]


def _misfits(recording: CheckedRecording, *, note: bool) -> Iterator[Problem]:
    for misfit in recording.misfits:
        if (misfit.severity is Severity.NOTE) is note:
            yield misfit.kind, recording.file, misfit.text


def _video_problems(recording: CheckedRecording) -> Iterator[Problem]:
    path, video = str(recording.row["video"]), recording.video
    if video is None:
        return
    if video.error:
        yield "unreadable video", path, video.error
    for text in video.warnings:
        advice = "get the file again, or run affectkit doctor on it"
        yield "damaged video", path, f"{text}; {advice}"
    if video.unreadable:
        yield (
            "unreadable picture",
            f"{path}/{video.unreadable[0]}",
            f"{len(video.unreadable)} of {video.header_frames} pictures cannot be read, "
            "this is the first; get them again",
        )
    if video.time is not None and len(odd_intervals(video.time)):
        yield "variable frame rate", path, _interval_text(video.time)


def _interval_text(time: NDArray[np.float64]) -> str:
    steps, odd = np.diff(time), odd_intervals(time)
    error = np.abs(time - np.linspace(time[0], time[-1], len(time))).max()
    low, high = (f"{step * 1000:.1f}" for step in (odd.min(), odd.max()))
    return (
        f"expected {np.median(steps) * 1000:.1f} ms between frames, got "
        f"{low if low == high else f'{low} to {high}'} ms at {len(odd)} of {len(steps)}; use the "
        f"stored time stamps, since k / fps is wrong by up to {error:.2f} s (details: affectkit "
        "doctor)"
    )


def _label_problems(recording: CheckedRecording) -> Iterator[Problem]:
    if recording.read_error:
        yield "unreadable annotation", recording.file, recording.read_error
    annotation = recording.annotation
    largest = 0.0 if annotation is None else float(np.abs(annotation["annotation"]).max())
    if largest > 1:
        text = f"expected labels in [-1, 1], got {largest:g}; correct the file"
        yield "label out of range", recording.file, text


def _irregularities(recording: CheckedRecording) -> Iterator[Problem]:
    annotation = recording.annotation
    if annotation is None:
        return
    if not annotation["annotation"].notnull().any():
        text = "cannot be used for training or scoring, only for prediction"
        yield "no valid label", recording.file, text
    if "still" in annotation and (annotation["still"] == "").any():
        missing = int((annotation["still"] == "").sum())
        text = f"{missing} of {annotation.sizes['frame']}"
        yield "frames without picture", recording.file, text
    yield from _misfits(recording, note=True)
