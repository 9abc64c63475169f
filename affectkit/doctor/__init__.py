"""What is installed and what is missing; what a video is like. Found out here, shown elsewhere."""

from affectkit.doctor.alignment import video_report
from affectkit.doctor.findings import Finding
from affectkit.doctor.installed import Check, report

__all__ = ["Check", "Finding", "report", "video_report"]
