import json

from tests.video.truth import write_truth


def test_a_video_is_reported_with_a_line_for_each_finding(call, tmp_path):
    truth = write_truth(tmp_path, "header announces too many")
    status, out, _ = call("doctor", truth.path)
    assert status == 0
    assert "36 decoded, 60 announced" in out
    assert "60 frames, 36 decode: count decoded frames, never the header" in out


def test_a_video_without_findings_is_said_to_be_fit(call, tmp_path):
    status, out, _ = call("doctor", write_truth(tmp_path, "constant rate").path)
    assert status == 0
    assert "no findings: frame number / 25 is each frame's time in seconds" in out
    assert "in 100% of 20 frames" in out


def test_the_report_is_had_as_json(call, tmp_path):
    truth = write_truth(tmp_path, "damaged")
    status, out, _ = call("doctor", truth.path, "--format", "json")
    assert status == 0
    measures = json.loads(out)
    assert (measures["decoded_frames"], measures["undecodable_frames"]) == (33, 3)
    assert [finding["kind"] for finding in measures["findings"]][:2] == [
        "frames announced",
        "damage",
    ]


def test_an_unknown_format_is_refused(call, tmp_path):
    status, _, err = call("doctor", tmp_path / "a.mp4", "--format", "xml")
    assert status == 2
    assert "xml" in err
