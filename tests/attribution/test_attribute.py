import numpy as np
import pytest
import xarray as xr

from affectkit.attribution import attribute
from affectkit.attribution.attribute import region_shares
from affectkit.errors import AffectkitError
from affectkit.recording import open_recording, save_recording
from affectkit.run import open_attribution
from tests.conftest import fake_recording


def labelled(values, *dims):
    return xr.DataArray(np.asarray(values, float), dims=dims)


def test_shares_of_a_drawn_map_are_known():
    maps = labelled([[[[3.0, -1.0], [0.0, -4.0]]]], "affect", "frame", "row", "col")
    upper = [[True, True], [False, False]]
    masks = labelled([[upper, np.logical_not(upper)]], "frame", "region", "row", "col") > 0
    shares = region_shares(maps, masks)
    assert shares.sel(direction="raises").values.ravel().tolist() == [0.375, 0.0]
    assert shares.sel(direction="lowers").values.ravel().tolist() == [0.125, 0.5]


def test_frames_without_landmarks_have_no_shares():
    maps = labelled(np.ones((2, 1, 4, 4)), "affect", "frame", "row", "col")
    masks = labelled(np.zeros((1, 3, 4, 4)), "frame", "region", "row", "col") > 0
    assert region_shares(maps, masks).isnull().all()


def test_every_frame_of_a_recording_is_attributed_and_stored(run, recordings):
    result = attribute(run, recordings / "person_8.zarr", chunk=32)
    recording = open_recording(recordings / "person_8.zarr")
    assert dict(result["attribution"].sizes) == {"affect": 2, "frame": 110, "row": 32, "col": 32}
    assert (result["time"] == recording["time"]).all()
    np.testing.assert_allclose(result["region_share"].sum(["region", "direction"]), 1, atol=1e-3)
    np.testing.assert_allclose(result["region_area"].sum("region"), 1, atol=1e-6)
    assert result.identical(open_attribution(run, "gradient_x_input", "person_8"))


def test_the_chunk_does_not_matter(run, recordings):
    whole = attribute(run, recordings / "person_8.zarr", chunk=200).load()
    pieces = attribute(run, recordings / "person_8.zarr", chunk=33).load()
    xr.testing.assert_allclose(whole, pieces, atol=1e-4)


def test_frames_without_a_crop_have_empty_maps(run, tmp_path):
    recording = fake_recording("gap", 30, crop={"size": 16})
    for name in ("box", "crop_box", "landmark"):
        recording[name][10:14] = np.nan
    save_recording(recording, tmp_path / "gap.zarr")
    result = attribute(run, tmp_path / "gap.zarr")
    empty = ~result["attribution"].any(["affect", "row", "col"])
    assert np.flatnonzero(empty).tolist() == [10, 11, 12, 13]
    assert result["region_share"].isel(frame=slice(10, 14)).isnull().all()


def test_an_unknown_method_lists_the_known(run, recordings):
    with pytest.raises(AffectkitError, match="known are gradient_x_input"):
        attribute(run, recordings / "person_8.zarr", "grad")
