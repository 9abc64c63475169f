"""Reports on the installation, and on videos: problems that misalign labels and frames."""

from affectkit.doctor.installation import Check, report, verdict
from affectkit.doctor.problems import VideoProblem
from affectkit.doctor.video import video_report

__all__ = ["Check", "VideoProblem", "report", "verdict", "video_report"]
