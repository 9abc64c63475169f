"""Helpers that write the files of tiny datasets."""

from pathlib import Path

import numpy as np

from affectkit.video import write_video


def write_lines(path: Path, *lines: str, end: str = "\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(end.join([*lines, ""]).encode())
    return path


def write_grey(path: Path, frames: int = 4, fps: int = 25) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    grey = np.full((16, 16, 3), 127, np.uint8)
    write_video(path, ((number / fps, grey) for number in range(frames)), fps=fps)
    return path
