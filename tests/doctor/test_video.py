"""Each test video has exactly the problems that it was written with."""

import warnings
from fractions import Fraction

import numpy as np
import pytest

from affectkit.doctor import video_report
from affectkit.errors import AffectkitError
from affectkit.video import write_video
from tests.video.clips import STEADY, barcode, encode
from tests.video.truth import CASES, write_truth

PROBLEMS = {
    "variable rate": ["frame rate"],
    "HEVC of a phone": ["frame rate", "picture"],
    "dropped frames": ["dropped frames"],
    "dropped frames in AVI": ["frame count", "dropped frames"],
    "too many frames in the header": ["frame count"],
    "damaged": ["frame count", "damage", "dropped frames"],
    "cut short": ["frame count", "damage"],
    "cut short, without a count": ["damage"],
    "rotated by 90": ["picture"],
    "rotated by 180": ["picture"],
    "rotated by 270": ["picture"],
    "mirrored": ["picture"],
    "mirrored and rotated": ["picture"],
    "wide pixels": ["picture"],
    "high pixels, rotated": ["picture", "picture"],
    "odd size, rotated": ["picture"],
    "no face": ["faces"],
    "one frame, late": ["first time stamp"],
    "first time not 0": ["first time stamp"],
    "first time not 0, Matroska": ["first time stamp"],
    "first time negative": ["first time stamp"],
    "pauses of minutes": ["dropped frames"],
    "edit list": ["edit list"],
    "fragments": ["first time stamp"],
    "VP9": ["frame rate"],
    "AVI with B-frames": ["time stamps"],
    "AVI with B-frames, H.264": ["time stamps"],
    "no container": ["time stamps"],
    "transport stream": ["first time stamp"],
}
BLOCKY = ("mpeg4", "wmv2", "mjpeg")  # dlib sometimes misses the small face behind block artefacts


@pytest.mark.parametrize("name", CASES)
def test_a_test_video_has_exactly_its_known_problems(name, tmp_path):
    truth = write_truth(tmp_path, name)
    report = video_report(truth.path)
    kinds = [problem.kind for problem in report["problems"]]
    if truth.case.options.get("codec") in BLOCKY:
        kinds = [kind for kind in kinds if kind != "faces"]
    assert kinds == PROBLEMS.get(name, [])
    assert report["decoded_frames"] == len(truth.number)
    assert (report["header_frames"] or 0) == truth.case.header_frames


@pytest.mark.parametrize(
    ("name", "expected"),
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
def test_b_frames_are_recognised(name, expected, tmp_path):
    assert video_report(write_truth(tmp_path, name).path)["b_frames"] == expected


def test_lost_and_hidden_frames_are_counted(tmp_path):
    expected = {
        "damaged": {
            "undecodable_frames": 3,
            "dropped_frames": 3,
            "gaps": 2,
            "first_gap_time": 0.36,
        },
        "edit list": {"hidden_frames": 8, "undecodable_frames": 0, "dropped_frames": 0},
        "dropped frames": {"dropped_frames": 6, "gaps": 3, "first_gap_time": 0.16, "jitter": 0.0},
        "first time not 0": {"first_time": 1.5, "drift": 0.0, "frame_rate": "constant"},
        "rotated by 270": {"rotation": 270, "width": 128, "height": 160},
    }
    for name, known in expected.items():
        report = video_report(write_truth(tmp_path, name).path)
        assert {key: report[key] for key in known} == pytest.approx(known), name


def test_a_problem_states_its_consequence_for_labels(tmp_path):
    report = video_report(str(write_truth(tmp_path, "too many frames in the header").path))
    assert report["problems"][0].text == (
        "the header states 60 frames, but 36 can be decoded: count decoded frames, do not rely on "
        "the header"
    )
    report = video_report(write_truth(tmp_path, "dropped frames").path)
    assert report["problems"][0].text == (
        "6 frames missing in 3 gaps, the first after 0.160 s: match labels by time; "
        "frame number x 40 ms is 0.24 s too early at the end"
    )


def test_drift_is_the_difference_of_frame_number_over_rate_and_time_stamps(tmp_path):
    times = [0.0, 0.03, 0.1, 0.2, 0.4]
    write_video(tmp_path / "a.mp4", [(time, barcode(1)) for time in times], fps=10)
    report = video_report(tmp_path / "a.mp4")
    by_number = np.arange(5) / report["nominal_fps"]
    assert report["drift"] == pytest.approx(np.abs(times - by_number).max())
    assert report["jitter"] == pytest.approx(np.std(np.diff(times)))
    assert report["frame_rate"] == "variable"


def test_a_frame_rate_that_differs_from_the_header_is_reported(tmp_path):
    frames = [(Fraction(n, 24), barcode(n)) for n in range(50)]
    path = encode(tmp_path / "a.mkv", frames, rate=Fraction(30))
    texts = dict(video_report(path)["problems"])
    assert "the header states 30 frames per second, the time stamps 23.8" in texts["frame rate"]


def test_repeated_pictures_are_counted(tmp_path):
    frames = [(time, barcode(n // 2)) for n, time in enumerate(STEADY[:20])]
    report = video_report(encode(tmp_path / "a.mkv", frames, "mjpeg", pixels="yuvj420p"))
    assert report["repeated_pictures"] == 10
    assert "10 of 20 pictures equal the one before" in dict(report["problems"])["repeated pictures"]


@pytest.mark.parametrize(("begin", "word"), [(0.2, "after"), (0.0, "before")])
def test_an_offset_of_the_sound_is_reported(begin, word, tmp_path):
    first = 0.0 if begin else 0.3
    frames = [(first + time, barcode(n)) for n, time in enumerate(STEADY[:20])]
    path = encode(tmp_path / "a.mkv", frames, tone="pcm_s16le", tone_at=begin)
    report = video_report(path)
    assert report["sound_offset"] == pytest.approx(begin - first, abs=2e-3)
    assert f"{abs(begin - first):.3f} s {word} the first frame" in dict(report["problems"])["sound"]


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (
            {"x264-params": "sar=4/3"},
            "pixels are 1.333 times as wide as high: affectkit and players make them square, 85x48",
        ),
        ({"flags": "+ildct+ilme", "x264-params": "tff=1"}, "interlaced"),
    ],
)
def test_non_square_pixels_and_interlacing_are_reported(options, word, tmp_path):
    frames = [(time, barcode(n)) for n, time in enumerate(STEADY[:5])]
    path = encode(tmp_path / "a.mkv", frames, options=options)
    assert word in dict(video_report(path)["problems"])["picture"]


def test_invalid_time_stamps_are_counted_and_reported(tmp_path):
    def restamp(packets):
        for packet, stamp in zip(packets, [0, 40, 40, 40, 80], strict=True):
            packet.pts = packet.dts = stamp
        return packets

    frames = [(time, barcode(n)) for n, time in enumerate(STEADY[:5])]
    path = encode(tmp_path / "a.mkv", frames, "mjpeg", pixels="yuvj420p", change=restamp)
    report = video_report(path)
    assert report["invalid_timestamps"] == 2
    assert "2 time stamps are missing or repeated" in dict(report["problems"])["time stamps"]


def test_warnings_from_reading_are_in_the_report_only(tmp_path):
    with warnings.catch_warnings(record=True) as caught:
        report = video_report(write_truth(tmp_path, "cut short").path)
    assert not caught
    assert len(report["warnings"]) == 1


def test_a_missing_video_is_an_error(tmp_path):
    with pytest.raises(AffectkitError, match="does not exist"):
        video_report(tmp_path / "b.mp4")
