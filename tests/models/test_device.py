"""Devices, precisions, and chunks that are too large for the memory of a device."""

import numpy as np
import pytest
import torch
from torch import nn

from affectkit.attribution.gradients import own_frame_gradients
from affectkit.errors import AffectkitError
from affectkit.inference import predict
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.models.device import (
    check_precision,
    evaluation_mode,
    memory_error_hint,
    resolve_device,
)
from affectkit.models.inputs import Chunk, process_chunks, read_ahead, read_chunks
from affectkit.models.prediction import SlidingWindows, predict_frames
from affectkit.training.model import load_model, save_weights
from tests.conftest import fake_recording

CUDA_ERROR = torch.OutOfMemoryError("CUDA out of memory")


class SmallMemory(nn.Module):
    """A CNN that runs out of memory on more than `most` frames."""

    def __init__(self, cnn, most, error=CUDA_ERROR):
        super().__init__()
        self.cnn, self.most, self.error, self.calls = cnn, most, error, []

    def forward(self, image):
        self.calls.append(len(image))
        if len(image) > self.most:
            raise self.error
        return self.cnn(image)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return CnnRnn("test_resnet", "gru", fc=[8], hidden=8, layers=2, input_size=32).eval()


@pytest.fixture(scope="module")
def recording():
    return fake_recording("long", 75, crop={"size": 16})


@pytest.mark.parametrize("windows", [None, SlidingWindows(20, 10)])
@pytest.mark.parametrize(("most", "failures"), [(1, 6), (13, 3), (32, 1)])
def test_chunks_are_halved_until_they_fit_and_the_state_is_kept(
    model, recording, windows, most, failures
):
    expected = predict_frames(model, recording, 32, 64, windows)["prediction"]
    model.cnn = SmallMemory(model.cnn, most)
    result = predict_frames(model, recording, 32, 64, windows)["prediction"]
    np.testing.assert_allclose(result, expected, atol=1e-5)
    calls = model.cnn.calls
    assert sum(each for each in calls if each <= most) == 75
    assert sum(each > most for each in calls) == failures  # later chunks are split at once


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("MPS backend out of memory (MPS allocated: 9.00 GB)"),
    ],
)
def test_every_kind_of_out_of_memory_error_halves_the_chunk(model, recording, error):
    model.cnn = SmallMemory(model.cnn, 40, error)
    predict_frames(model, recording, 32, 75)
    assert model.cnn.calls == [75, 38, 37]


def test_attribution_halves_chunks_and_keeps_the_state(model, recording):
    def gradients():
        return own_frame_gradients(model, read_chunks(model, recording, 32, 75))

    (expected,) = gradients()
    model.cnn = SmallMemory(model.cnn, 10)
    parts = [each.gradient for each in gradients()]
    assert max(part.shape[1] for part in parts) == 10
    torch.testing.assert_close(torch.cat(parts, 1), expected.gradient, rtol=1e-4, atol=1e-6)


def test_a_single_frame_that_does_not_fit_is_one_line(model, recording):
    model.cnn = SmallMemory(model.cnn, 0)
    with pytest.raises(AffectkitError, match=r"a single frame does not fit into .* device: free"):
        predict_frames(model, recording, 32, 64)


def test_other_errors_are_not_retried():
    def fail(chunk):
        raise RuntimeError("shapes do not match")

    chunk = Chunk(torch.zeros(4, 3, 8, 8), torch.zeros(4, 68, 2))
    with pytest.raises(RuntimeError, match="shapes do not match"):
        list(process_chunks(fail, iter([chunk])))


def test_out_of_memory_elsewhere_is_one_line_with_the_hint():
    message = r"out of memory \(CUDA out of memory\): close it"
    with pytest.raises(AffectkitError, match=message), memory_error_hint("close it"):
        raise torch.OutOfMemoryError("CUDA out of memory\nmore lines")


def test_reading_ahead_keeps_the_order_and_the_errors():
    def items():
        yield from (1, 2, 3)
        raise OSError("truncated")

    with pytest.raises(OSError, match="truncated"):
        list(read_ahead(items()))
    assert list(read_ahead(iter(range(1, 50)))) == list(range(1, 50))
    assert next(read_ahead(items())) == 1


def test_bf16_predictions_are_near_those_in_32_bit(model, recording):
    exact = predict_frames(model, recording, 32)["prediction"]
    rounded = predict_frames(model, recording, 32, autocast=torch.bfloat16)["prediction"]
    difference = abs(exact - rounded).max()
    assert 0 < difference < 0.03
    assert rounded.dtype == np.float32


def test_a_window_longer_than_the_recording_is_as_long_as_the_recording(model, recording):
    whole = predict_frames(model, recording, 32, 64)["prediction"]
    for blend in ("mean", "triangular"):
        windows = SlidingWindows(10**18, 10**17, blend)
        result = predict_frames(model, recording, 32, 64, windows)["prediction"]
        np.testing.assert_allclose(result, whole, atol=1e-5)


@pytest.mark.skipif(torch.cuda.is_available(), reason="checks computers without a CUDA GPU")
@pytest.mark.parametrize("device", ["cuda", "cuda:0", "cuda:7"])
def test_without_a_gpu_cuda_is_one_line(device):
    message = rf"device '{device}' is not available .*it has 0 cuda devices.*; use 'auto' or 'cpu'"
    with pytest.raises(AffectkitError, match=message):
        resolve_device(device)
    assert resolve_device("auto").type in ("cpu", "mps")


@pytest.mark.parametrize(
    ("precision", "message"),
    [
        ("fp16", "precision 'fp16' is not available on the device 'cpu': expected 32 or bf16"),
        ("tf32", "precision 'tf32' is not available on the device 'cpu'"),
        ("64", "unknown precision '64'"),
    ],
)
def test_a_precision_that_the_device_does_not_have_is_one_line(precision, message):
    with pytest.raises(AffectkitError, match=message):
        check_precision(precision, torch.device("cpu"))
    check_precision("bf16", torch.device("cpu"))
    check_precision("tf32", torch.device("cuda"))


def test_evaluation_mode_uses_tf32_only_if_asked_to(model):
    before = torch.backends.cudnn.allow_tf32
    for tf32 in (False, True):
        with evaluation_mode(model, torch.device("cpu"), tf32=tf32):
            assert torch.backends.cudnn.allow_tf32 is tf32
        assert torch.backends.cudnn.allow_tf32 is before


def test_weights_that_are_not_finite_are_refused(run):
    model = load_model(run)
    model.head.bias.data[0] = torch.nan
    save_weights(model, run)
    with pytest.raises(AffectkitError, match=r"head\.bias has values that are not finite"):
        load_model(run)


def test_a_prediction_that_is_nan_in_a_frame_with_a_face_is_an_error(run, recordings):
    model = load_model(run)
    model.head.bias.data[0] = torch.nan
    with pytest.raises(AffectkitError, match="'person_8' is NaN in 110 frames with a face"):
        predict(model, recordings / "person_8.zarr", save=False)
