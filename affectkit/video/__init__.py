"""Frames and time stamps in, browser-playable video out."""

from affectkit.video.playing import playable, single_frames
from affectkit.video.reading import VideoInfo, probe, read_frames, read_times
from affectkit.video.writing import write_video

__all__ = [
    "VideoInfo",
    "playable",
    "probe",
    "read_frames",
    "read_times",
    "single_frames",
    "write_video",
]
