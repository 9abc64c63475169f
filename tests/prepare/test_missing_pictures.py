"""A frame whose picture is missing is a frame without a crop, however near the next picture is."""

import numpy as np
import pytest

from affectkit.datasets import synthetic
from affectkit.prepare import prepare
from affectkit.recording import open_recording


def test_a_missing_picture_leaves_its_frame_black_and_no_other(tmp_path):
    root = synthetic.write(tmp_path / "drawn", layout="afew_va", traps=True, people=(1, 0, 0),
                           seconds=2, fps=8, size=64, workers=1)  # fmt: skip
    (root / "001" / "00005.png").write_bytes(b"not a picture")
    with pytest.warns(UserWarning, match="1 of 8 pictures cannot be read.*00005"):
        path = prepare("afew_va", root, tmp_path / "out", only=["001"])[0]
    recording = open_recording(path)
    black = ~recording["face"].any(("row", "col", "channel")).values
    assert np.flatnonzero(black).tolist() == [2, 5]
    assert np.isnan(recording["crop_box"]).all("edge").values.tolist() == black.tolist()
    assert recording["still"].values[:4].tolist() == ["00000.png", "00001.png", "", "00003.png"]
    np.testing.assert_allclose(recording["time"], np.arange(8) / 25)
