"""The comparison of networks to read and to print, with the paper's figures beside it."""

import math
from collections.abc import Callable
from typing import NamedTuple

import pandas as pd

from affectkit.bench.networks import CNN, QUICK, TRAILING, Outcome
from affectkit.bench.over_seeds import ITSELF
from affectkit.errors import unknown
from affectkit.evaluation.report import cell, latex_table


class Published(NamedTuple):
    """A row of the paper's tables: CCC on Aff-Wild's test set."""

    net: str
    valence: float
    arousal: float
    how_known: str


# Kollias et al., IJCV 2019 (arXiv 1804.10938), of which no figure could be checked against the text
PUBLISHED: dict[str, Published] = {
    CNN: Published("VGG-Face CNN", 0.51, 0.33, "recalled, uncertain"),
    "joint CNN-LSTM, landmarks": Published("VGG-Face-LSTM", 0.52, 0.38, "recalled, uncertain"),
    "joint CNN-GRU, landmarks": Published("AffWildNet", 0.57, 0.43, "recalled"),
}
ELSEWHERE = "paper, Aff-Wild: V / A"
MARKS = {"recalled": "(?)", "recalled, uncertain": "(??)"}
TRAPS = (
    "These people are drawn. A net trained on them knows nothing about real people, and which net "
    "is ahead here need not be ahead elsewhere: arousal is drawn into movement that single frames "
    "do not show, so that a memory helps by construction."
)
SEEN = (
    "The settings of --quick were changed after scores of these test people were seen: it shows "
    "that the road works, and is no independent evidence.\n"
)


def wide_table(outcome: Outcome) -> pd.DataFrame:
    """A row a net: CCC as "value [low, high]", paired differences, RMSE, the paper's figures."""
    rows = {
        (row["net"], row["minus"], row["affect"], row["metric"]): row
        for row in outcome.rows.to_dict("records")
    }

    def show(net: str, minus: str = ITSELF, affect: str = "mean", metric: str = "ccc") -> str:
        row = rows.get((net, minus, affect, metric))
        return cell(row) if row else "–"

    def bare(net: str, affect: str) -> str:
        return show(net, affect=affect).partition(" ")[0]  # the table would be too wide

    nets = list(dict.fromkeys(outcome.rows["net"]))
    columns = {
        "CCC V": [bare(n, "valence") for n in nets],
        "CCC A": [bare(n, "arousal") for n in nets],
        "CCC mean": [show(n) for n in nets],
        f"minus {CNN}": [show(n, CNN) for n in nets],
        "minus trailing mean": [show(n, TRAILING) for n in nets],
        "RMSE": [show(n, metric="rmse") for n in nets],
        ELSEWHERE: [_published(n) for n in nets],
    }
    return pd.DataFrame(columns, index=pd.Index(nets, name="drawn people"))


def _published(net: str) -> str:
    if net not in PUBLISHED:
        return "–"
    row = PUBLISHED[net]
    return f"{row.valence:.2f} / {row.arousal:.2f} {MARKS[row.how_known]}"


def caption(outcome: Outcome) -> str:
    """How the table was computed, what stands beside it, and what it does not show."""
    size = outcome.size
    train, validation, _ = size.people
    alone, after = size.epochs
    published = ", ".join(
        f"{row.net} beside '{net}'" for net, row in PUBLISHED.items() if net in size.nets
    )
    return (
        f"{outcome.frames} frames of {outcome.subjects} test people pooled, mean over {size.seeds} "
        f"seeds; trained on {train} people, the best epoch and the trailing mean "
        f"({' and '.join(map(str, outcome.windows))} frames) picked on {validation} others. "
        f"Every net starts from a CNN trained by itself for {alone} epochs with the same seed, and "
        f"is trained for {after} more. CCC with variances divided by n (ddof 0); CCC mean and RMSE "
        f"are means of valence and arousal. Brackets: 95 % percentile bootstrap, people and seeds "
        f"resampled ({outcome.resamples} times), differences paired by both; {size.seeds} seeds "
        f"say little about others, and the people trained on are not resampled.\n"
        f"{SEEN if size == QUICK else ''}{TRAPS}\n"
        f"The last column is another dataset, other nets and other scores, and to be compared with "
        f"nothing here: Aff-Wild's test set, Kollias et al. 2019 ({published}); "
        "(?) recalled and not checked against the paper, (??) and of uncertain digits."
    )


def _text(outcome: Outcome) -> str:
    return f"{wide_table(outcome).to_string()}\n{caption(outcome)}\n"


def _csv(outcome: Outcome) -> str:
    return with_published(outcome.rows).to_csv(index=False, float_format="%.6f")


def _json(outcome: Outcome) -> str:
    return f"{with_published(outcome.rows).to_json(orient='records', indent=2)}\n"


def _latex(outcome: Outcome) -> str:
    return latex_table(wide_table(outcome), caption(outcome))


def with_published(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with the paper's CCC beside the nets' own, and how it is known."""
    figures = {
        (net, ITSELF, affect, "ccc"): (value, row.how_known)
        for net, row in PUBLISHED.items()
        for affect, value in (("valence", row.valence), ("arousal", row.arousal))
    }
    keys = rows[["net", "minus", "affect", "metric"]].itertuples(index=False)
    beside = [figures.get(tuple(key), (math.nan, "")) for key in keys]
    values, known = (pd.Series(part, index=rows.index) for part in zip(*beside, strict=True))
    return rows.assign(aff_wild=values, aff_wild_known=known)


FORMATS: dict[str, Callable[[Outcome], str]] = {
    "table": _text,
    "csv": _csv,
    "latex": _latex,
    "json": _json,
}


def check_format(form: str) -> None:
    """Refuse a format before an hour of work.

    Raises:
        AffectkitError: it is unknown.
    """
    if form not in FORMATS:
        raise unknown("format", form, FORMATS)
