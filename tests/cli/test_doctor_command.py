import json

from tests.video.truth import write_truth


def test_the_report_on_a_video_has_a_line_for_each_problem(call, tmp_path):
    truth = write_truth(tmp_path, "too many frames in the header")
    status, out, _ = call("doctor", truth.path)
    assert status == 0
    assert "36 decoded, 60 in the header" in out
    assert "60 frames, but 36 can be decoded: count decoded frames" in out


def test_the_report_says_if_a_video_has_no_problems(call, tmp_path):
    status, out, _ = call("doctor", write_truth(tmp_path, "constant rate").path)
    assert status == 0
    assert "no problems: frame number / 25 is the time of each frame in seconds" in out
    assert "in 100% of 20 sampled frames" in out


def test_the_report_can_be_printed_as_json(call, tmp_path):
    truth = write_truth(tmp_path, "damaged")
    status, out, _ = call("doctor", truth.path, "--format", "json")
    assert status == 0
    report = json.loads(out)
    assert (report["decoded_frames"], report["undecodable_frames"]) == (33, 3)
    assert [problem["kind"] for problem in report["problems"]][:2] == [
        "frame count",
        "damage",
    ]


def test_an_unknown_format_is_refused(call, tmp_path):
    status, _, err = call("doctor", tmp_path / "a.mp4", "--format", "xml")
    assert status == 2
    assert "xml" in err
