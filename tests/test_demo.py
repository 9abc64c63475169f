import pytest
from safetensors.torch import load_file

from affectkit.demo import Size, demo
from affectkit.errors import AffectkitError
from affectkit.run import SCORES, WEIGHTS, list_predictions, open_attribution
from tests.conftest import SMALL

STEPS = ["draw people", "find and cut faces", "train cnn", "predict cnn", "attribute cnn",
         "train joint", "predict joint", "attribute joint"]  # fmt: skip


def go_on_until_done(out):
    """Run the demo, stopped once in the middle of every step; gives the steps."""
    stopped = []

    def stop_once(name, done, total):
        if name not in stopped and done < total:
            stopped.append(name)
            raise KeyboardInterrupt

    while True:
        try:
            demo(out, Size(*SMALL), workers=1, progress=stop_once)
        except KeyboardInterrupt:
            continue
        return stopped


def test_a_demo_stopped_in_every_step_ends_as_an_undisturbed_one(quick_demo, tmp_path):
    assert go_on_until_done(tmp_path) == STEPS
    for name in ("cnn", "joint"):
        ours, theirs = tmp_path / "runs" / name, quick_demo / "runs" / name
        assert (ours / SCORES).read_bytes() == (theirs / SCORES).read_bytes()
        first, second = load_file(ours / WEIGHTS), load_file(theirs / WEIGHTS)
        assert all((first[key] == second[key]).all() for key in first)
        for recording in list_predictions(theirs):
            attributions = [
                open_attribution(run, "gradient_x_input", recording)["attribution"].load()
                for run in (ours, theirs)
            ]
            assert attributions[0].equals(attributions[1])


def test_a_finished_demo_does_nothing_again(quick_demo):
    before = {path: path.stat().st_mtime_ns for path in quick_demo.rglob("*") if path.is_file()}
    outcome = demo(quick_demo, Size(*SMALL), progress=lambda *state: None)
    after = {path: path.stat().st_mtime_ns for path in quick_demo.rglob("*") if path.is_file()}
    assert before == after
    assert outcome.detected >= 0.98
    assert set(outcome.scores) == {"cnn", "joint"}


def test_a_demo_of_another_size_wants_another_folder(quick_demo):
    with pytest.raises(AffectkitError, match=r"another folder|remove"):
        demo(quick_demo, progress=lambda *state: None)
