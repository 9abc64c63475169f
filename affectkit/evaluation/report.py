"""Scores to read and to print: a compact table that says how it was computed."""

from collections.abc import Callable, Hashable, Mapping
from typing import Any

import pandas as pd

from affectkit.errors import unknown
from affectkit.evaluation.intervals import BLOCK_SECONDS, refused

HEADINGS = {"ccc": "CCC", "pearson": "PCC", "rmse": "RMSE", "mae": "MAE", "bias": "bias",
            "sign_agreement": "SAGR"}  # fmt: skip
SHORT = {"valence": "V", "arousal": "A", "mean": "mean"}
OTHERS = ("pearson", "rmse", "sign_agreement")


def table(scores: pd.DataFrame, others: tuple[str, ...] = OTHERS) -> pd.DataFrame:
    """A row for each recording: CCC of each affect as "value [low, high]", other metrics' means.

    Args:
        scores: as `evaluate` or `compare` returns them, or as scores.csv holds them.
        others: which other metrics to show, in this order; only the mean of valence and arousal
            and without its interval, so that the table stays narrow.
    """
    mean = (scores["affect"] == "mean") & scores["metric"].isin(others)
    shown = scores[mean | (scores["metric"] == "ccc")]
    cells = shown.assign(
        cell=[cell(row) for row in shown.to_dict("records")],
        column=[
            f"{HEADINGS[m]} {SHORT[a]}" for m, a in zip(shown.metric, shown.affect, strict=True)
        ],
    )
    columns = [f"CCC {short}" for short in SHORT.values()]
    columns += [f"{HEADINGS[metric]} mean" for metric in others]
    wide = cells.pivot(index=["split", "recording"], columns="column", values="cell")
    order = cells[["split", "recording"]].drop_duplicates()
    wide = wide.reindex(pd.MultiIndex.from_frame(order), columns=columns).fillna("–")
    wide = wide.rename_axis(columns=None)
    return wide.droplevel("split") if order["split"].nunique() == 1 else wide


def cell(row: Mapping[Hashable, Any]) -> str:
    """A score as "value [low, high]"; of metrics other than CCC the value alone."""
    if pd.isna(row["value"]):
        return "–"
    if pd.isna(row["low"]) or row["metric"] != "ccc":
        return _number(row["value"])
    return f"{_number(row['value'])} [{_number(row['low'])}, {_number(row['high'])}]"


def _number(value: float) -> str:
    text = f"{abs(value):.3f}"
    return f"−{text}" if value < 0 and float(text) else text


def caption(scores: pd.DataFrame) -> str:
    """One line on how the scores were computed."""
    pooled = scores[(scores["recording"] == "(all)") & (scores["affect"] == "mean")]
    frames = ", ".join(
        f"{row.split}: {row.frames} frames"
        for row in pooled.drop_duplicates("split").itertuples(index=False)
    )
    resampled = scores.loc[~scores["interval"].map(refused), "interval"]
    counts = sorted({text.rsplit(", ", 1)[-1] for text in resampled}, key=int)
    intervals = (
        f"95 % percentile bootstrap intervals ({' or '.join(counts)} resamples) of whole subjects, "
        f"of {BLOCK_SECONDS:g} s blocks within a recording"
        if counts
        else "too little for intervals"
    )
    raters = (
        "; (one rater) is each rater against the mean of the others, what a human reaches"
        if scores["recording"].str.startswith("(one rater").any()
        else ""
    )
    return (
        f"{frames}; (all) pools the frames of all recordings, (mean) is the mean over recordings; "
        f"variances divide by n (ddof 0), frames without annotation or prediction are left out; "
        f"{intervals}{raters}."
    )


def _text(scores: pd.DataFrame) -> str:
    return f"{table(scores).to_string()}\n{caption(scores)}\n"


def _csv(scores: pd.DataFrame) -> str:
    return scores.to_csv(index=False, float_format="%.6f")


def _json(scores: pd.DataFrame) -> str:
    return f"{scores.to_json(orient='records', indent=2)}\n"


def to_latex(scores: pd.DataFrame) -> str:
    """A booktabs table with its caption; CCC of every recording."""
    wide = table(scores, others=())
    names = wide.index.to_frame().agg(" ".join, axis="columns")
    return latex_table(wide.set_axis(names.rename("recording")), caption(scores))


def latex_table(wide: pd.DataFrame, words: str) -> str:
    """A booktabs table of texts, whose index has a name, with `words` as its caption."""
    lines = [_latex_row([str(wide.index.name), *wide.columns]), r"\midrule"]
    lines += [
        _latex_row([str(name), *row]) for name, row in zip(wide.index, wide.values, strict=True)
    ]
    body = "\n".join(["\\toprule", *lines, "\\bottomrule"])
    columns = "l" * (1 + len(wide.columns))
    return (
        f"\\begin{{table}}\n\\centering\n\\begin{{tabular}}{{{columns}}}\n{body}\n\\end{{tabular}}\n"
        f"\\caption{{{_escape(words)}}}\n\\end{{table}}\n"
    )


def _latex_row(cells: list[str]) -> str:
    return f"{' & '.join(_escape(cell) for cell in cells)} \\\\"


def _escape(text: str) -> str:
    for plain, latex in (
        ("%", r"\%"),
        ("_", r"\_"),
        ("&", r"\&"),
        ("#", r"\#"),
        ("−", "$-$"),
        ("–", "--"),
    ):
        text = text.replace(plain, latex)
    return text


FORMATS: dict[str, Callable[[pd.DataFrame], str]] = {
    "table": _text,
    "csv": _csv,
    "latex": to_latex,
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
