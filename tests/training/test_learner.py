"""What moves, how fast, and in which epochs."""

import math

import pytest
import torch
from safetensors.torch import load_file

from affectkit.errors import AffectkitError
from affectkit.run import WEIGHTS
from affectkit.training.checkpoint import build_model
from affectkit.training.fit import fit
from affectkit.training.learner import build_learner, freeze, frozen_in
from affectkit.training.recipe import read_recipe, recipe_text

STAGES = "[{epochs = 1, frozen = ['cnn', 'connected']}, {epochs = 2, frozen = ['cnn']}]"


def moved(before, after):
    """Which parts of the net differ, statistics included."""
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


@pytest.mark.parametrize("frozen", [["cnn"], ["connected", "output"]])
def test_frozen_parts_do_not_move_and_all_others_do(frozen, recordings, recipe, tmp_path):
    settings = recipe(training__epochs=1, training__frozen=frozen)
    fit(settings, recordings, tmp_path / "run")
    torch.manual_seed(0)
    started = build_model(settings).state_dict()
    others = {"cnn", "connected", "temporal", "output"} - set(frozen)
    assert moved(started, load_file(tmp_path / "run" / WEIGHTS)) == others


def test_stages_take_the_first_epochs(recordings, recipe, tmp_path):
    settings = recipe(training__epochs=4, training__stages=STAGES)
    assert [frozen_in(settings, epoch) for epoch in range(4)] == [
        {"cnn", "connected"}, {"cnn"}, {"cnn"}, set()
    ]  # fmt: skip
    (tmp_path / "r.toml").write_text(recipe_text(settings))
    assert read_recipe(tmp_path / "r.toml") == settings
    seen = []

    def look(row):
        seen.append({k: v.clone() for k, v in load_file(tmp_path / "run" / WEIGHTS).items()})

    fit(settings, recordings, tmp_path / "run", on_epoch=look)
    torch.manual_seed(0)
    assert moved(build_model(settings).state_dict(), seen[0]) <= {"temporal", "output"}


def test_a_frozen_part_is_in_evaluation_mode(recipe):
    model = build_model(recipe())
    freeze(model, ["cnn"])
    assert not any(module.training for module in model.cnn.modules())
    assert model.training
    assert model.connected.training
    assert not any(weight.requires_grad for weight in model.cnn.parameters())
    freeze(model, [])
    assert all(module.training for module in model.modules())
    assert all(weight.requires_grad for weight in model.parameters())


def test_a_part_learns_at_its_own_rate(recipe):
    settings = recipe(training__learning_rates="{cnn = 1e-4}", training__schedule="constant",
                      training__warmup=0)  # fmt: skip
    learner = build_learner(settings, 5)
    of_weight = {
        id(weight): group["lr"]
        for group in learner.optimizer.param_groups
        for weight in group["params"]
    }
    named = dict(learner.model.named_parameters())
    assert len(of_weight) == len(named)
    for name, weight in named.items():
        assert of_weight[id(weight)] == (1e-4 if name.startswith("cnn.") else 2e-3)


def test_schedules_have_their_shapes(recipe):
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
        ({"training__frozen": "['cn']"}, "unknown part of the net in training.frozen 'cn'"),
        ({"training__learning_rates": "{cn = 1.0}"}, "did you mean 'cnn'"),
        ({"training__stages": "[{epochs = 1, frozen = ['rnn']}]"}, r"in training\.stages 'rnn'"),
        ({"training__precision": "16-mixed"}, "needs a GPU"),
        ({"training__accelerator": "cuda"}, r"training\.accelerator = 'cuda'"),
        ({"windows__order": "carried", "model__bidirectional": True}, "looks both ways"),
    ],
)
def test_what_cannot_be_built_is_refused(changes, message, recipe):
    with pytest.raises(AffectkitError, match=message):
        build_learner(recipe(**changes), 5)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("training.stages=[{epochs = 9}]", "take 9 epochs, more than training.epochs"),
        ("training.stages=[{epoch = 9}]", "'training.stages.0.epoch', did you mean 'epochs'"),
        ("training.learning_rates={cnn = -1}", "training.learning_rates.cnn: .* greater than 0"),
        ("training.schedule=flat", "'one-cycle', 'cosine' or 'constant'"),
    ],
)
def test_faults_of_the_schedule_are_named(override, message):
    with pytest.raises(AffectkitError, match=message):
        read_recipe("quick", [override])


def test_a_compiled_cnn_keeps_its_names(recipe):
    learner = build_learner(recipe(training__compile=True), 5)
    assert learner.model.state_dict().keys() == build_model(recipe()).state_dict().keys()
    assert learner.model.cnn._compiled_call_impl is not None
