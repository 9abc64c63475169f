"""Scores as text: a compact table with a caption on how it was computed, CSV, LaTeX or JSON."""

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import pandas as pd

from affectkit.errors import unknown
from affectkit.evaluation.intervals import BLOCK_SECONDS, has_no_interval
from affectkit.evaluation.scores import POOLED

HEADINGS = {"ccc": "CCC", "pearson": "PCC", "rmse": "RMSE", "mae": "MAE", "bias": "bias",
            "sign_agreement": "SAGR"}  # fmt: skip
AFFECT_HEADINGS = {"valence": "V", "arousal": "A", "mean": "mean"}
OTHER_METRICS = ("pearson", "rmse", "sign_agreement")
LATEX = str.maketrans(
    {character: f"\\{character}" for character in "%_&#${}"}
    | {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "−": "$-$",
        "–": "--",
    }
)


def scores_table(scores: pd.DataFrame, others: tuple[str, ...] = OTHER_METRICS) -> pd.DataFrame:
    """A row for each recording: CCC of each affect as "value [low, high]", and other metrics.

    Args:
        scores: as `evaluate`, `compare` or `read_scores` return them.
        others: the other metrics to show, in this order; only the mean of valence and arousal,
            without interval, to keep the table narrow.
    """
    mean = (scores["affect"] == "mean") & scores["metric"].isin(others)
    shown = scores[mean | (scores["metric"] == "ccc")]
    cells = shown.assign(
        cell=[format_score(row) for row in shown.to_dict("records")],
        column=[
            f"{HEADINGS[m]} {AFFECT_HEADINGS[a]}"
            for m, a in zip(shown.metric, shown.affect, strict=True)
        ],
    )
    columns = [f"CCC {heading}" for heading in AFFECT_HEADINGS.values()]
    columns += [f"{HEADINGS[metric]} mean" for metric in others]
    wide = cells.pivot(index=["split", "recording"], columns="column", values="cell")
    order = cells[["split", "recording"]].drop_duplicates()
    wide = wide.reindex(pd.MultiIndex.from_frame(order), columns=columns).fillna("–")
    wide = wide.rename_axis(columns=None)
    return wide.droplevel("split") if order["split"].nunique() == 1 else wide


def format_score(row: Mapping[Hashable, Any]) -> str:
    """A score as "value [low, high]"; metrics other than CCC without interval; NaN as "–"."""
    if pd.isna(row["value"]):
        return "–"
    if pd.isna(row["low"]) or row["metric"] != "ccc":
        return _format_number(row["value"])
    low, high = _format_number(row["low"]), _format_number(row["high"])
    return f"{_format_number(row['value'])} [{low}, {high}]"


def _format_number(value: float) -> str:
    text = f"{abs(value):.3f}"
    return f"−{text}" if value < 0 and float(text) else text


def scores_caption(scores: pd.DataFrame) -> str:
    """One line on how the scores were computed."""
    pooled = scores[(scores["recording"] == POOLED) & (scores["affect"] == "mean")]
    frames = ", ".join(
        f"{row.split}: {row.frames} frames"
        for row in pooled.drop_duplicates("split").itertuples(index=False)
    )
    methods = scores.loc[~scores["interval"].map(has_no_interval), "interval"]
    counts = sorted({method.rsplit(", ", 1)[-1] for method in methods}, key=int)
    intervals = (
        f"95 % percentile bootstrap intervals ({' or '.join(counts)} resamples) over subjects, "
        f"within a recording over blocks of {BLOCK_SECONDS:g} s"
        if counts
        else "too few frames or subjects for intervals"
    )
    raters = (
        "; (one rater) scores each human rater against the mean of the others, the ceiling for a "
        "prediction"
        if scores["recording"].str.startswith("(one rater").any()
        else ""
    )
    return (
        f"{frames}; (all) pools the frames of all recordings, (mean) is the mean over recordings; "
        f"variances divide by n (ddof 0), frames without annotation or prediction are left out; "
        f"{intervals}{raters}."
    )


def latex_table(table: pd.DataFrame, caption: str) -> str:
    """A LaTeX table (booktabs) of a table of texts with a named index."""
    lines = [_latex_row([str(table.index.name), *table.columns]), r"\midrule"]
    lines += [
        _latex_row([str(name), *row]) for name, row in zip(table.index, table.values, strict=True)
    ]
    body = "\n".join(["\\toprule", *lines, "\\bottomrule"])
    columns = "l" * (1 + len(table.columns))
    return (
        f"\\begin{{table}}\n\\centering\n\\begin{{tabular}}{{{columns}}}\n{body}\n\\end{{tabular}}\n"
        f"\\caption{{{_escape_latex(caption)}}}\n\\end{{table}}\n"
    )


def _latex_row(cells: list[str]) -> str:
    return f"{' & '.join(_escape_latex(cell) for cell in cells)} \\\\"


def _escape_latex(text: str) -> str:
    return text.translate(LATEX)


def _text(scores: pd.DataFrame) -> str:
    return f"{scores_table(scores).to_string()}\n{scores_caption(scores)}\n"


def _csv(scores: pd.DataFrame) -> str:
    return scores.to_csv(index=False, float_format="%.6f")


def _json(scores: pd.DataFrame) -> str:
    return f"{scores.to_json(orient='records', indent=2)}\n"


def _latex(scores: pd.DataFrame) -> str:
    wide = scores_table(scores, others=())
    names = wide.index.to_frame().agg(" ".join, axis="columns")
    return latex_table(wide.set_axis(names.rename("recording")), scores_caption(scores))


FORMATS: dict[str, Callable[[pd.DataFrame], str]] = {
    "table": _text,
    "csv": _csv,
    "latex": _latex,
    "json": _json,
}


def format_scores(scores: pd.DataFrame, format: str = "table") -> str:
    """Scores as text, in one of `FORMATS`.

    Raises:
        AffectkitError: the format is unknown.
    """
    if format not in FORMATS:
        raise unknown("format", format, FORMATS)
    return FORMATS[format](scores)
