"""Reading of video frames and time stamps, and writing of videos that browsers play."""

from affectkit.video.browser import browser_playable
from affectkit.video.opening import VIDEO_SUFFIXES, is_video_name
from affectkit.video.reading import (
    Packet,
    VideoInfo,
    invalid_timestamps,
    longest_pause,
    probe,
    read_frames,
    read_packets,
    read_thumbnails,
    read_times,
    single_frames,
)
from affectkit.video.writing import write_video

__all__ = [
    "VIDEO_SUFFIXES",
    "Packet",
    "VideoInfo",
    "browser_playable",
    "invalid_timestamps",
    "is_video_name",
    "longest_pause",
    "probe",
    "read_frames",
    "read_packets",
    "read_thumbnails",
    "read_times",
    "single_frames",
    "write_video",
]
