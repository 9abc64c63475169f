"""Predictions as challenges want them: written with the rows of the sample, checked against it."""

from affectkit.submission.checking import validate
from affectkit.submission.kinds import SUBMISSIONS
from affectkit.submission.writing import write

__all__ = ["SUBMISSIONS", "validate", "write"]
