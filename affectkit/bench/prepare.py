"""Preparation: face tracking, two worker processes, and the memory use of a long video.

The videos are synthetic. All rates are frames of video per second, including decoding. For
processes, the time is from the moment when each worker has reported frames to the last recording,
because starting Python is no work on a video; the medians of several turns are compared.

Memory use is the resident size of a new process that prepares a video of ten and a half minutes, in
both of its passes.
"""

import math
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import numpy as np

from affectkit.bench.measuring import (
    comparison_row,
    memory_is_measurable,
    record_memory,
    time_alternately,
    unmeasured_memory_row,
)
from affectkit.datasets import synthetic
from affectkit.faces.tracking import DETECT_EVERY
from affectkit.preparation import prepare_videos
from affectkit.preparation.face_track import FaceTrack, find_person

FPS = 15
LARGE, SMALL = 512, 256  # sides of the images; a large one has as many pixels as 640 x 410
VIDEOS, SECONDS, TURNS = 4, 90, 3  # of the comparison of worker processes
MINUTES = 10.5

MEMORY_SCRIPT = """
import json, os, sys
from pathlib import Path
from affectkit.preparation import prepare_video

def resident():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")

table = []
prepare_video(Path(sys.argv[1]), Path(sys.argv[2]), progress=lambda name, done, total:
    table.append((done, total, resident())))
print(json.dumps(table))
"""


def bench_prepare() -> list[dict[str, Any]]:
    """Compare tracking with detection, two workers with one, and late memory use with early."""
    with TemporaryDirectory() as folder:
        return [
            measure_tracking(Path(folder)),
            _measure_workers(Path(folder)),
            *_measure_memory(Path(folder)),
        ]


def measure_tracking(folder: Path, seconds: float = 16, turns: int = 3) -> dict[str, Any]:
    """Faces detected in every 16th frame and tracked between, and detected in every frame."""
    write = partial(synthetic.write_synthetic, fps=FPS, size=LARGE, workers=1)
    video = _first_video(write(folder / "face", subjects=(1, 0, 0), seconds=seconds))
    found: dict[int, FaceTrack] = {}

    def find(detect_every: int) -> None:
        found[detect_every] = find_person(video, detect_every=detect_every)

    taken = time_alternately(
        {"1": lambda: find(1), str(DETECT_EVERY): lambda: find(DETECT_EVERY)}, turns=turns
    )
    distance = np.linalg.norm(found[DETECT_EVERY].landmark - found[1].landmark, axis=2)
    rates = {name: len(found[1].time) / value for name, value in taken.items()}
    return comparison_row(
        f"faces detected in every {DETECT_EVERY}th frame and tracked: "
        f"{rates[str(DETECT_EVERY)]:.0f} frames/s",
        f"detected in every frame: {rates['1']:.0f} frames/s; "
        f"median distance of landmarks {np.nanmedian(distance):.2f} px (target: 1.5)",
        rates[str(DETECT_EVERY)] / rates["1"],
        "at least 4",
    )


def _measure_workers(folder: Path) -> dict[str, Any]:
    write = partial(synthetic.write_synthetic, fps=FPS, size=SMALL)
    root = write(folder / "people", subjects=(VIDEOS, 0, 0), seconds=12)
    videos = [folder / f"long {number}.mp4" for number in range(VIDEOS)]
    for video, long in zip(sorted(root.rglob("*.mp4")), videos, strict=True):
        write_repeated(video, long, SECONDS)
    rates: dict[int, list[float]] = {1: [], 2: []}
    for turn in range(TURNS):
        for workers, measured in rates.items():
            measured.append(measure_rate(videos, folder / f"{workers} in turn {turn}", workers))
    one, two = (float(np.median(measured)) for measured in rates.values())
    return comparison_row(
        f"prepare with 2 workers: {two:.0f} frames/s",
        f"1 worker: {one:.0f} frames/s",
        two / one,
        "at least 1.7",
    )


def measure_rate(videos: Sequence[Path], out: Path, workers: int) -> float:
    """Frames per second from the moment when every worker has reported frames."""
    frames: dict[str, int] = {}
    start: list[tuple[float, int]] = []
    end = 0.0

    def progress(name: str, done: int, total: int) -> None:
        nonlocal end
        frames[name], end = done, time.perf_counter()
        if not start and len(frames) == workers:
            start.append((end, sum(frames.values())))

    prepare_videos(videos, out, workers=workers, progress=progress)
    return (sum(frames.values()) - start[0][1]) / (end - start[0][0])


def _measure_memory(folder: Path) -> Iterator[dict[str, Any]]:
    target = "at most 1.05"
    if not memory_is_measurable():
        yield unmeasured_memory_row(target)
        return
    long = folder / "long.mp4"
    write_repeated(_first_video(folder / "people"), long, MINUTES * 60)
    recorded = record_memory(MEMORY_SCRIPT, long, folder / "long")
    minute = 2 * recorded[:, 0] / FPS / 60  # each pass counts half of the progress
    for name, start in (("face tracking", 0.0), ("writing crops", MINUTES)):
        early, late = (np.interp(start + at, minute, recorded[:, 2]) / 1e6 for at in (1, 10))
        yield comparison_row(
            f"memory at minute 10, {name}: {late:.0f} MB",
            f"minute 1: {early:.0f} MB",
            late / early,
            target,
        )


def write_repeated(video: Path, path: Path, seconds: float) -> None:
    """Write a video repeatedly until it is at least `seconds` long, without encoding it again."""
    with av.open(str(path), "w") as output, av.open(str(video)) as source:
        stream = source.streams.video[0]
        copy = output.add_stream_from_template(stream)
        length = stream.duration
        for turn in range(math.ceil(seconds / float(length * stream.time_base))):
            source.seek(0)
            for packet in source.demux(stream):
                if packet.dts is not None:
                    packet.pts, packet.dts = packet.pts + turn * length, packet.dts + turn * length
                    packet.stream = copy
                    output.mux(packet)


def _first_video(root: Path) -> Path:
    return sorted(root.rglob("*.mp4"))[0]
