"""Micro-batches and consecutive windows give the same results as whole batches and recordings."""

import pytest
import torch

from affectkit.training.checkpoint import TrainingState
from affectkit.training.fit import train_epoch
from affectkit.training.learner import build_learner
from affectkit.training.sampling import plan_epoch
from affectkit.training.step import continue_hidden_state, forward, train_step
from affectkit.training.windows import Window, open_window_source, read_batch
from tests.training.steps import assert_same, noise_batch, one_step

# without batch norms, which would normalise each micro-batch on its own
VIT = {"model__backbone": "test_vit", "windows__input_size": 160, "model__dropout": 0}


@pytest.mark.parametrize("loss", ["ccc", "mse"])
def test_micro_batches_give_the_gradient_of_the_batch(loss, recipe):
    settings = VIT | {"training__loss": loss, "training__gradient_clip": 1e9}
    batch = noise_batch()
    batch.annotation[1, 1:] = torch.nan  # micro-batches with unequal numbers of annotated frames
    whole = one_step(recipe(**settings), batch)
    split = one_step(recipe(**settings, training__micro_batches=3), batch)
    assert split[0] == pytest.approx(whole[0], abs=1e-6)
    assert_same(split[1], whole[1], 1e-6)


def test_both_passes_over_the_micro_batches_use_the_same_dropout(recipe):
    settings = recipe(model__dropout=0.5, training__micro_batches=4, training__gradient_clip=1e9)
    torch.manual_seed(0)
    first = one_step(settings, noise_batch())
    again = one_step(settings, noise_batch())
    assert first[0] == again[0]
    assert_same(first[1], again[1], 0)


def test_micro_batches_carry_over_the_hidden_state_of_their_own_windows(recipe):
    states = []
    for micro_batches in (1, 3):
        settings = recipe(model__temporal="lstm", **VIT, training__micro_batches=micro_batches)
        learner = build_learner(settings, 10)
        before = (torch.full((1, 4, 32), 0.5), torch.full((1, 4, 32), -0.5))
        states.append(train_step(learner, settings, noise_batch(), before).hidden)
    for whole, split in zip(*states, strict=True):
        torch.testing.assert_close(split, whole, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("temporal", ["gru", "lstm", "tcn", "transformer"])
def test_consecutive_windows_give_the_predictions_of_whole_recordings(
    temporal, recipe, make_recording
):
    settings = recipe(model__temporal=temporal, windows__order="consecutive", windows__batch=2,
                      windows__length=7, windows__augment=False)  # fmt: skip
    sources = [open_window_source(make_recording(f"r{i}", 40 + 9 * i, i)) for i in range(3)]
    learner = build_learner(settings, 10)
    learner.model.eval()
    # consecutive windows at one position of the batch
    hidden, latest, stretches = (), {}, []
    with torch.no_grad():
        for windows in plan_epoch(sources, settings.windows, (0,)):
            hidden = continue_hidden_state(hidden, windows)
            output, hidden = forward(learner, settings, read_batch(sources, windows, 7), hidden)
            for position, window in enumerate(windows):
                if not window.continues:
                    latest[position] = {"window": window, "rows": []}
                    stretches.append(latest[position])
                latest[position]["window"] = latest[position]["window"]._replace(stop=window.stop)
                latest[position]["rows"].append(output[position, : window.stop - window.start])
        assert max(len(stretch["rows"]) for stretch in stretches) > 3
        for stretch in stretches:
            window = stretch["window"]
            batch = read_batch(sources, [window], window.stop - window.start)
            expected, _ = forward(learner, settings, batch)
            actual = torch.cat(stretch["rows"])
            torch.testing.assert_close(actual, expected[0], rtol=1e-5, atol=1e-5)


def test_the_hidden_state_is_zero_unless_a_window_continues_the_previous_one():
    hidden = (torch.ones(2, 3, 4), torch.full((2, 3, 1), 5.0))
    windows = [
        Window(0, 10, 20, continues=True),
        Window(1, 0, 10),
        Window(2, 20, 30, continues=True),
    ]
    first, second = continue_hidden_state(hidden, windows)
    assert first.sum((0, 2)).tolist() == [8, 0, 8]
    assert second.sum((0, 2)).tolist() == [10, 0, 10]
    assert continue_hidden_state((), windows) == ()


@pytest.mark.parametrize("order", ["consecutive", "shuffled"])
def test_the_loop_carries_over_the_hidden_state_of_consecutive_windows(
    order, recipe, make_recording
):
    settings = recipe(windows__order=order, windows__batch=1, windows__length=10)
    sources = [open_window_source(make_recording("long", 65))]
    by_loop, by_hand = build_learner(settings, 10), build_learner(settings, 10)
    state, hidden = TrainingState(), ()
    train_epoch(by_loop, settings, sources, state)
    planned = plan_epoch(sources, settings.windows, (settings.seed, 0))
    for number, windows in enumerate(planned, start=1):
        torch.manual_seed(hash((settings.seed, number)))
        if order == "shuffled" or not windows[0].continues:
            hidden = ()
        hidden = train_step(by_hand, settings, read_batch(sources, windows, 10), hidden).hidden
        assert not any(part.requires_grad for part in hidden)  # backpropagation stops here
    assert state.step == len(planned) > 4
    assert len(state.hidden) == (order == "consecutive")
    assert_same(by_loop.model.state_dict(), by_hand.model.state_dict(), 0)


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_gradients_are_float32_in_every_precision(precision, recipe):
    settings = recipe(training__precision=precision, windows__augment=False)
    loss, gradients, _ = one_step(settings, noise_batch())
    assert 0 < loss < 2
    assert all(gradient.dtype == torch.float32 for gradient in gradients.values())
