import importlib.util
from pathlib import Path

import pandas as pd
import pytest

from affectkit.dashboard import strips, tables, texts
from affectkit.figures.style import LIGHT, number

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5714, ".571"), (-0.04, "−.040"), (1.0, "1.000"), (-0.0001, ".000"), (float("nan"), "–")],
)
def test_numbers_have_a_true_minus_and_no_leading_zero(value, text):
    assert number(value) == text


def test_file_names_are_no_markdown():
    assert texts.plain("![x](http://evil.example) $a_b$") == (
        r"\!\[x\]\(http\://evil.example\) \$a\_b\$"
    )


def test_times_are_minutes_and_tenths():
    assert [texts.clock(t) for t in (0, 9.96, 208.5)] == ["0:00.0", "0:10.0", "3:28.5"]


def test_places_are_counted_from_the_worst():
    assert [texts.ordinal(n) for n in (1, 2, 3, 4, 11, 21)] == [
        "the", "2nd", "3rd", "4th", "11th", "21st",
    ]  # fmt: skip


def test_hostile_names_are_shown_as_text(make_recording):
    recording = make_recording(HOSTILE, subject=HOSTILE)
    score = {"affect": "valence", "value": 0.5, "low": 0.1, "high": 0.7, "interval": HOSTILE}
    pages = [
        texts.heading(HOSTILE, texts.recording_parts(recording, HOSTILE, [score], (1, 2))),
        texts.section(HOSTILE),
        texts.dots_key(pd.DataFrame([score]), HOSTILE, LIGHT),
        strips.score_row([score], [score], HOSTILE, LIGHT),
    ]
    for page in pages:
        assert "<img" not in page
        assert "&lt;img" in page


def test_only_runs_on_drawn_people_say_so():
    assert texts.drawn_people({"datasets": ["synthetic"]})
    assert not texts.drawn_people({"datasets": ["synthetic", "affwild2"]})
    assert not texts.drawn_people({})


def test_error_over_time_bridges_what_is_not_annotated(recording, make_prediction):
    prediction = make_prediction(recording, noise=0)
    prediction["prediction"][:] += 0.3
    recording["annotation"][10:20] = float("nan")
    line = tables.error_line(recording, prediction)
    assert line == pytest.approx([0.3 * 2**0.5] * 40, abs=1e-5)
    recording["annotation"][:] = float("nan")
    assert tables.error_line(recording, prediction) == []


def test_views_stay_short():
    for view in Path(tables.__file__).parent.glob("views/*.py"):
        assert len(view.read_text().splitlines()) <= 70, view.name
        assert importlib.util.find_spec("affectkit.dashboard")
