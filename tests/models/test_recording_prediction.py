import numpy as np
import pytest
import torch
import xarray as xr

from affectkit.errors import AffectkitError
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.models.inputs import read_chunks
from affectkit.models.prediction import BLENDS, SlidingWindows, decode_windows, predict_frames
from tests.conftest import fake_recording

CAUSAL = {
    "none": {},
    "gru": {"layers": 2},
    "lstm": {"layers": 2},
    "gru_tf1": {"layers": 2},
    "tcn": {"layers": 3},
    "transformer": {"layers": 2, "context": 9},
}
FRAMES = 75


@pytest.fixture(scope="module")
def recording():
    recording = fake_recording("long", FRAMES, crop={"size": 16})
    recording["crop_box"][20:24] = np.nan
    return recording


def build(temporal, **options):
    torch.manual_seed(1)
    keys = {"fc": [8], "hidden": 8, "input_size": 32} | options
    return CnnRnn("test_resnet", temporal, **keys).eval()


@pytest.mark.parametrize("temporal", CAUSAL)
@pytest.mark.parametrize("std", [False, True])
def test_the_prediction_does_not_depend_on_the_chunk_length(recording, temporal, std):
    model = build(temporal, std=std, **CAUSAL[temporal])
    whole = predict_frames(model, recording, 32, FRAMES)
    assert set(whole) == ({"prediction", "std"} if std else {"prediction"})
    for chunk in (1, 7, 40):
        in_chunks = predict_frames(model, recording, 32, chunk)
        xr.testing.assert_allclose(whole, in_chunks, rtol=0, atol=1e-5)


def test_the_states_of_several_rnns_are_carried_over(recording):
    model = build("gru", feature_layers=["layer1", "layer2"], landmarks=True)
    whole = predict_frames(model, recording, 32, FRAMES)
    in_chunks = predict_frames(model, recording, 32, 11)
    xr.testing.assert_allclose(whole, in_chunks, rtol=0, atol=1e-5)


def test_a_bidirectional_model_uses_the_whole_recording(recording):
    model = build("gru", bidirectional=True)
    whole = predict_frames(model, recording, 32, FRAMES)
    in_chunks = predict_frames(model, recording, 32, 9)
    xr.testing.assert_allclose(whole, in_chunks, rtol=0, atol=1e-5)
    first = predict_frames(model, recording.isel(frame=slice(0, 40)), 32)
    difference = whole["prediction"][:40] - first["prediction"]
    assert abs(difference).max() > 1e-4


def blended_by_hand(model, recording, starts, length, weight):
    """The weighted mean of windows that each run separately through the whole model."""
    (image, landmark), *_ = read_chunks(model, recording, 32, FRAMES)
    total, total_weight = np.zeros((FRAMES, 2)), np.zeros((FRAMES, 1))
    for start in starts:
        window = slice(start, start + length)
        with torch.no_grad():
            output = model(image[None, window], landmark[None, window])[0][0].numpy()
        total[window] += weight[: len(output), None] * output
        total_weight[window] += weight[: len(output), None]
    values = np.clip(total / total_weight, -1, 1)
    values[20:24] = np.nan
    return values


@pytest.mark.parametrize(
    ("windows", "starts", "weight"),
    [
        (SlidingWindows(20, 20), [0, 20, 40, 60], np.ones(20)),
        (SlidingWindows(20, 8), [0, 8, 16, 24, 32, 40, 48, 56], np.ones(20)),
        (SlidingWindows(20, 8, "triangular"), range(0, 57, 8), np.r_[1:11, 10:0:-1]),
        (SlidingWindows(25, 25), [0, 25, 50], np.ones(25)),
        (SlidingWindows(80, 40), [0], np.ones(80)),
        (SlidingWindows(1, 1), range(75), np.ones(1)),
    ],
)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_sliding_windows_equal_separate_windows_blended_by_hand(
    recording, windows, starts, weight, bidirectional
):
    model = build("gru", bidirectional=bidirectional)
    expected = blended_by_hand(model, recording, starts, windows.length, weight)
    for chunk in (1, 33, FRAMES):
        result = predict_frames(model, recording, 32, chunk, windows)["prediction"]
        np.testing.assert_allclose(result, expected, rtol=0, atol=1e-5)


def test_std_of_overlapping_windows_is_that_of_a_mixture():
    """Two windows of 2 frames over 3: the middle frame has means 0 and 0.6, std 0.3 and 0.5."""

    first, second = [[0.0, 0.0, 0.3, 0.3]] * 2, [[0.6, 0.6, 0.5, 0.5]] * 2
    model = build("none", std=True)
    model.decode = lambda features: (torch.tensor([first, second]), ())
    (blended,) = decode_windows(model, iter([torch.zeros(3, 4)]), 3, SlidingWindows(2, 1))
    std = np.sqrt((0.09 + 0.25) / 2 + 0.09)  # mean of variances + variance of means
    np.testing.assert_allclose(
        blended, [[0, 0, 0.3, 0.3], [0.3, 0.3, std, std], [0.6, 0.6, 0.5, 0.5]], atol=1e-6
    )


def test_blends_are_symmetric():
    assert BLENDS["triangular"](5).tolist() == [1, 2, 3, 2, 1]
    assert BLENDS["triangular"](4).tolist() == [1, 2, 2, 1]


def test_invalid_windows_are_refused():
    with pytest.raises(AffectkitError, match="should be 1 to 80 frames, got 81"):
        SlidingWindows(80, 81)
    with pytest.raises(AffectkitError, match="did you mean 'triangular'"):
        SlidingWindows(80, 40, "triangle")


def test_reading_chunks_can_be_stopped_early(recording):
    chunks = read_chunks(build("none"), recording, 32, 5)
    assert len(next(chunks).image) == 5
    chunks.close()
