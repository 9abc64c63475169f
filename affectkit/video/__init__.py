"""Frames and time stamps in, browser-playable video out."""

from affectkit.video.reading import VideoInfo, probe, read_frames, read_times
from affectkit.video.writing import write_video

__all__ = ["VideoInfo", "probe", "read_frames", "read_times", "write_video"]
