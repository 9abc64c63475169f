"""Open a video: only the file given, and the stream that players show.

FFmpeg gets an open file and may use no protocol. So a name is never read as an address or a chain
of them (`concat:`, `http:`, `::`), and a playlist or any other file cannot make it open another
file or a connection.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

import av
from av.stream import Disposition

from affectkit.errors import AffectkitError
from affectkit.files import StrPath

NO_PROTOCOL = {"protocol_whitelist": "none"}
BUFFER = 1 << 18  # bytes read at once
# of the formats that FFmpeg reads as videos; folders are searched for them in any case
VIDEO_SUFFIXES = (
    ".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v", ".3gp", ".3g2", ".wmv", ".asf", ".flv",
    ".f4v", ".mpg", ".mpeg", ".m2v", ".vob", ".ts", ".mts", ".m2ts", ".ogv", ".mxf", ".dv",
    ".nut", ".gif", ".mjpeg", ".h264", ".264", ".hevc", ".265",
)  # fmt: skip

DEFAULT = Disposition.default
PICTURES = Disposition.attached_pic | Disposition.timed_thumbnails

OpenVideo = tuple[av.container.InputContainer, av.VideoStream]


def is_video_name(path: Path) -> bool:
    """Whether the name of a file ends like that of a video."""
    return path.suffix.lower() in VIDEO_SUFFIXES


@contextmanager
def open_video(path: StrPath, stream: int | None = None) -> Iterator[OpenVideo]:
    """Open a file with a video stream, and choose the stream.

    Args:
        path: the file.
        stream: number of the stream in the file, counted over all its streams, as in ffprobe; by
            default the one that FFmpeg prefers. Covers are not video streams.

    Raises:
        AffectkitError: the file is missing, a folder, empty, not a video, or has sound only; or
            FFmpeg fails while it is open.
    """
    path = Path(path)
    if not path.is_file():
        kind = "is a folder, not a video file" if path.is_dir() else "does not exist"
        raise AffectkitError(f"{path} {kind}; expected a video such as .mp4, .webm, .avi or .gif")
    if not path.stat().st_size:
        raise AffectkitError(f"{path} is empty (0 bytes); copy or download it again")
    with av_errors(
        f"{path} cannot be read as a video",
        "the file is not a video, cut short or damaged; check that a video player can play it",
    ):
        try:
            file = _VideoFile(path, "rb")
        except OSError as error:
            raise AffectkitError(
                f"{path} cannot be read ({error.strerror}); change its permissions"
            ) from None
        with (
            file,
            av.open(
                file,
                container_options=NO_PROTOCOL,
                metadata_errors="replace",
                buffer_size=BUFFER,
            ) as container,
        ):
            yield container, _choose(path, container, stream)


class _VideoFile(FileIO):
    """A file that is closed without a warning if its reader was not read to the end.

    The garbage collector may reach the file before the generator that would close it.
    """

    def __del__(self) -> None:
        self.close()


@contextmanager
def av_errors(what: str, remedy: str) -> Iterator[None]:
    """Translate the errors of PyAV into one line: what failed, FFmpeg's reason, what to do."""
    try:
        yield
    except av.FFmpegError as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise AffectkitError(f"{what} ({reason}); {remedy}") from None


def video_streams(container: av.container.InputContainer) -> list[av.VideoStream]:
    """The video streams of a file without attached pictures, such as covers and thumbnails."""
    return [each for each in container.streams.video if not each.disposition & PICTURES]


def _choose(
    path: Path, container: av.container.InputContainer, number: int | None
) -> av.VideoStream:
    streams = {each.index: each for each in video_streams(container)}
    if not streams:
        cover = ", only a cover" if container.streams.video else ""
        raise AffectkitError(
            f"{path} has no video stream{cover} (format {container.format.name}); "
            "expected a video file"
        )
    if number is None:
        best = container.streams.best("video")
        ranked = sorted(streams.values(), key=lambda each: not each.disposition & DEFAULT)
        number = best.index if best and best.index in streams else ranked[0].index
    if number not in streams:
        raise AffectkitError(
            f"{path} has no video stream {number}; expected one of {_list(streams)}"
        )
    if streams[number].codec_context is None:
        raise AffectkitError(
            f"{path}: FFmpeg has no decoder for the video stream {number}; convert the file to "
            "H.264 with the program that recorded it"
        )
    return streams[number]


def _list(streams: dict[int, av.VideoStream]) -> str:
    return ", ".join(
        f"{number} ({each.width}x{each.height})" if each.codec_context else str(number)
        for number, each in streams.items()
    )
