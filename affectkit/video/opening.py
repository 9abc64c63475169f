"""Opening a video, and saying what is wrong with what is none."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av

from affectkit.errors import AffectkitError

FPS = 25.0  # for files that say nothing


@contextmanager
def open_video(path: Path | str) -> Iterator[av.container.InputContainer]:
    """Open a file that holds a video stream.

    Raises:
        AffectkitError: missing, a folder, empty, not a video, or sound only.
    """
    path = Path(path)
    if not path.is_file():
        kind = "is a folder, not a video file" if path.is_dir() else "does not exist"
        raise AffectkitError(f"{path} {kind}; expected a video such as .mp4, .webm, .avi or .gif")
    if not path.stat().st_size:
        raise AffectkitError(f"{path} is empty (0 bytes); copy or download it again")
    try:
        container = av.open(str(path))
    except (av.FFmpegError, OSError) as error:
        raise AffectkitError(_unreadable(path, error)) from None
    with container:
        if not container.streams.video:
            raise AffectkitError(f"{path} holds no video stream ({container.format.name})")
        yield container


def _unreadable(path: Path, error: Exception) -> str:
    reason = getattr(error, "strerror", None) or str(error)
    return (
        f"{path} cannot be read as a video ({reason}); "
        "it is of another kind, cut short or damaged: try it in a player"
    )


def nominal_fps(stream: av.VideoStream) -> float:
    """Frames a second as the container says, 25 where it says nothing."""
    return float(stream.average_rate or stream.guessed_rate or FPS)
