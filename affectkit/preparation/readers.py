"""Readers of the frames of a recording with one interface: `VideoReader`, `ImageFolderReader`."""

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from affectkit.errors import AffectkitError
from affectkit.faces import largest_face, load_detector
from affectkit.preparation.annotate import align, check_header
from affectkit.preparation.face_track import FaceTrack, empty_track, find_person
from affectkit.preparation.tasks import RecordingTask
from affectkit.video import probe, read_frames, read_times
from affectkit.video.decoding import DEFAULT_FPS
from affectkit.video.stills import measure_stills, numbered_pictures, read_stills

BATCH = 16  # frames decoded at once: 100 MB at 1080p
FEW = 4  # where faces are tracked, which keeps more frames
Pictures = NDArray[np.uint8] | list[NDArray[np.uint8]]  # all of one size, or of several sizes


class VideoReader:
    """The frames of a video file.

    Attributes:
        width: of a frame in pixels.
        height: of a frame in pixels.
        fps: nominal frames per second.
        frames: number of frames according to the file header; 0 = unknown.
    """

    def __init__(self, task: RecordingTask, annotations: xr.Dataset | None) -> None:
        """Open the video of a task.

        Raises:
            AffectkitError: the video cannot be read, or the annotations cannot belong to it.
        """
        info = probe(task.video, stream=task.stream)
        self.width, self.height, self.fps, self.frames = (
            info.width, info.height, info.fps, info.frames
        )  # fmt: skip
        self._task = task
        if annotations is not None:
            check_header(task, annotations, info.frames, info.duration)

    def read(self) -> Iterator[Pictures]:
        """All frames in batches."""
        for _, rgb in read_frames(self._task.video, BATCH, stream=self._task.stream):
            yield rgb

    def times(self) -> NDArray[np.float64]:
        """(frame) time stamps in seconds."""
        return read_times(self._task.video, stream=self._task.stream)

    def align(self, annotations: xr.Dataset | None, time: NDArray[np.float64]) -> xr.Dataset | None:
        """Align annotations, if there are any, to the frames at `time`.

        Raises:
            AffectkitError: they cannot belong to this video.
        """
        return None if annotations is None else align(self._task, annotations, time, self.frames)

    def find_face(self, progress: Callable[[int], None]) -> FaceTrack:
        """Detect and track the person of the task; `progress` gets the number of frames done."""
        task = self._task
        return find_person(
            task.video,
            task.detector,
            task.options,
            task.person,
            stream=task.stream,
            progress=progress,
        )


class ImageFolderReader:
    """One picture per frame, in a folder. Pictures may be missing.

    Attributes:
        width: of the largest picture in pixels.
        height: of the largest picture in pixels.
        fps: frames per second, 25 if the dataset does not say.
        frames: number of frames, including those with missing pictures.
    """

    def __init__(
        self, task: RecordingTask, names: Sequence[str], time: NDArray[np.float64] | None
    ) -> None:
        """Measure the pictures of a task.

        Args:
            task: its `video` is the folder.
            names: (frame) paths below the folder; "" = missing.
            time: (frame) seconds; None if the pictures are footage: frames of a video at `fps`.

        Raises:
            AffectkitError: no picture can be read, or footage has no frame rate.
        """
        sizes = measure_stills(task.video, names)
        if not sizes.width.any():
            raise AffectkitError(
                f"{task.video}: none of its {len(names)} pictures can be read; get them again"
            )
        if sizes.unreadable:
            warnings.warn(
                f"{task.video}: {len(sizes.unreadable)} of {len(names)} pictures cannot be read, "
                f"the first is {sizes.unreadable[0]}; these frames are left black",
                stacklevel=2,
            )
        self.width, self.height = int(sizes.width.max()), int(sizes.height.max())
        self.fps = _picture_rate(task, footage=time is None)
        self.frames = len(names)
        self._names = [
            name if width else "" for name, width in zip(names, sizes.width, strict=True)
        ]
        self._time = np.arange(len(names)) / self.fps if time is None else time
        known = sizes.width > 0
        self._footage = time is None
        self._one_size = len({*zip(sizes.width[known], sizes.height[known], strict=True)}) == 1
        self._task = task

    def read(self) -> Iterator[Pictures]:
        """All pictures in batches; a missing picture is an array of size 0."""
        return read_stills(self._task.video, self._names, BATCH)

    def times(self) -> NDArray[np.float64]:
        """(frame) times in seconds that the dataset gives, or frame number / fps."""
        return self._time

    def align(self, annotations: xr.Dataset | None, time: NDArray[np.float64]) -> xr.Dataset:
        """Set `time`, and the names of the pictures that can be read; "" = missing."""
        if annotations is None:
            annotations = xr.Dataset(coords={"frame": np.arange(len(time))})
        elif self._footage:
            annotations = align(self._task, annotations, time, self.frames)
        return annotations.assign(still=("frame", self._names)).assign_coords(time=("frame", time))

    def find_face(self, progress: Callable[[int], None]) -> FaceTrack:
        """Track the person of the task in footage; detect the largest face of other pictures.

        Other pictures need not be close in time. `progress` gets the number of pictures done.
        """
        task = self._task
        if self._footage and self._one_size:
            frames = self._footage_frames()
            return find_person(
                task.video,
                task.detector,
                task.options,
                task.person,
                frames=frames,
                progress=progress,
            )
        detector = load_detector(self._task.detector, **self._task.options)
        track, number = empty_track(self._time), 0
        for pictures in self.read():
            for picture in pictures:
                if picture.size:
                    face = largest_face(detector, picture)
                    track.box[number], track.landmark[number], track.score[number] = face
                number += 1
            progress(number)
        detected = np.asarray(np.isfinite(track.box).all(axis=1))
        return replace(track, detected=detected)

    def _footage_frames(self) -> Iterator[tuple[NDArray[np.float64], NDArray[np.uint8]]]:
        """Time and pictures in batches; a missing picture is black."""
        black = np.zeros((self.height, self.width, 3), np.uint8)
        done = 0
        for pictures in read_stills(self._task.video, self._names, FEW):
            whole = [picture if picture.size else black for picture in pictures]
            yield self._time[done : done + len(whole)], np.stack(whole)
            done += len(whole)


Reader = VideoReader | ImageFolderReader


def open_reader(task: RecordingTask, annotations: xr.Dataset | None) -> Reader:
    """The reader of the pictures that the annotations name, of those in a folder, or of the video.

    Raises:
        AffectkitError: there is nothing that can be read.
    """
    if annotations is not None and "still" in annotations:
        fps = _picture_rate(task, footage=False)
        names = [str(name) for name in annotations["still"].values]
        return ImageFolderReader(task, names, _picture_times(annotations, fps))
    if task.video.is_dir():
        return ImageFolderReader(task, numbered_pictures(task.video), None)
    return VideoReader(task, annotations)


def _picture_rate(task: RecordingTask, *, footage: bool) -> float:
    if footage and math.isnan(task.fps):
        raise AffectkitError(
            f"{task.video} is a folder of pictures, which have no time stamps: give their frame "
            "rate, by --fps of 'prepare video' or in the column fps of a table"
        )
    return DEFAULT_FPS if math.isnan(task.fps) else task.fps


def _picture_times(annotations: xr.Dataset, fps: float) -> NDArray[np.float64]:
    if "time" in annotations.coords:
        return np.asarray(annotations["time"].values, np.float64)
    return np.asarray(annotations["frame"].values / fps, np.float64)
