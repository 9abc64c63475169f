"""Preparing: faces followed or found in every frame, two processes or one, a long video's memory.

Videos are drawn for it. All rates are frames of video a second, decoding included. Of processes,
the time counts from the moment when each has reported frames to the last recording written, since
starting Python is no work on a video; medians of turns are compared.

Memory is the resident size of a new process that prepares a video of ten and a half minutes, in
each of its two passes.
"""

import json
import math
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import numpy as np

from affectkit.bench.timing import take_turns
from affectkit.datasets import synthetic
from affectkit.faces.tracking import EVERY
from affectkit.prepare import prepare_videos
from affectkit.prepare.finding import Found, find_person

FPS = 15
LARGE, SMALL = 512, 256  # sides of the pictures; the large one has the pixels of 640 x 410
PEOPLE, SECONDS, TURNS = 4, 90, 3  # of the videos that processes share
MINUTES = 10.5

WATCHED = """
import json, os, sys
from pathlib import Path
from affectkit.prepare import prepare_video

def resident():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")

seen = []
prepare_video(Path(sys.argv[1]), Path(sys.argv[2]), progress=lambda name, done, total:
    seen.append((done, total, resident())))
print(json.dumps(seen))
"""


def bench_prepare() -> list[dict[str, Any]]:
    """Compare each with the plain way of doing it."""
    with TemporaryDirectory() as folder:
        return [following(Path(folder)), _processes(Path(folder)), *_memory(Path(folder))]


def _row(what: str, compared: str, ratio: float, aim: str) -> dict[str, Any]:
    return {"what": what, "compared": compared, "ratio": f"{ratio:.2f}", "aim": aim}


def following(folder: Path, seconds: float = 16, turns: int = 3) -> dict[str, Any]:
    """Faces looked for in every 16th frame and followed, against looked for in every frame."""
    draw = partial(synthetic.write, fps=FPS, size=LARGE, workers=1)
    video = _video(draw(folder / "face", people=(1, 0, 0), seconds=seconds))
    found: dict[int, Found] = {}

    def find(every: int) -> None:
        found[every] = find_person(video, every=every)

    taken = take_turns({"1": lambda: find(1), str(EVERY): lambda: find(EVERY)}, turns=turns)
    off = np.linalg.norm(found[EVERY].landmark - found[1].landmark, axis=2)
    rates = {name: len(found[1].time) / value for name, value in taken.items()}
    return _row(
        f"faces followed, detected in every {EVERY}th frame: {rates[str(EVERY)]:.0f} frames/s",
        f"detected in every frame: {rates['1']:.0f} frames/s; "
        f"points {np.nanmedian(off):.2f} px apart (median; aim 1.5)",
        rates[str(EVERY)] / rates["1"],
        "at least 4",
    )


def _processes(folder: Path) -> dict[str, Any]:
    write = partial(synthetic.write, fps=FPS, size=SMALL)
    drawn = write(folder / "people", people=(PEOPLE, 0, 0), seconds=12)
    videos = [folder / f"long {number}.mp4" for number in range(PEOPLE)]
    for video, long in zip(sorted(drawn.rglob("*.mp4")), videos, strict=True):
        repeat(video, long, SECONDS)
    rates: dict[int, list[float]] = {1: [], 2: []}
    for turn in range(TURNS):
        for workers, seen in rates.items():
            seen.append(rate(videos, folder / f"{workers} in turn {turn}", workers))
    one, two = (float(np.median(seen)) for seen in rates.values())
    return _row(
        f"prepare with 2 workers: {two:.0f} frames/s",
        f"1 worker: {one:.0f} frames/s",
        two / one,
        "at least 1.7",
    )


def rate(videos: Sequence[Path], out: Path, workers: int) -> float:
    """Frames a second from the moment when every worker has reported some."""
    frames: dict[str, int] = {}
    began: list[tuple[float, int]] = []
    ended = 0.0

    def progress(name: str, done: int, total: int) -> None:
        nonlocal ended
        frames[name], ended = done, time.perf_counter()
        if not began and len(frames) == workers:
            began.append((ended, sum(frames.values())))

    prepare_videos(videos, out, workers=workers, progress=progress)
    return (sum(frames.values()) - began[0][1]) / (ended - began[0][0])


def _memory(folder: Path) -> Iterator[dict[str, Any]]:
    if not Path("/proc/self/statm").exists():
        yield _row(
            "memory", "not measured: /proc tells it, on Linux only", math.nan, "at most 1.05"
        )
        return
    long = folder / "long.mp4"
    repeat(_video(folder / "people"), long, MINUTES * 60)
    command = [sys.executable, "-c", WATCHED, str(long), str(folder / "long")]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    seen = np.array(json.loads(done.stdout), np.float64)
    minute = 2 * seen[:, 0] / FPS / 60  # a frame is half done after the first pass
    for name, first in (("looking for faces", 0.0), ("cutting crops", MINUTES)):
        early, late = (np.interp(first + at, minute, seen[:, 2]) / 1e6 for at in (1, 10))
        yield _row(
            f"memory at minute 10, {name}: {late:.0f} MB",
            f"minute 1: {early:.0f} MB",
            late / early,
            "at most 1.05",
        )


def repeat(video: Path, path: Path, seconds: float) -> None:
    """Write a video over and over, at least `seconds` long, without coding it anew."""
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


def _video(root: Path) -> Path:
    return sorted(root.rglob("*.mp4"))[0]
