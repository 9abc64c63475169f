"""Scores of a run with intervals, the comparison of two runs, and the agreement of raters."""

from affectkit.evaluation.comparison import compare
from affectkit.evaluation.raters import evaluate_raters, rater_agreement, rater_table
from affectkit.evaluation.report import FORMATS, format_scores, scores_caption, scores_table
from affectkit.evaluation.scores import MEAN, POOLED, evaluate

__all__ = [
    "FORMATS",
    "MEAN",
    "POOLED",
    "compare",
    "evaluate",
    "evaluate_raters",
    "format_scores",
    "rater_agreement",
    "rater_table",
    "scores_caption",
    "scores_table",
]
