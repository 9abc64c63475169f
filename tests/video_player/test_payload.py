import json

import numpy as np
import pytest
import xarray as xr

from affectkit.errors import AffectkitError
from affectkit.signals import smooth_saliency
from affectkit.video import write_video
from affectkit.video_player.payload import (
    MAP_SIZE,
    pack,
    payload,
    quantise,
    saliency_chunk,
    saliency_scale,
)
from affectkit.video_player.segments import Segment

DTYPE = {"f4": "<f4", "f8": "<f8", "i1": "i1", "i4": "<i4", "u1": "u1"}


def unpack(block: bytes) -> tuple[dict, dict[str, np.ndarray]]:
    assert block[:4] == b"AFK1"
    length = int(np.frombuffer(block, "<u4", 1, 4)[0])
    header = json.loads(block[8 : 8 + length])
    arrays = {}
    for name, about in header["arrays"].items():
        assert about["offset"] % 8 == 0
        count = int(np.prod(about["shape"]))
        values = np.frombuffer(block, DTYPE[about["dtype"]], count, about["offset"])
        arrays[name] = values.reshape(about["shape"])
    return header["meta"], arrays


def maps(frames: int, side: int, affect: tuple[str, ...] = ("valence", "arousal")) -> xr.Dataset:
    values = np.random.default_rng(0).normal(size=(len(affect), frames, side, side))
    dims = ("affect", "frame", "row", "col")
    return xr.Dataset(
        {"attribution": (dims, values.astype(np.float16))},
        {"affect": list(affect), "frame": np.arange(frames)},
    )


def test_pack_writes_known_bytes():
    block = pack({"a": 1}, {"x": np.array([1, -2], np.int8)})
    length = int(np.frombuffer(block, "<u4", 1, 4)[0])
    assert (8 + length) % 8 == 0
    assert block[8 + length :] == b"\x01\xfe" + bytes(6)
    assert json.loads(block[8 : 8 + length])["arrays"]["x"]["offset"] == 8 + length


def test_unpacked_traces_equal_the_recording(recording, make_prediction):
    recording["box"][3] = np.nan
    prediction = make_prediction(recording)
    meta, arrays = unpack(payload(recording, prediction))
    assert arrays["time"].dtype == np.float64
    np.testing.assert_array_equal(arrays["time"], recording["time"])
    np.testing.assert_array_equal(arrays["frame"], recording["frame"])
    for name in ("annotation", "box", "crop_box", "landmark", "detected"):
        np.testing.assert_array_equal(arrays[name], recording[name])
    np.testing.assert_array_equal(arrays["prediction"], prediction["prediction"])
    assert np.isnan(arrays["box"][3]).all()
    assert meta["width"] == 64
    assert meta["fps"] == 25.0


def test_a_recording_without_annotation_has_no_annotation_array(recording, make_prediction):
    prediction = make_prediction(recording)
    recording["annotation"][:] = np.nan
    assert "annotation" not in unpack(payload(recording, prediction))[1]


def test_segments_are_in_the_header(recording, make_prediction):
    segments = [Segment(0.1, 0.9, "arousal", "delay", 0.5)]
    meta, _ = unpack(payload(recording, make_prediction(recording), segments=segments))
    assert meta["segments"] == [segments[0]._asdict()]


def test_the_quantisation_error_is_at_most_half_a_step():
    attribution = maps(5, 16)
    scale = saliency_scale(attribution)
    codes = quantise(attribution, scale)
    assert codes.dtype == np.int8
    values = smooth_saliency(
        attribution["attribution"].transpose("frame", "affect", "row", "col").values
    )
    unit = np.array([scale["valence"], scale["arousal"]])[:, None, None]
    kept = np.clip(values.astype(np.float64), -unit, unit)
    roots = np.sign(kept) * np.sqrt(np.abs(kept) / unit)
    assert (np.abs(codes / 127 - roots) <= 1 / 254 + 1e-6).all()


def test_half_a_percent_of_the_values_exceed_the_scale():
    attribution = maps(50, 16)
    scale = saliency_scale(attribution)["valence"]
    beyond = (
        np.abs(smooth_saliency(attribution["attribution"].sel(affect="valence").values)) > scale
    )
    assert float(beyond.mean()) == pytest.approx(0.005, abs=0.001)


def test_large_maps_are_averaged_over_blocks_of_pixels():
    attribution = maps(2, 2 * MAP_SIZE)
    scale = {"valence": 4.0, "arousal": 4.0}
    codes = quantise(attribution, scale)
    assert codes.shape == (2, 2, MAP_SIZE, MAP_SIZE)
    block = smooth_saliency(attribution["attribution"].isel(affect=1, frame=0).values)[
        :2, :2
    ].mean()
    code = codes[0, 1, 0, 0] / 127
    assert np.sign(code) * np.sqrt(abs(block) / 4) == pytest.approx(code, abs=1 / 254 + 1e-6)


def test_saliency_of_one_target_has_one_map_per_frame(recording, make_prediction):
    attribution = maps(recording.sizes["frame"], 8, affect=("valence",))
    meta, arrays = unpack(payload(recording, make_prediction(recording), attribution))
    assert meta["saliency"]["affect"] == ["valence"]
    assert arrays["saliency"].shape == (recording.sizes["frame"], 1, 8, 8)


def test_saliency_of_a_long_recording_is_sent_in_chunks(recording, make_prediction):
    attribution = maps(recording.sizes["frame"], 8)
    prediction = make_prediction(recording)
    whole = unpack(payload(recording, prediction, attribution))[1]["saliency"]
    meta, arrays = unpack(payload(recording, prediction, attribution, whole=10))
    assert "saliency" not in arrays
    chunk = saliency_chunk(attribution, 7, 12, scale=meta["saliency"]["scale"])
    np.testing.assert_array_equal(unpack(chunk)[1]["saliency"], whole[7:12])


def test_results_with_other_frames_are_an_error(recording, make_prediction):
    prediction = make_prediction(recording).isel(frame=slice(1, None))
    with pytest.raises(AffectkitError, match="prediction of 'one' has other frames"):
        payload(recording, prediction)


def test_a_recording_without_size_and_rate_has_those_of_its_video(
    recording, make_prediction, tmp_path
):
    video = tmp_path / "clip.mp4"
    write_video(video, ((n / 25, np.zeros((48, 64, 3), np.uint8)) for n in range(3)))
    recording.attrs |= {"width": "", "height": "", "fps": "", "video": str(video)}
    meta, arrays = unpack(payload(recording, make_prediction(recording)))
    assert (meta["width"], meta["height"], round(meta["fps"], 3)) == (64, 48, 25.0)
    np.testing.assert_array_equal(arrays["box"], recording["box"])


def test_without_size_and_video_no_box_is_drawn(recording, make_prediction):
    recording.attrs |= {"width": "", "height": "", "video": "gone.mp4"}
    meta, arrays = unpack(payload(recording, make_prediction(recording)))
    assert meta["width"] / meta["height"] == pytest.approx(4 / 3)
    assert np.isnan(arrays["box"]).all()
    assert np.isnan(arrays["crop_box"]).all()
    assert "landmark" not in arrays
