import numpy as np
import pytest
import torch
import xarray as xr

from affectkit.errors import AffectkitError
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.training.overlap import BLENDS, Windows, blend_windows
from affectkit.training.stream import predict_affect, predict_frames, read_chunks
from tests.conftest import fake_recording

CAUSAL = {
    "none": {},
    "gru": {"layers": 2},
    "lstm": {"layers": 2},
    "gru_tf1": {"layers": 2},
    "tcn": {"layers": 3},
    "transformer": {"layers": 2, "look_back": 9},
}
FRAMES = 75


@pytest.fixture(scope="module")
def recording():
    recording = fake_recording("long", FRAMES, crop={"size": 16})
    recording["crop_box"][20:24] = np.nan
    return recording


def build(temporal, **options):
    torch.manual_seed(1)
    keys = {"connected": [8], "hidden": 8, "input_size": 32} | options
    return CnnRnn("test_resnet", temporal, **keys).eval()


@pytest.mark.parametrize("temporal", CAUSAL)
@pytest.mark.parametrize("spread", [False, True])
def test_any_chunk_gives_the_whole(recording, temporal, spread):
    model = build(temporal, spread=spread, **CAUSAL[temporal])
    whole = predict_frames(model, recording, 32, FRAMES)
    assert set(whole) == ({"prediction", "spread"} if spread else {"prediction"})
    for chunk in (1, 7, 40):
        pieces = predict_frames(model, recording, 32, chunk)
        xr.testing.assert_allclose(whole, pieces, rtol=0, atol=1e-5)


def test_several_memories_side_by_side_are_carried_too(recording):
    model = build("gru", taps=["layer1", "layer2"], landmarks=True)
    whole = predict_affect(model, recording, 32, FRAMES)
    xr.testing.assert_allclose(whole, predict_affect(model, recording, 32, 11), rtol=0, atol=1e-5)


def test_a_net_that_looks_ahead_sees_the_whole_recording(recording):
    model = build("gru", bidirectional=True)
    whole = predict_affect(model, recording, 32, FRAMES)
    xr.testing.assert_allclose(whole, predict_affect(model, recording, 32, 9), rtol=0, atol=1e-5)
    first = predict_affect(model, recording.isel(frame=slice(0, 40)), 32)
    assert abs(whole[:40] - first).max() > 1e-4


def by_hand(model, recording, starts, length, weight):
    """Each window by itself through the whole net, added up frame for frame."""
    (image, landmark), *_ = read_chunks(model, recording, 32, FRAMES)
    total, share = np.zeros((FRAMES, 2)), np.zeros((FRAMES, 1))
    for start in starts:
        part = slice(start, start + length)
        with torch.no_grad():
            out = model(image[None, part], landmark[None, part])[0][0].numpy()
        total[part] += weight[: len(out), None] * out
        share[part] += weight[: len(out), None]
    values = np.clip(total / share, -1, 1)
    values[20:24] = np.nan
    return values


@pytest.mark.parametrize(
    ("windows", "starts", "weight"),
    [
        (Windows(20, 20), [0, 20, 40, 60], np.ones(20)),
        (Windows(20, 8), [0, 8, 16, 24, 32, 40, 48, 56], np.ones(20)),
        (Windows(20, 8, "triangular"), range(0, 57, 8), np.r_[1:11, 10:0:-1]),
        (Windows(25, 25), [0, 25, 50], np.ones(25)),
        (Windows(80, 40), [0], np.ones(80)),
        (Windows(1, 1), range(75), np.ones(1)),
    ],
)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_windows_are_what_each_gives_alone_blended(
    recording, windows, starts, weight, bidirectional
):
    model = build("gru", bidirectional=bidirectional)
    expected = by_hand(model, recording, starts, windows.length, weight)
    for chunk in (1, 33, FRAMES):
        result = predict_frames(model, recording, 32, chunk, windows)["prediction"]
        np.testing.assert_allclose(result, expected, rtol=0, atol=1e-5)


def test_overlapping_spreads_are_those_of_a_mixture():
    """Two windows of 2 frames over 3: the middle one has means 0 and 0.6, spreads 0.3 and 0.5."""

    first, second = [[0.0, 0.0, 0.3, 0.3]] * 2, [[0.6, 0.6, 0.5, 0.5]] * 2
    model = build("none", spread=True)
    model.read_out = lambda features: (torch.tensor([first, second]), ())
    (blended,) = blend_windows(model, iter([torch.zeros(3, 4)]), 3, Windows(2, 1))
    spread = np.sqrt((0.09 + 0.25) / 2 + 0.09)  # mean of variances + variance of means
    np.testing.assert_allclose(
        blended, [[0, 0, 0.3, 0.3], [0.3, 0.3, spread, spread], [0.6, 0.6, 0.5, 0.5]], atol=1e-6
    )


def test_blends_are_symmetric():
    assert BLENDS["triangular"](5).tolist() == [1, 2, 3, 2, 1]
    assert BLENDS["triangular"](4).tolist() == [1, 2, 2, 1]


def test_windows_that_leave_frames_out_are_refused():
    with pytest.raises(AffectkitError, match="should start 1 to 80 frames apart, got 81"):
        Windows(80, 81)
    with pytest.raises(AffectkitError, match="did you mean 'triangular'"):
        Windows(80, 40, "triangle")


def test_reading_stops_when_nobody_asks_for_more(recording):
    chunks = read_chunks(build("none"), recording, 32, 5)
    assert len(next(chunks).image) == 5
    chunks.close()
