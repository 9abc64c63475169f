import re

import numpy as np
import pytest

from affectkit.bench import prepare, run_bench
from affectkit.bench.measuring import ratio_rows
from affectkit.errors import AffectkitError
from affectkit.video import read_times, write_video


def test_ratios_are_to_the_named_baseline():
    rows = ratio_rows({"fast": 0.5, "slow": 2.0}, "fast")
    assert [row["times 'fast'"] for row in rows] == ["1.00", "4.00"]


def test_an_unknown_benchmark_lists_the_known_ones():
    with pytest.raises(
        AffectkitError,
        match="expected one of detectors, gpu, networks, predict, prepare, saliency, train",
    ):
        run_bench("speed")


def test_a_repeated_video_has_regular_time_stamps(tmp_path):
    pictures = np.random.default_rng(0).integers(0, 255, (6, 64, 64, 3), np.uint8)
    write_video(tmp_path / "a.mp4", [(n / 15, rgb) for n, rgb in enumerate(pictures)], fps=15)
    prepare.write_repeated(tmp_path / "a.mp4", tmp_path / "long.mp4", seconds=2)
    np.testing.assert_allclose(read_times(tmp_path / "long.mp4"), np.arange(30) / 15, atol=1e-4)


def test_tracking_is_compared_with_detection_in_every_frame(tmp_path, monkeypatch):
    monkeypatch.setattr(prepare, "LARGE", 128)
    row = prepare.measure_tracking(tmp_path, seconds=1, turns=1)
    assert row["target"] == "at least 4"
    fast, slow = (
        float(re.search(r"([\d.]+) frames/s", row[key])[1]) for key in ("measurement", "baseline")
    )
    assert float(row["ratio"]) == pytest.approx(fast / slow, rel=0.1)
    assert 0 <= float(re.search(r"landmarks ([\d.]+) px", row["baseline"])[1]) < 5
