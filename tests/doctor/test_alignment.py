"""Every truth video gets the findings that it was made for, and no others."""

import warnings
from fractions import Fraction

import numpy as np
import pytest

from affectkit.doctor import video_report
from affectkit.errors import AffectkitError
from affectkit.video import write_video
from tests.video.clips import STEADY, barcode, encode
from tests.video.truth import CASES, write_truth

FOUND = {
    "variable rate": ["frame rate"],
    "HEVC of a phone": ["frame rate", "picture"],
    "dropped frames": ["dropped frames"],
    "dropped frames in AVI": ["frames announced", "dropped frames"],
    "header announces too many": ["frames announced"],
    "damaged": ["frames announced", "damage", "dropped frames"],
    "cut short": ["frames announced", "damage"],
    "cut short, without a count": ["damage"],
    "turned by 90": ["picture"],
    "turned by 180": ["picture"],
    "turned by 270": ["picture"],
    "odd size, turned": ["picture"],
    "no face": ["faces"],
    "one frame, late": ["first time stamp"],
    "first time not 0": ["first time stamp"],
    "first time not 0, Matroska": ["first time stamp"],
    "edit list": ["edit list"],
    "fragments": ["first time stamp"],
    "VP9": ["frame rate"],
    "AVI with B-frames": ["time stamps"],
    "AVI with B-frames, H.264": ["time stamps"],
    "no container": ["time stamps"],
    "transport stream": ["first time stamp"],
}
HARD_TO_SEE = ("mpeg4", "wmv2", "mjpeg")  # blocks hide the small face from dlib now and then


@pytest.mark.parametrize("name", CASES)
def test_a_truth_video_is_found_out(name, tmp_path):
    truth = write_truth(tmp_path, name)
    measures = video_report(truth.path)
    kinds = [finding.kind for finding in measures["findings"]]
    if truth.case.options.get("codec") in HARD_TO_SEE:
        kinds = [kind for kind in kinds if kind != "faces"]
    assert kinds == FOUND.get(name, [])
    assert measures["decoded_frames"] == len(truth.number)
    assert (measures["announced_frames"] or 0) == truth.case.announced


@pytest.mark.parametrize(
    ("name", "has_them"),
    [
        ("constant rate", False),
        ("B-frames", True),
        ("HEVC", True),
        ("VP9", False),
        ("dropped frames in AVI", False),
        ("AVI with B-frames", True),
        ("AVI with B-frames, H.264", True),
        ("no container", True),
    ],
)
def test_b_frames_are_seen(name, has_them, tmp_path):
    assert video_report(write_truth(tmp_path, name).path)["b_frames"] == has_them


def test_lost_and_hidden_frames_are_counted(tmp_path):
    expected = {
        "damaged": {"undecodable_frames": 3, "dropped_frames": 3, "gaps": 2, "before_gap": 0.36},
        "edit list": {"hidden_frames": 8, "undecodable_frames": 0, "dropped_frames": 0},
        "dropped frames": {"dropped_frames": 6, "gaps": 3, "before_gap": 0.16, "jitter": 0.0},
        "first time not 0": {"first_time": 1.5, "drift": 0.0, "rate": "constant"},
        "turned by 270": {"rotation": 270, "width": 128, "height": 160},
    }
    for name, known in expected.items():
        measures = video_report(write_truth(tmp_path, name).path)
        assert {key: measures[key] for key in known} == pytest.approx(known), name


def test_a_line_says_what_a_finding_means_for_labels(tmp_path):
    measures = video_report(write_truth(tmp_path, "header announces too many").path)
    assert measures["findings"][0].text == (
        "the header announces 60 frames, 36 decode: count decoded frames, never the header"
    )
    measures = video_report(write_truth(tmp_path, "dropped frames").path)
    assert measures["findings"][0].text == (
        "6 frames missing in 3 gaps, the first after 0.160 s: match labels by time; "
        "frame number x 40 ms falls 0.24 s behind by the end"
    )


def test_drift_is_the_distance_of_frame_number_over_rate_from_the_time_stamps(tmp_path):
    times = [0.0, 0.03, 0.1, 0.2, 0.4]
    write_video(tmp_path / "a.mp4", [(time, barcode(1)) for time in times], fps=10)
    measures = video_report(tmp_path / "a.mp4")
    by_number = np.arange(5) / measures["nominal_fps"]
    assert measures["drift"] == pytest.approx(np.abs(times - by_number).max())
    assert measures["jitter"] == pytest.approx(np.std(np.diff(times)))
    assert measures["rate"] == "variable"


def test_a_rate_in_the_header_that_is_not_that_of_the_stamps_is_told(tmp_path):
    frames = [(Fraction(n, 24), barcode(n)) for n in range(50)]
    path = encode(tmp_path / "a.mkv", frames, rate=Fraction(30))
    texts = dict(video_report(path)["findings"])
    assert "the header says 30 frames a second, time stamps say 23.8" in texts["frame rate"]


def test_repeated_pictures_are_counted(tmp_path):
    frames = [(time, barcode(n // 2)) for n, time in enumerate(STEADY[:20])]
    measures = video_report(encode(tmp_path / "a.mkv", frames, "mjpeg", pixels="yuvj420p"))
    assert measures["repeated_pictures"] == 10
    assert (
        "10 of 20 pictures equal the one before" in dict(measures["findings"])["repeated pictures"]
    )


@pytest.mark.parametrize(("begin", "word"), [(0.2, "after"), (0.0, "before")])
def test_sound_that_does_not_begin_with_the_picture_is_told(begin, word, tmp_path):
    first = 0.0 if begin else 0.3
    frames = [(first + time, barcode(n)) for n, time in enumerate(STEADY[:20])]
    path = encode(tmp_path / "a.mkv", frames, tone="pcm_s16le", tone_at=begin)
    measures = video_report(path)
    assert measures["sound_offset"] == pytest.approx(begin - first, abs=2e-3)
    assert (
        f"{abs(begin - first):.3f} s {word} the first frame" in dict(measures["findings"])["sound"]
    )


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"x264-params": "sar=4/3"}, "pixels are 1.333 times as wide as high: players show 85x48"),
        ({"flags": "+ildct+ilme", "x264-params": "tff=1"}, "interlaced"),
    ],
)
def test_pictures_of_another_kind_are_told(options, word, tmp_path):
    frames = [(time, barcode(n)) for n, time in enumerate(STEADY[:5])]
    path = encode(tmp_path / "a.mkv", frames, options=options)
    assert word in dict(video_report(path)["findings"])["picture"]


def test_faulty_stamps_are_counted_and_told(tmp_path):
    def restamp(packets):
        for packet, stamp in zip(packets, [0, 40, 40, 40, 80], strict=True):
            packet.pts = packet.dts = stamp
        return packets

    frames = [(time, barcode(n)) for n, time in enumerate(STEADY[:5])]
    path = encode(tmp_path / "a.mkv", frames, "mjpeg", pixels="yuvj420p", change=restamp)
    measures = video_report(path)
    assert measures["faulty_stamps"] == 2
    assert "2 time stamps are missing or repeated" in dict(measures["findings"])["time stamps"]


def test_the_readers_warnings_are_in_the_report_and_nowhere_else(tmp_path):
    with warnings.catch_warnings(record=True) as caught:
        measures = video_report(write_truth(tmp_path, "cut short").path)
    assert not caught
    assert len(measures["warnings"]) == 1


def test_what_is_no_video_is_an_error(tmp_path):
    with pytest.raises(AffectkitError, match="does not exist"):
        video_report(tmp_path / "b.mp4")
