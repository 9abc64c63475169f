import numpy as np
import pytest
import xarray as xr

from affectkit.attribution import attribute
from affectkit.attribution.gradients import gradient_x_input
from affectkit.attribution.labels import region_shares
from affectkit.attribution.methods import METHODS
from affectkit.errors import AffectkitError
from affectkit.recording import list_recordings, open_recording, save_recording
from affectkit.results import open_attribution
from affectkit.stamps import STAMP
from affectkit.training.model import load_model
from tests.conftest import fake_recording


def labelled(values, *dims):
    return xr.DataArray(np.asarray(values, float), dims=dims)


def test_region_shares_of_a_small_map_are_known():
    maps = labelled([[[[3.0, -1.0], [0.0, -4.0]]]], "affect", "frame", "row", "col")
    upper = [[True, True], [False, False]]
    masks = labelled([[upper, np.logical_not(upper)]], "frame", "region", "row", "col") > 0
    shares = region_shares(maps, masks)
    assert shares.sel(direction="raises").values.ravel().tolist() == [0.375, 0.0]
    assert shares.sel(direction="lowers").values.ravel().tolist() == [0.125, 0.5]


def test_frames_without_landmarks_have_nan_shares():
    maps = labelled(np.ones((2, 1, 4, 4)), "affect", "frame", "row", "col")
    masks = labelled(np.zeros((1, 3, 4, 4)), "frame", "region", "row", "col") > 0
    assert region_shares(maps, masks).isnull().all()


def test_every_frame_is_attributed_and_the_attribution_is_saved(run, recordings):
    result = attribute(run, recordings / "person_8.zarr", chunk=32)
    recording = open_recording(recordings / "person_8.zarr")
    assert dict(result["attribution"].sizes) == {"affect": 2, "frame": 110, "row": 32, "col": 32}
    assert (result["time"] == recording["time"]).all()
    np.testing.assert_allclose(result["region_share"].sum(["region", "direction"]), 1, atol=1e-3)
    np.testing.assert_allclose(result["region_area"].sum("region"), 1, atol=1e-6)
    assert result.identical(open_attribution(run, "gradient_x_input", "person_8"))


def test_the_chunk_size_does_not_change_the_attribution(run, recordings):
    whole = attribute(run, recordings / "person_8.zarr", chunk=200).load()
    chunks = attribute(run, recordings / "person_8.zarr", chunk=33).load()
    xr.testing.assert_allclose(whole, chunks, atol=1e-4)


def test_frames_without_a_crop_have_zero_attribution(run, tmp_path):
    recording = fake_recording("gap", 30, crop={"size": 16})
    for name in ("box", "crop_box", "landmark"):
        recording[name][10:14] = np.nan
    save_recording(recording, tmp_path / "gap.zarr")
    result = attribute(run, tmp_path / "gap.zarr")
    empty = ~result["attribution"].any(["affect", "row", "col"])
    assert np.flatnonzero(empty).tolist() == [10, 11, 12, 13]
    assert result["region_share"].isel(frame=slice(10, 14)).isnull().all()


def test_an_unknown_method_is_an_error(run, recordings):
    with pytest.raises(AffectkitError, match="expected one of gradient_x_input"):
        attribute(run, recordings / "person_8.zarr", "grad")


def test_every_kind_of_input_is_attributed(run, recordings):
    path = recordings / "person_8.zarr"
    expected = attribute(run, path, save=False)
    result = attribute(str(run), str(path)).load()
    assert result.attrs.pop(STAMP)
    xr.testing.assert_identical(result, expected)
    xr.testing.assert_identical(attribute(run, open_recording(path), save=False), expected)
    steps = []
    results = attribute(run, [recordings], progress=lambda *step: steps.append(step))
    names = [path.stem for path in list_recordings(recordings)]
    assert [each.attrs["recording"] for each in results] == names
    assert steps == [("attribute by gradient_x_input", done, 8) for done in range(1, 9)]
    assert len(attribute(run, [path], save=False)) == 1


def test_a_loaded_model_is_attributed_like_its_run(run, recordings):
    path = recordings / "person_8.zarr"
    expected = attribute(run, path, save=False)
    xr.testing.assert_identical(attribute(load_model(run), path, save=False), expected)
    assert not (run / "attributions").exists()
    with pytest.raises(AffectkitError, match="set save=False, or give the run folder"):
        attribute(load_model(run), path)


def test_a_failed_attribution_leaves_no_file(run, recordings, monkeypatch):
    def fail(model, chunks):
        yield gradient_x_input(model, chunks).__next__()
        raise OSError("disk full")

    failing = METHODS["gradient_x_input"]._replace(compute=fail)
    monkeypatch.setitem(METHODS, "gradient_x_input", failing)
    with pytest.raises(OSError, match="disk full"):
        attribute(run, recordings / "person_8.zarr", chunk=20)
    assert list((run / "attributions" / "gradient_x_input").iterdir()) == []


def test_worker_processes_give_the_same_attributions(run, recordings):
    paths = list_recordings(recordings)[:2]
    expected = attribute(run, paths, save=False)
    for result, single in zip(attribute(run, paths, workers=2), expected, strict=True):
        xr.testing.assert_allclose(result.load(), single, atol=1e-4)
        assert result.attrs == single.attrs | {STAMP: result.attrs[STAMP]}


def test_a_device_that_is_not_available_is_an_error(run, recordings):
    with pytest.raises(AffectkitError, match="'cuda:99' is not available"):
        attribute(run, recordings / "person_8.zarr", device="cuda:99")


def test_a_second_call_keeps_attributions_that_are_up_to_date(run, recordings):
    paths = list_recordings(recordings)[:2]
    attribute(run, paths[:1])
    names = []
    results = attribute(run, paths, on_kept=names.append)
    assert names == [paths[0].stem]
    names.clear()
    again = attribute(run, paths, on_kept=names.append, overwrite=True)
    assert names == []
    for old, new in zip(results, again, strict=True):
        xr.testing.assert_identical(old, new)
