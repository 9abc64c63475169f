"""`affectkit bench gpu`: its checks can fail, and hold; what fails does not hide the rest."""

import numpy as np
import pytest
import torch

from affectkit.bench import gpu, gpu_checks
from affectkit.bench.gpu_setup import CPU, FAILED, OK, Setup, check_row


@pytest.fixture
def setup(tmp_path):
    return Setup(CPU, tmp_path, "test_resnet", 32, 80, 60, 40, (2, 5), 1)


def results(rows):
    return [row["result"] for row in rows]


def test_the_checks_hold_on_the_cpu(setup):
    assert results(gpu_checks.check_predictions(setup)) == [OK, OK]
    assert results(gpu_checks.check_attributions(setup)) == [OK]
    assert results(gpu_checks.check_evaluation_mode(setup)) == [OK, OK]
    assert results(gpu_checks.check_memory(setup)) == []


def test_resumed_training_has_the_loss_of_a_whole_training(setup):
    assert results(gpu_checks.check_resume(setup)) == [OK]


def test_a_model_that_depends_on_the_chunk_length_fails_the_check(setup, monkeypatch):
    build = Setup.model
    monkeypatch.setattr(Setup, "model", lambda self, temporal="gru": forgetful(build(self)))
    assert FAILED in results(gpu_checks.check_predictions(setup))


def forgetful(model):
    """A model whose RNN starts from an empty state in each call, and whose output shows it."""
    decode = model.decode
    model.decode = lambda features, state=(): (decode(features)[0] * 5, decode(features)[1])
    return model


def test_a_difference_that_is_nan_or_too_large_fails():
    assert check_row("a", 0.1, 0.1)["result"] == OK
    assert check_row("a", 0.11, 0.1)["result"] == FAILED
    assert check_row("a", np.nan, 0.1)["result"] == FAILED


def test_a_part_that_fails_is_a_row_and_the_others_run(setup, monkeypatch):
    def fail(setup):
        raise RuntimeError("no kernel\nmore lines")
        yield

    def absent(setup):
        import no_such_package

        yield no_such_package

    monkeypatch.setattr(gpu, "CHECKS", {"one": fail, "two": absent})
    monkeypatch.setattr(gpu, "SPEEDS", {"three": lambda setup: iter([check_row("a", 0, 1)])})
    rows = gpu.run_parts(setup)
    assert results(rows) == [
        "", "FAILED: RuntimeError: no kernel", "skipped: no_such_package is not installed", OK
    ]  # fmt: skip
    assert "no CUDA GPU was found" in rows[0]["measurement"]
    assert results(gpu.run_parts(setup, limit=-1))[1:] == ["skipped: the time is used up"] * 3


def test_the_command_names_the_failed_checks(call, monkeypatch):
    row = check_row("the sky is green", 1, 0)
    monkeypatch.setattr(gpu, "CHECKS", {"sky": lambda setup: iter([row])})
    monkeypatch.setattr(gpu, "SPEEDS", {})
    status, out, _ = call("bench", "gpu")
    assert status == 1
    assert "check failed: the sky is green" in out
    monkeypatch.setattr(gpu, "CHECKS", {})
    assert call("bench", "gpu")[0] == 0


@pytest.mark.gpu
def test_all_checks_hold_on_the_gpu(tmp_path):
    setup = gpu.gpu_setup(tmp_path)
    assert torch.cuda.is_available()
    for part in gpu_checks.CHECKS.values():
        assert set(results(part(setup))) == {OK}
