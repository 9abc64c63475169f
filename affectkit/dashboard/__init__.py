"""The dashboard: pages that show runs and recordings in the browser."""

from affectkit.dashboard.launch import launch

__all__ = ["launch"]
