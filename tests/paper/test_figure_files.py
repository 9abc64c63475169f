"""Saved figures: fonts, numbers as CSV, and figures chosen by name."""

import re
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from affectkit import paper
from affectkit.datasets import synthetic
from affectkit.errors import AffectkitError
from affectkit.paper.files import evenly_spaced_frames
from affectkit.recording import save_recording
from affectkit.results import attribution_path, prediction_path, save_result
from affectkit.run import write_metadata
from tests.conftest import fake_metadata


@pytest.fixture
def run(recording, prediction, attribution, tmp_path) -> Path:
    path = tmp_path / "recordings" / "one.zarr"
    save_recording(recording, path)
    write_metadata(tmp_path / "run", fake_metadata(recordings=str(path.parent)))
    prediction = prediction.assign_attrs(recording_path=str(path))
    save_result(prediction, prediction_path(tmp_path / "run", "one"))
    save_result(attribution, attribution_path(tmp_path / "run", "gradient_x_input", "one"))
    return tmp_path / "run"


def contents(pdf: bytes) -> bytes:
    """The PDF with decompressed streams."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    unpacked = [zlib.decompressobj().decompress(each) for each in streams if each[:1] == b"\x78"]
    return b"\n".join([pdf, *unpacked])


def test_pdf_embeds_truetype_and_no_type_3(strip, tmp_path):
    paper.save_figure(strip, tmp_path / "strip.pdf")
    data = contents((tmp_path / "strip.pdf").read_bytes())
    assert b"/Type0" in data
    assert b"/Type3" not in data


def test_same_figure_gives_the_same_pdf(recording, prediction, tmp_path):
    for name in ("a.pdf", "b.pdf"):
        paper.save_figure(paper.affect_traces(recording, prediction), tmp_path / name)
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()


def test_numbers_are_saved_as_csv(recording, prediction, tmp_path):
    data = paper.traces_table(recording, prediction)
    paper.save_figure(paper.affect_traces(recording, prediction), tmp_path / "a.svg", data)
    stored = pd.read_csv(tmp_path / "a.csv")
    assert list(stored.columns) == list(data.columns)
    np.testing.assert_allclose(stored, data, rtol=1e-5)


def test_an_unknown_suffix_raises_an_error(strip, tmp_path):
    with pytest.raises(AffectkitError, match=r"unknown suffix of a figure '.jpg'"):
        paper.save_figure(strip, tmp_path / "strip.jpg")


@pytest.mark.parametrize("kind", paper.RUN_FIGURES)
def test_each_kind_is_drawn_from_a_run(kind, run, tmp_path):
    paper.write_run_figure(kind, run, "one", tmp_path / "figure.pdf")
    assert (tmp_path / "figure.pdf").read_bytes()[:4] == b"%PDF"
    assert len(pd.read_csv(tmp_path / "figure.csv"))


def test_a_missing_attribution_names_the_command_to_run(run, tmp_path):
    with pytest.raises(AffectkitError, match=r"run: affectkit attribute .*one\.zarr"):
        paper.write_run_figure("regions", run, "one", tmp_path / "figure.pdf", method="other")


def test_integrated_gradients_are_drawn_if_the_run_has_them(run, attribution, tmp_path):
    other = attribution.assign_attrs(method="integrated_gradients")
    other["region_share"] = other["region_share"] / 2
    save_result(other, attribution_path(run, "integrated_gradients", "one"))
    for name, method in (("default", ""), ("named", "gradient_x_input")):
        paper.write_run_figure("regions", run, "one", tmp_path / f"{name}.pdf", method=method)
    default, named = (pd.read_csv(tmp_path / f"{name}.csv") for name in ("default", "named"))
    np.testing.assert_allclose(2 * default["region_share"], named["region_share"], rtol=1e-4)


def test_unknown_kinds_and_targets_list_the_known_ones(run, tmp_path):
    with pytest.raises(AffectkitError, match="did you mean 'traces'"):
        paper.write_run_figure("trace", run, "one", tmp_path / "figure.pdf")
    with pytest.raises(AffectkitError, match="unknown target 'joy'"):
        paper.write_run_figure("traces", run, "one", tmp_path / "figure.pdf", target="joy")


def test_evenly_spaced_frames_show_faces_only(three_recordings: list[xr.Dataset]):
    lost = three_recordings[2]
    frames = evenly_spaced_frames(lost, 7)
    assert frames == sorted(set(frames))
    assert not set(frames) & {5, 6, 7, 8}
    lost["crop_box"][:] = np.nan
    with pytest.raises(AffectkitError, match=r"no frame .* shows a face"):
        evenly_spaced_frames(lost)


@pytest.mark.parametrize("kind", paper.DATASET_FIGURES)
def test_each_kind_is_saved_with_its_numbers_as_csv(kind, three_stored, tmp_path):
    paper.write_dataset_figure(kind, three_stored, tmp_path / "f.pdf")
    content = (tmp_path / "f.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert b"/Type3" not in content
    assert len(pd.read_csv(tmp_path / "f.csv"))


def test_density_and_subjects_accept_an_unprepared_dataset(tmp_path):
    root = synthetic.write_synthetic(
        tmp_path / "r", subjects=(2, 0, 0), seconds=1, fps=8, size=64, workers=1
    )
    for kind in ("density", "subjects"):
        paper.write_dataset_figure(kind, root, tmp_path / f"{kind}.svg", dataset="affwild2")
        assert (tmp_path / f"{kind}.svg").is_file()
    for kind in ("coverage", "annotations"):
        with pytest.raises(AffectkitError, match="run: affectkit prepare"):
            paper.write_dataset_figure(kind, root, tmp_path / "x.svg", dataset="affwild2")


def test_one_recording_can_be_chosen(three_stored, tmp_path):
    paper.write_dataset_figure("annotations", three_stored, tmp_path / "f.png", recording="second")
    assert set(pd.read_csv(tmp_path / "f.csv")["recording"]) == {"second"}
    with pytest.raises(AffectkitError, match="did you mean 'second'"):
        paper.write_dataset_figure(
            "annotations", three_stored, tmp_path / "f.png", recording="seconds"
        )
    with pytest.raises(AffectkitError, match="did you mean 'density'"):
        paper.write_dataset_figure("densities", three_stored, tmp_path / "f.png")


@pytest.mark.parametrize("suffix", [".pdf", ".csv"])
def test_a_folder_is_never_replaced_by_a_figure_or_its_numbers(strip, suffix, tmp_path):
    kept = tmp_path / f"strip{suffix}" / "kept.txt"
    kept.parent.mkdir()
    kept.write_text("mine")
    with pytest.raises(AffectkitError, match=f"strip{suffix} is a folder"):
        paper.save_figure(strip, tmp_path / "strip.pdf", pd.DataFrame({"a": [1]}), overwrite=True)
    assert kept.read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == [kept.parent.name]


def test_a_figure_and_its_numbers_are_replaced_only_if_asked(strip, tmp_path):
    table = pd.DataFrame({"a": [1]})
    paper.save_figure(strip, tmp_path / "strip.pdf", table)
    with pytest.raises(AffectkitError, match=r"strip.pdf exists already.*--overwrite"):
        paper.save_figure(strip, tmp_path / "strip.pdf", table)
    paper.save_figure(strip, tmp_path / "strip.pdf", table + 1, overwrite=True)
    assert pd.read_csv(tmp_path / "strip.csv")["a"].tolist() == [2]


def test_a_csv_of_other_columns_is_never_replaced(strip, tmp_path):
    (tmp_path / "strip.csv").write_text("frame,my notes\n1,x\n")
    with pytest.raises(AffectkitError, match=r"strip.csv exists and has not the columns"):
        paper.save_figure(strip, tmp_path / "strip.pdf", pd.DataFrame({"a": [1]}), overwrite=True)
    assert (tmp_path / "strip.csv").read_text() == "frame,my notes\n1,x\n"
    assert not (tmp_path / "strip.pdf").exists()


def test_an_error_of_the_disk_names_the_figure(strip, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(strip, "savefig", full)
    with pytest.raises(AffectkitError, match=r"strip.pdf could not be written \(No space left"):
        paper.save_figure(strip, tmp_path / "strip.pdf")
