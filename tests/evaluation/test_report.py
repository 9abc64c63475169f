import io
import json

import pandas as pd
import pytest

from affectkit.errors import AffectkitError
from affectkit.evaluation import compare, evaluate, format_scores, scores_caption, scores_table
from affectkit.evaluation.scores import COLUMNS


@pytest.fixture
def scores() -> pd.DataFrame:
    method = "percentile bootstrap, subjects resampled, 2000"
    rows = [
        ["test", "(all)", "valence", "ccc", 0.5714, 0.5, 0.6, 400, method],
        ["test", "(all)", "arousal", "ccc", -0.2, float("nan"), float("nan"), 31, "too few frames"],
        ["test", "(all)", "mean", "ccc", float("nan"), float("nan"), float("nan"), 400, method],
        ["test", "s07_04", "valence", "ccc", -0.0001, -0.1, 0.1, 200, method],
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def test_cells_show_value_and_interval(scores):
    shown = scores_table(scores, others=())
    assert list(shown.columns) == ["CCC V", "CCC A", "CCC mean"]
    assert shown.loc["(all)"].tolist() == ["0.571 [0.500, 0.600]", "−0.200", "–"]
    assert shown.loc["s07_04", "CCC V"] == "0.000 [−0.100, 0.100]"


def test_other_metrics_show_their_mean_only(run):
    shown = scores_table(evaluate(run, resamples=50))
    expected = ["CCC V", "CCC A", "CCC mean", "PCC mean", "RMSE mean", "SAGR mean"]
    assert list(shown.columns) == expected
    assert list(shown.index) == ["(all)", "(mean)", "a", "b", "c", "d"]
    assert shown["RMSE mean"].str.fullmatch(r"0\.\d{3}").all()


def test_the_table_accepts_the_result_of_compare(run):
    assert (
        scores_table(compare(run, run, resamples=50)).loc["(all)", "CCC V"]
        == "0.000 [0.000, 0.000]"
    )


def test_the_table_of_two_splits_names_both(scores):
    both = pd.concat([scores, scores.assign(split="validation")])
    assert scores_table(both, others=()).index.names == ["split", "recording"]


def test_the_caption_says_how_the_scores_were_computed(scores):
    text = scores_caption(scores)
    for part in ("test: 400 frames", "pools", "ddof 0", "2000 resamples", "blocks of 4 s"):
        assert part in text
    assert "\n" not in text


def test_the_caption_says_when_there_are_no_intervals(scores):
    few = scores.assign(interval="too few frames (31; needs 100)")
    assert "too few frames or subjects for intervals" in scores_caption(few)


def test_scores_are_formatted_as_table_json_and_csv(run):
    scores = evaluate(run, resamples=50)
    assert "CCC mean" in format_scores(scores)
    assert len(json.loads(format_scores(scores, "json"))) == len(scores)
    assert len(pd.read_csv(io.StringIO(format_scores(scores, "csv")))) == len(scores)


def test_latex_escapes_special_characters(scores):
    text = format_scores(scores, "latex")
    assert r"s07\_04 & 0.000 [$-$0.100, 0.100] &" in text
    assert r"95 \% percentile" in text
    assert text.count(r"\begin{") == text.count(r"\end{") == 2


def test_latex_prints_every_special_character_as_itself(scores):
    name = r"\{a}$b~c^d%e_f&g#"
    escaped = r"\textbackslash{}\{a\}\$b\textasciitilde{}c\textasciicircum{}d\%e\_f\&g\#"
    text = format_scores(scores.replace("s07_04", name), "latex")
    assert f"{escaped} & 0.000" in text


def test_an_unknown_format_lists_the_known_formats(scores):
    with pytest.raises(AffectkitError, match="csv, json, latex, table"):
        format_scores(scores, "xlsx")
