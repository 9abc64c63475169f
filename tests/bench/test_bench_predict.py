import re
import shutil
from collections import namedtuple

import pytest
import torch

from affectkit.bench import predict
from affectkit.errors import AffectkitError
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.recording import open_recording


def test_speed_and_memory_are_measured(tmp_path):
    model = CnnRnn("test_resnet", "gru", input_size=32).eval()
    row = predict.measure_speed(model, tmp_path, frames=150, size=32, turns=1)
    assert row["target"] == "at least 0.9"
    rates = [
        float(re.search(r"([\d.]+) frames/s", row[key])[1]) for key in ("measurement", "baseline")
    ]
    assert float(row["ratio"]) == pytest.approx(rates[0] / rates[1], rel=0.02)
    row = predict.measure_memory(tmp_path, frames=700, early=300, late=600)
    assert row["measurement"].startswith("memory at frame 600: ")
    assert 0.5 < float(row["ratio"]) < 2


def test_the_faces_of_the_noise_recording_repeat(tmp_path):
    recording = open_recording(predict.write_noise_recording(tmp_path / "long.zarr", 150, 32))
    face = torch.from_numpy(recording["face"].values)
    assert face.shape == (150, 32, 32, 3)
    assert torch.equal(face[:22], face[128:])


def test_a_full_disk_is_reported_before_anything_is_written(tmp_path, monkeypatch):
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(1000))
    with pytest.raises(AffectkitError, match=r"0 MB free, the benchmark needs 1 MB"):
        predict.write_noise_recording(tmp_path / "long.zarr", 150, 32)
    assert not list(tmp_path.iterdir())
