"""The dashboard: pages over runs and recordings, thin over the library."""

from affectkit.dashboard.launch import launch

__all__ = ["launch"]
