import pytest
from safetensors.torch import load_file

from affectkit.demo import DemoSize, run_demo, run_demo_of_size
from affectkit.errors import AffectkitError
from affectkit.results import list_predictions, open_attribution
from affectkit.run import SCORES, WEIGHTS
from tests.conftest import SMALL

STEPS = [
    "write synthetic videos", "detect and crop faces", "train cnn", "predict cnn",
    "attribute cnn", "train joint", "predict joint", "attribute joint",
]  # fmt: skip


def resume_until_finished(out):
    """Run the demo, interrupted once in the middle of every step; returns the steps."""
    stopped = []

    def stop_once(name, done, total):
        if name not in stopped and done < total:
            stopped.append(name)
            raise KeyboardInterrupt

    while True:
        try:
            run_demo_of_size(out, DemoSize(*SMALL), workers=1, progress=stop_once)
        except KeyboardInterrupt:
            continue
        return stopped


def test_a_demo_interrupted_in_every_step_gives_the_results_of_an_uninterrupted_one(
    quick_demo, tmp_path
):
    assert resume_until_finished(tmp_path) == STEPS
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


def test_a_finished_demo_writes_nothing_again(quick_demo):
    before = {path: path.stat().st_mtime_ns for path in quick_demo.rglob("*") if path.is_file()}
    result = run_demo_of_size(quick_demo, DemoSize(*SMALL))
    after = {path: path.stat().st_mtime_ns for path in quick_demo.rglob("*") if path.is_file()}
    assert before == after
    assert result.detected >= 0.98
    assert set(result.scores) == {"cnn", "joint"}


def test_a_demo_of_another_size_needs_another_folder(quick_demo):
    with pytest.raises(AffectkitError, match=r"another folder|remove"):
        run_demo(quick_demo)
