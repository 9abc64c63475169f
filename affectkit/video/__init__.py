"""Frames and time stamps in, browser-playable video out."""

from affectkit.video.playing import playable, single_frames
from affectkit.video.reading import (
    Packet,
    VideoInfo,
    faulty_stamps,
    probe,
    read_frames,
    read_packets,
    read_thumbnails,
    read_times,
)
from affectkit.video.writing import write_video

__all__ = [
    "Packet",
    "VideoInfo",
    "faulty_stamps",
    "playable",
    "probe",
    "read_frames",
    "read_packets",
    "read_thumbnails",
    "read_times",
    "single_frames",
    "write_video",
]
