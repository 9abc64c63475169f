"""Tables of the comparison of networks: text, CSV, LaTeX and JSON, with the paper's scores."""

import math
from collections.abc import Callable
from typing import NamedTuple

import pandas as pd

from affectkit.bench.networks import CNN, QUICK, TRAILING_MEAN, Comparison
from affectkit.bench.seed_intervals import NO_BASELINE
from affectkit.errors import unknown
from affectkit.evaluation.report import format_score, latex_table


class Published(NamedTuple):
    """A row of the paper's tables: CCC on Aff-Wild's test set."""

    network: str
    valence: float
    arousal: float
    certainty: str


# Kollias et al., IJCV 2019 (arXiv 1804.10938); no number could be checked against the text
PUBLISHED: dict[str, Published] = {
    CNN: Published("VGG-Face CNN", 0.51, 0.33, "recalled, uncertain"),
    "joint CNN-LSTM, landmarks": Published("VGG-Face-LSTM", 0.52, 0.38, "recalled, uncertain"),
    "joint CNN-GRU, landmarks": Published("AffWildNet", 0.57, 0.43, "recalled"),
}
PAPER_COLUMN = "paper, Aff-Wild: V / A"
MARKS = {"recalled": "(?)", "recalled, uncertain": "(??)"}
LIMITS = (
    "The data are synthetic. A network trained on them knows nothing about real people, and the "
    "ranking may differ on real data: arousal is encoded in movement that single frames do "
    "not show, so that an RNN helps by construction."
)
QUICK_LIMITS = (
    "The settings of --quick were changed after scores of these test subjects were seen: this "
    "comparison shows that the code works, and is no independent evidence.\n"
)


def wide_table(comparison: Comparison) -> pd.DataFrame:
    """A row per network: CCC as "value [low, high]", paired differences, RMSE, paper's scores."""
    rows = {
        (row["network"], row["minus"], row["affect"], row["metric"]): row
        for row in comparison.rows.to_dict("records")
    }

    def show(
        network: str, minus: str = NO_BASELINE, affect: str = "mean", metric: str = "ccc"
    ) -> str:
        row = rows.get((network, minus, affect, metric))
        return format_score(row) if row else "–"

    def without_interval(network: str, affect: str) -> str:
        return show(network, affect=affect).partition(" ")[0]  # to limit the width of the table

    names = list(dict.fromkeys(comparison.rows["network"]))
    columns = {
        "CCC V": [without_interval(name, "valence") for name in names],
        "CCC A": [without_interval(name, "arousal") for name in names],
        "CCC mean": [show(name) for name in names],
        f"minus {CNN}": [show(name, CNN) for name in names],
        "minus trailing mean": [show(name, TRAILING_MEAN) for name in names],
        "RMSE": [show(name, metric="rmse") for name in names],
        PAPER_COLUMN: [_published(name) for name in names],
    }
    return pd.DataFrame(columns, index=pd.Index(names, name="network (synthetic data)"))


def _published(network: str) -> str:
    if network not in PUBLISHED:
        return "–"
    row = PUBLISHED[network]
    return f"{row.valence:.2f} / {row.arousal:.2f} {MARKS[row.certainty]}"


def caption(comparison: Comparison) -> str:
    """How the table was computed, what its columns mean, and its limits."""
    size = comparison.size
    train, validation, _ = size.subjects
    first_epochs, epochs = size.epochs
    published = ", ".join(
        f"{row.network} for '{name}'" for name, row in PUBLISHED.items() if name in size.networks
    )
    return (
        f"Test split: {comparison.frames} frames of {comparison.subjects} held-out synthetic "
        f"subjects pooled, mean over {size.seeds} seeds. Trained on {train} subjects; the best "
        f"epoch and the trailing mean ({' and '.join(map(str, comparison.windows))} frames) were "
        f"selected on {validation} validation subjects. All networks start from a CNN that was "
        f"trained for {first_epochs} epochs with the same seed, and are trained for {epochs} more "
        f"epochs. CCC with variances divided by n (ddof 0); CCC mean and RMSE are means of valence "
        f"and arousal. Brackets: 95 % percentile bootstrap of subjects and seeds "
        f"({comparison.resamples} resamples), differences paired by both. {size.seeds} seeds say "
        f"little about other seeds, and the training subjects are not resampled.\n"
        f"{QUICK_LIMITS if size == QUICK else ''}{LIMITS}\n"
        f"The last column is not comparable with the others: it has other data, networks and "
        f"scores, from Aff-Wild's test set, Kollias et al. 2019 ({published}); "
        "(?) recalled and not checked against the paper, (??) with uncertain digits."
    )


def _text(comparison: Comparison) -> str:
    return f"{wide_table(comparison).to_string()}\n{caption(comparison)}\n"


def _csv(comparison: Comparison) -> str:
    return with_published(comparison.rows).to_csv(index=False, float_format="%.6f")


def _json(comparison: Comparison) -> str:
    return f"{with_published(comparison.rows).to_json(orient='records', indent=2)}\n"


def _latex(comparison: Comparison) -> str:
    return latex_table(wide_table(comparison), caption(comparison))


def with_published(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with two more columns: the paper's CCC, and how certain it is."""
    published = {
        (name, NO_BASELINE, affect, "ccc"): (value, row.certainty)
        for name, row in PUBLISHED.items()
        for affect, value in (("valence", row.valence), ("arousal", row.arousal))
    }
    keys = rows[["network", "minus", "affect", "metric"]].itertuples(index=False)
    found = [published.get(tuple(key), (math.nan, "")) for key in keys]
    values, certainty = (pd.Series(part, index=rows.index) for part in zip(*found, strict=True))
    return rows.assign(aff_wild=values, aff_wild_certainty=certainty)


FORMATS: dict[str, Callable[[Comparison], str]] = {
    "table": _text,
    "csv": _csv,
    "latex": _latex,
    "json": _json,
}


def check_format(name: str) -> None:
    """Check the name of a format, before an hour of work.

    Raises:
        AffectkitError: the format is unknown.
    """
    if name not in FORMATS:
        raise unknown("format", name, FORMATS)
