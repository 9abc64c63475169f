"""Reading of video frames and time stamps, and writing of videos that browsers play."""

from affectkit.video.browser import browser_playable
from affectkit.video.reading import (
    Packet,
    VideoInfo,
    invalid_timestamps,
    probe,
    read_frames,
    read_packets,
    read_thumbnails,
    read_times,
    single_frames,
)
from affectkit.video.writing import write_video

__all__ = [
    "Packet",
    "VideoInfo",
    "browser_playable",
    "invalid_timestamps",
    "probe",
    "read_frames",
    "read_packets",
    "read_thumbnails",
    "read_times",
    "single_frames",
    "write_video",
]
