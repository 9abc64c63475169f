"""How well a run predicts: scores with intervals, two runs compared, raters against each other."""

from affectkit.evaluation.compare import compare
from affectkit.evaluation.raters import evaluate_raters, rater_agreement, rater_table
from affectkit.evaluation.report import FORMATS, caption, format_scores, table
from affectkit.evaluation.scores import MEAN, POOLED, evaluate

__all__ = [
    "FORMATS",
    "MEAN",
    "POOLED",
    "caption",
    "compare",
    "evaluate",
    "evaluate_raters",
    "format_scores",
    "rater_agreement",
    "rater_table",
    "table",
]
