"""Write predictions as the submission of a challenge, and check it against the sample."""

from affectkit.submission.challenges import CHALLENGES
from affectkit.submission.checking import check_submission
from affectkit.submission.writing import write_submission

__all__ = ["CHALLENGES", "check_submission", "write_submission"]
