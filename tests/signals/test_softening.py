import numpy as np
import pytest

from affectkit.signals import soften


def test_soften_keeps_the_sum_and_lets_neighbours_of_other_sign_cancel():
    spot = np.zeros((2, 64, 64), np.float32)
    spot[0, 32, 32] = 1
    soft = soften(spot)
    assert soft[0].sum() == pytest.approx(1, abs=1e-5)
    assert soft[0].max() == pytest.approx(1 / (2 * np.pi * 2**2), rel=0.02)
    assert not soft[1].any()
    rows, columns = np.indices((64, 64))
    checks = np.where((rows + columns) % 2, 1.0, -1.0)[None]
    assert np.abs(soften(checks)[0, 8:-8, 8:-8]).max() < 1e-3
