"""Frozen parts, learning rates and schedules."""

import math

import pytest
import torch
from safetensors.torch import load_file

from affectkit.errors import AffectkitError
from affectkit.run import WEIGHTS
from affectkit.training.fit import fit
from affectkit.training.learner import build_learner, freeze, frozen_parts
from affectkit.training.model import build_model
from affectkit.training.recipe import parse_overrides, read_recipe, recipe_text

STAGES = "[{epochs = 1, frozen = ['cnn', 'fc']}, {epochs = 2, frozen = ['cnn']}]"


def changed_parts(before, after):
    """The parts of the model that differ, batch norm statistics included."""
    return {name.split(".")[0] for name in after if not torch.equal(before[name], after[name])}


def rates(recipe, steps=10, **changes):
    """The learning rate before each step of one epoch."""
    learner = build_learner(recipe(training__epochs=1, **changes), steps)
    found = []
    for _ in range(steps):
        found.append(learner.optimizer.param_groups[0]["lr"])
        learner.optimizer.step()
        learner.schedule.step()
    return found


@pytest.mark.parametrize("frozen", [["cnn"], ["fc", "head"]])
def test_frozen_parts_do_not_change_and_all_others_do(frozen, recordings, recipe, tmp_path):
    settings = recipe(training__epochs=1, training__frozen=frozen)
    fit(settings, recordings, tmp_path / "run")
    torch.manual_seed(0)
    started = build_model(settings).state_dict()
    others = {"cnn", "fc", "temporal", "head"} - set(frozen)
    assert changed_parts(started, load_file(tmp_path / "run" / WEIGHTS)) == others


def test_stages_apply_to_the_first_epochs(recordings, recipe, tmp_path):
    settings = recipe(training__epochs=4, training__stages=STAGES)
    assert [frozen_parts(settings, epoch) for epoch in range(4)] == [
        {"cnn", "fc"}, {"cnn"}, {"cnn"}, set()
    ]  # fmt: skip
    (tmp_path / "r.toml").write_text(recipe_text(settings))
    assert read_recipe(tmp_path / "r.toml") == settings
    weights = []

    def read_weights(row):
        weights.append({k: v.clone() for k, v in load_file(tmp_path / "run" / WEIGHTS).items()})

    fit(settings, recordings, tmp_path / "run", on_epoch=read_weights)
    torch.manual_seed(0)
    assert changed_parts(build_model(settings).state_dict(), weights[0]) <= {"temporal", "head"}


def test_a_frozen_part_is_in_evaluation_mode(recipe):
    model = build_model(recipe())
    freeze(model, ["cnn"])
    assert not any(module.training for module in model.cnn.modules())
    assert model.training
    assert model.fc.training
    assert not any(weight.requires_grad for weight in model.cnn.parameters())
    freeze(model, [])
    assert all(module.training for module in model.modules())
    assert all(weight.requires_grad for weight in model.parameters())


def test_a_part_can_have_its_own_learning_rate(recipe):
    settings = recipe(training__learning_rates="{cnn = 1e-4}", training__schedule="constant",
                      training__warmup=0)  # fmt: skip
    learner = build_learner(settings, 5)
    rate_of = {
        id(weight): group["lr"]
        for group in learner.optimizer.param_groups
        for weight in group["params"]
    }
    named = dict(learner.model.named_parameters())
    assert len(rate_of) == len(named)
    for name, weight in named.items():
        assert rate_of[id(weight)] == (1e-4 if name.startswith("cnn.") else 2e-3)


def test_a_one_cycle_warm_up_of_one_step_counts_as_none(recipe):
    one_step = rates(recipe, training__warmup=0.1, training__learning_rate=0.01)
    assert one_step == rates(recipe, training__warmup=0, training__learning_rate=0.01)
    assert one_step[0] == pytest.approx(0.01, rel=0.03)
    assert one_step == sorted(one_step, reverse=True)


def test_learning_rates_of_the_schedules_known_by_hand(recipe):
    cosine = rates(recipe, training__schedule="cosine", training__warmup=0.2)
    assert cosine[:3] == pytest.approx([2e-3 / 3, 4e-3 / 3, 2e-3])
    assert cosine[6] == pytest.approx(2e-3 * (1 + math.cos(math.pi / 2)) / 2)
    constant = rates(recipe, training__schedule="constant", training__warmup=0)
    assert constant == [2e-3] * 10
    cycle = rates(recipe, training__warmup=0.2)
    assert max(cycle) == pytest.approx(2e-3)
    assert cycle.index(max(cycle)) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training__frozen": "['cn']"}, "unknown part of the model in training.frozen 'cn'"),
        ({"training__learning_rates": "{cn = 1.0}"}, "did you mean 'cnn'"),
        ({"training__stages": "[{epochs = 1, frozen = ['rnn']}]"}, r"in training\.stages 'rnn'"),
        ({"training__precision": "16-mixed"}, "needs a GPU"),
        ({"windows__order": "consecutive", "model__bidirectional": True}, "later frames"),
    ],
)
def test_settings_that_the_learner_cannot_use_are_errors(changes, message, recipe):
    with pytest.raises(AffectkitError, match=message):
        build_learner(recipe(**changes), 5)


@pytest.mark.parametrize(
    ("device", "devices", "message"),
    [
        ("cuda:7", 1, "device 'cuda:7' is not available on this computer"),
        ("gpu", 1, "unknown device 'gpu': expected auto, cpu, cuda"),
        ("cpu:0", 2, r"'cpu:0' is one device, but training\.devices = 2 processes need one each"),
    ],
)
def test_a_device_that_cannot_train_is_an_error(device, devices, message, recipe):
    with pytest.raises(AffectkitError, match=message):
        build_learner(recipe(training__devices=devices), 5, device)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.accelerator=cpu", r"accelerator was removed, delete it: .* --device"),
        ("training.stages=[{epochs = 9}]", "have 9 epochs in total, more than training.epochs"),
        ("training.stages=[{epoch = 9}]", "'training.stages.0.epoch': did you mean 'epochs'"),
        ("training.learning_rates={cnn = -1}", "training.learning_rates.cnn: .* greater than 0"),
        ("training.schedule=flat", "'one-cycle', 'cosine' or 'constant'"),
    ],
)
def test_invalid_stages_rates_and_schedules_are_errors(override, message):
    with pytest.raises(AffectkitError, match=message):
        read_recipe("quick", **parse_overrides([override]))


def test_a_compiled_cnn_keeps_the_names_of_its_weights(recipe):
    learner = build_learner(recipe(training__compile=True), 5)
    assert learner.model.state_dict().keys() == build_model(recipe()).state_dict().keys()
    assert learner.model.cnn._compiled_call_impl is not None
