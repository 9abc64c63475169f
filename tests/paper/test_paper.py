import re
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from affectkit import paper
from affectkit.errors import AffectkitError
from affectkit.paper.make import spread_frames
from affectkit.paper.strip import overlay, scale_of
from affectkit.recording import save_recording
from affectkit.run import attribution_path, prediction_path, save_result, write_contract
from affectkit.signals import soften


@pytest.fixture
def strip(recording, prediction, attribution):
    return paper.film_strip(recording, prediction, attribution, [3, 20, 39], target="arousal")


@pytest.fixture
def run(recording, prediction, attribution, tmp_path) -> Path:
    store = tmp_path / "recordings" / "one.zarr"
    save_recording(recording, store)
    write_contract(tmp_path / "run", {"recordings": str(store.parent), "splits": {}})
    prediction = prediction.assign_attrs(store=str(store))
    save_result(prediction, prediction_path(tmp_path / "run", "one"))
    save_result(attribution, attribution_path(tmp_path / "run", "gradient_x_input", "one"))
    return tmp_path / "run"


def lines(axes) -> dict[str, np.ndarray]:
    return {line.get_label(): line.get_xydata() for line in axes.lines}


def contents(pdf: bytes) -> bytes:
    """The PDF with its compressed streams unpacked."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    unpacked = [zlib.decompressobj().decompress(each) for each in streams if each[:1] == b"\x78"]
    return b"\n".join([pdf, *unpacked])


def test_traces_show_annotation_and_prediction(recording, prediction):
    figure = paper.traces(recording, prediction)
    for axes, affect in zip(figure.axes, ("valence", "arousal"), strict=True):
        shown = lines(axes)
        np.testing.assert_array_equal(shown["annotation"][:, 0], recording["time"])
        np.testing.assert_array_equal(
            shown["annotation"][:, 1], recording["annotation"].sel(affect=affect)
        )
        np.testing.assert_array_equal(
            shown["prediction"][:, 1], prediction["prediction"].sel(affect=affect)
        )
        assert axes.get_ylabel() == affect
        assert {text.get_text() for text in axes.texts} == {"annotation", "prediction"}


def test_traces_break_where_no_face_was_seen(three_recordings, make_prediction):
    lost = three_recordings[2]
    shown = lines(paper.traces(lost, make_prediction(lost)).axes[0])["prediction"][:, 1]
    assert np.flatnonzero(np.isnan(shown)).tolist() == [5, 6, 7, 8]


def test_traces_without_annotation_say_so(recording, prediction):
    recording["annotation"][:] = np.nan
    axes = paper.traces(recording, prediction).axes[0]
    assert axes.get_title(loc="right") == "not annotated"
    assert [text.get_text() for text in axes.texts] == ["prediction"]


def test_traces_of_other_frames_are_refused(recording, prediction):
    with pytest.raises(xr.AlignmentError):
        paper.traces(recording, prediction.isel(frame=slice(10)))


def test_strip_names_frame_and_time_on_each_tile(strip):
    titles = [axes.get_title() for axes in strip.axes if axes.get_title()]
    assert titles == ["frame 3\n0.13 s", "frame 20\n0.81 s", "frame 39\n1.57 s"]


def test_strip_shows_the_faces_and_marks_them_in_the_series(strip, recording, prediction):
    faces = [axes.images[0].get_array() for axes in strip.axes if axes.get_title()]
    np.testing.assert_array_equal(faces, recording["face"].sel(frame=[3, 20, 39]))
    marks = lines(strip.axes[-1])["shown frames"]
    np.testing.assert_array_equal(marks[:, 0], recording["time"].sel(frame=[3, 20, 39]))
    expected = prediction["prediction"].sel(frame=[3, 20, 39], affect="arousal")
    np.testing.assert_array_equal(marks[:, 1], expected)


def test_strip_prints_one_symmetric_scale(strip, attribution):
    bars = [axes for axes in strip.axes if axes.get_label() == "scale"]
    assert len(bars) == 1
    maps = attribution["attribution"].sel(affect="arousal", frame=[3, 20, 39])
    limit = scale_of(soften(maps.values))
    assert bars[0].get_yticks() == pytest.approx([-limit, 0, limit])


def test_strip_measures_what_was_asked(recording, prediction, attribution):
    figure = paper.film_strip(recording, prediction, attribution, [1, 2], width_inches=3.5)
    assert figure.get_size_inches()[0] == 3.5


@pytest.mark.parametrize("frames", [[], [3, 99]])
def test_strip_of_frames_that_are_not_there_is_refused(recording, prediction, attribution, frames):
    with pytest.raises(AffectkitError, match="'one' has 40 frames from 0 to 39"):
        paper.film_strip(recording, prediction, attribution, frames)


def test_overlay_is_clear_at_zero_and_symmetric():
    colours = overlay(np.array([[-2.0, -0.5, 0.0, 0.5, 2.0, np.nan]]), limit=1.0)[0]
    assert colours[2, 3] == colours[5, 3] == 0
    assert colours[0, 3] == colours[4, 3] == pytest.approx(0.9)
    assert colours[1, 3] == colours[3, 3]
    assert colours[0, 2] > colours[0, 0]  # blue lowers
    assert colours[4, 0] > colours[4, 2]  # red raises


def test_scale_is_not_ruled_by_one_pixel_and_never_zero():
    maps = np.ones((10, 32, 32))
    maps[0, 0, 0] = 1000
    assert scale_of(maps) == 1
    assert scale_of(np.zeros((1, 4, 4))) == 1


def test_region_bars_are_the_mean_shares(attribution):
    axes = paper.region_bars(attribution).axes[0]
    lowers, raises = ([bar.get_width() for bar in group] for group in axes.containers)
    share = attribution["region_share"].sel(affect="valence").mean("frame")
    np.testing.assert_allclose(lowers, -share.sel(direction="lowers"), rtol=1e-6)
    np.testing.assert_allclose(raises, share.sel(direction="raises"), rtol=1e-6)
    assert axes.get_yticklabels()[0].get_text() == "brows"


def test_pdf_embeds_truetype_and_no_type_3(strip, tmp_path):
    paper.save_figure(strip, tmp_path / "strip.pdf")
    data = contents((tmp_path / "strip.pdf").read_bytes())
    assert b"/Type0" in data
    assert b"/Type3" not in data


def test_same_figure_gives_the_same_pdf(recording, prediction, tmp_path):
    for name in ("a.pdf", "b.pdf"):
        paper.save_figure(paper.traces(recording, prediction), tmp_path / name)
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()


def test_numbers_lie_beside_the_figure(recording, prediction, tmp_path):
    data = paper.series(recording, prediction)
    paper.save_figure(paper.traces(recording, prediction), tmp_path / "a.svg", data)
    stored = pd.read_csv(tmp_path / "a.csv")
    assert list(stored.columns) == list(data.columns)
    np.testing.assert_allclose(stored, data, rtol=1e-5)


def test_an_unknown_suffix_is_refused(strip, tmp_path):
    with pytest.raises(AffectkitError, match=r"unknown suffix of a figure '.jpg'"):
        paper.save_figure(strip, tmp_path / "strip.jpg")


@pytest.mark.parametrize("kind", paper.FIGURES)
def test_each_kind_is_made_from_a_run(kind, run, tmp_path):
    paper.figure(kind, run, "one", tmp_path / "figure.pdf")
    assert (tmp_path / "figure.pdf").read_bytes()[:4] == b"%PDF"
    assert len(pd.read_csv(tmp_path / "figure.csv"))


def test_a_missing_attribution_names_what_to_run(run, tmp_path):
    with pytest.raises(AffectkitError, match=r"run: affectkit attribute .* one"):
        paper.figure("regions", run, "one", tmp_path / "figure.pdf", method="other")


def test_an_unknown_kind_and_target_list_the_known(run, tmp_path):
    with pytest.raises(AffectkitError, match="did you mean 'traces'"):
        paper.figure("trace", run, "one", tmp_path / "figure.pdf")
    with pytest.raises(AffectkitError, match="unknown target 'joy'"):
        paper.figure("traces", run, "one", tmp_path / "figure.pdf", target="joy")


def test_spread_frames_show_faces_only(three_recordings: list[xr.Dataset]):
    lost = three_recordings[2]
    frames = spread_frames(lost, 7)
    assert frames == sorted(set(frames))
    assert not set(frames) & {5, 6, 7, 8}
    lost["crop_box"][:] = np.nan
    with pytest.raises(AffectkitError, match="shows no face"):
        spread_frames(lost)
