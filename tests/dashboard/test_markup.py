from pathlib import Path

import pandas as pd
import pytest

from affectkit.dashboard import markup, tables
from affectkit.figures.style import LIGHT, format_number
from affectkit.run import SYNTHETIC_ONLY, Metadata

HTML = "<img src=x onerror=alert(1)>"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5714, ".571"), (-0.04, "−.040"), (1.0, "1.000"), (-0.0001, ".000"), (float("nan"), "–")],
)
def test_numbers_have_a_true_minus_and_no_leading_zero(value, text):
    assert format_number(value) == text


def test_file_names_are_not_read_as_markdown():
    assert markup.escape_markdown("![x](http://evil.example) $a_b$") == (
        r"\!\[x\]\(http\://evil.example\) \$a\_b\$"
    )


def test_times_are_minutes_and_tenths():
    assert [markup.clock(t) for t in (0, 9.96, 208.5)] == ["0:00.0", "0:10.0", "3:28.5"]


def test_ordinals_have_english_endings():
    assert [markup.ordinal(n) for n in (1, 2, 3, 4, 11, 21)] == [
        "1st", "2nd", "3rd", "4th", "11th", "21st",
    ]  # fmt: skip


def test_html_in_any_field_of_a_file_is_shown_as_text(make_recording):
    recording = make_recording("name")
    recording.attrs = dict.fromkeys(recording.attrs, HTML) | {"fps": 25.0}
    score = {"affect": HTML, "value": 0.5, "low": 0.1, "high": 0.7, "interval": HTML}
    metadata = dict.fromkeys(Metadata.model_fields, HTML)
    table = pd.DataFrame({"subject": [HTML], "frames": [40]})
    pages = [
        markup.heading(HTML, markup.recording_parts(recording, HTML, [score], (1, 2))),
        markup.heading(HTML, markup.run_parts(metadata, table, HTML)),
        markup.section(HTML, HTML),
        markup.ccc_dots_key(pd.DataFrame([score]), HTML, LIGHT),
        markup.pooled_scores([score], [score], HTML, LIGHT),
    ]
    for page in pages:
        assert "<img" not in page
        assert "&lt;img" in page


def test_only_runs_on_synthetic_data_have_a_warning():
    table = pd.DataFrame({"subject": ["ann"], "frames": [40]})

    def line(**metadata):
        return " ".join(markup.run_parts(metadata, table, "test"))

    assert SYNTHETIC_ONLY in line(datasets=["synthetic"])
    assert SYNTHETIC_ONLY not in line(datasets=["synthetic", "affwild2"])
    assert SYNTHETIC_ONLY not in line()


def test_error_over_time_interpolates_frames_without_annotation(recording, make_prediction):
    prediction = make_prediction(recording, noise=0)
    prediction["prediction"][:] += 0.3
    recording["annotation"][10:20] = float("nan")
    line = tables.error_over_time(recording, prediction)
    assert line == pytest.approx([0.3 * 2**0.5] * 40, abs=1e-5)
    recording["annotation"][:] = float("nan")
    assert tables.error_over_time(recording, prediction) == []


def test_views_stay_short():
    for view in Path(tables.__file__).parent.glob("views/*.py"):
        assert len(view.read_text().splitlines()) <= 70, view.name
