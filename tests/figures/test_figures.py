import numpy as np
import pandas as pd
import pytest
import xarray as xr

from affectkit.figures import affect_density, ccc_dots
from affectkit.figures.density import enclosed_share
from affectkit.figures.style import DARK, LIGHT


def scores(shift: float = 0.0) -> pd.DataFrame:
    rows = [
        {"recording": name, "affect": affect, "metric": "ccc", "value": value + shift,
         "low": value - 0.1, "high": value + 0.1, "interval": "blocks"}
        for name, value in {"(all)": 0.5, "b": 0.2, "a": 0.7, "c": -0.6}.items()
        for affect in ("valence", "arousal")
    ]  # fmt: skip
    return pd.DataFrame(rows)


def values(seed: int, frames: int = 5000) -> xr.DataArray:
    draws = np.random.default_rng(seed).normal(0, 0.2, (frames, 2))
    return xr.DataArray(draws.clip(-1, 1), dims=("frame", "affect"))


def test_dots_keep_the_order_of_the_scores_and_mark_the_pooled_ccc():
    figure = ccc_dots(scores())
    assert list(figure.layout.yaxis.ticktext) == ["b", "a", "c"]
    assert list(figure.data[0].x)[:2] == [0.2, 0.7]
    assert figure.data[0].x[2] >= -0.2
    assert {shape.x0 for shape in figure.layout.shapes} == {0.5}


def test_dots_show_their_intervals():
    error = ccc_dots(scores()).data[0].error_x
    assert np.allclose(list(error.array)[:2], 0.1)
    assert np.allclose(list(error.arrayminus)[:2], 0.1)


def test_the_second_run_is_hollow_and_blue():
    figure = ccc_dots(scores(), scores(0.1))
    second = figure.data[0].marker
    assert (second.color, second.line.color) == (LIGHT.paper, LIGHT.second)


def test_a_second_run_without_scores_changes_nothing():
    second, own = ccc_dots(scores(), scores().iloc[:0]).data[:2]
    assert len(second.x) == 0
    assert own.x[0] == 0.2


def test_scores_without_intervals_are_drawn():
    bare = scores().assign(low=np.nan, high=np.nan)
    assert len(ccc_dots(bare).data) == 2


def test_html_in_names_is_escaped():
    renamed = scores().replace({"recording": {"b": "<b>x</b>"}})
    assert "&lt;b>x" in ccc_dots(renamed).layout.yaxis.ticktext[0]


def test_areas_contain_the_stated_share_of_frames():
    draws = values(0, 40_000).values
    share = enclosed_share(draws).values
    cells = ((draws + 1) / 2 * len(share)).astype(int)
    inside = share[cells[:, 1], cells[:, 0]] <= 0.5
    assert inside.mean() == pytest.approx(0.5, abs=0.02)


def test_density_shows_annotation_and_prediction():
    figure = affect_density(values(0), values(1))
    assert [trace.name for trace in figure.data[:2]] == ["annotation", "prediction"]
    assert figure.layout.paper_bgcolor == LIGHT.paper
    assert affect_density(values(0), values(1), dark=True).layout.paper_bgcolor == DARK.paper


def test_density_without_annotation_shows_the_prediction_alone():
    figure = affect_density(values(0) * np.nan, values(1))
    assert {trace.name for trace in figure.data} == {"prediction"}


def test_density_without_values_is_an_empty_plane():
    assert len(affect_density(values(0) * np.nan, values(1) * np.nan).data) == 0
