"""Saving memory changes no gradient, and carried memory is the memory of the whole recording."""

import pytest
import torch
from torch import nn

from affectkit.training.fit import train_epoch
from affectkit.training.learner import build_learner, freeze
from affectkit.training.memory import checkpoint_gradients
from affectkit.training.place import Place
from affectkit.training.sampling import plan_epoch
from affectkit.training.step import carried, forward, train_step
from affectkit.training.windows import Batch, Window, open_source, read_batch

VIT = {"model__backbone": "test_vit", "windows__input_size": 160, "model__dropout": 0}


def noise(windows=4, frames=3, size=32):
    random = torch.Generator().manual_seed(0)
    return Batch(
        torch.randint(256, (windows, frames, size, size, 3), generator=random, dtype=torch.uint8),
        torch.rand(windows, frames, 68, 2, generator=random),
        torch.rand(windows, frames, 2, generator=random),
    )


def one_step(settings, batch):
    """Loss, gradients and buffers after one step of a new net."""
    learner = build_learner(settings, 10)
    freeze(learner.model, [])
    torch.manual_seed(1)
    step = train_step(learner, settings, batch)
    gradients = {name: weight.grad for name, weight in learner.model.named_parameters()}
    return step.loss, gradients, dict(learner.model.named_buffers())


def assert_same(first, second, tolerance):
    for name in first:
        torch.testing.assert_close(first[name], second[name], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("backbone", ["test_resnet", "mobilenetv3_small_050", "test_vit"])
def test_gradient_checkpointing_changes_nothing(backbone, recipe):
    size = 160 if backbone == "test_vit" else 32
    settings = {"model__backbone": backbone, "model__dropout": 0.3, "windows__input_size": size}
    plain = one_step(recipe(**settings), noise())
    saved = one_step(recipe(**settings, training__gradient_checkpointing=True), noise())
    assert saved[0] == plain[0]
    assert_same(saved[1], plain[1], 1e-7)
    assert_same(saved[2], plain[2], 0)  # the statistics of batch norms count once


@pytest.mark.parametrize("before", [0, 1])
def test_a_long_row_of_layers_is_computed_twice_in_runs(before):
    torch.manual_seed(0)
    row = nn.Sequential(*(nn.AvgPool2d(3, 1, 1) for _ in range(before)))  # moves the runs' ends
    for _ in range(5):
        row.extend([nn.Conv2d(3, 3, 3, padding=1), nn.ReLU(inplace=True)])
    net, image = nn.Sequential(row, nn.Flatten()), torch.randn(2, 3, 8, 8)
    net(image).square().sum().backward()
    plain = [weight.grad.clone() for weight in net.parameters()]
    net.zero_grad()
    kept = []
    checkpoint_gradients(net)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t) or t, lambda t: t):
        net(image)
    assert len(kept) < 6
    net(image).square().sum().backward()
    assert all(map(torch.equal, plain, [weight.grad for weight in net.parameters()]))


@pytest.mark.parametrize("loss", ["ccc", "mse"])
def test_a_batch_in_pieces_has_the_gradient_of_the_whole(loss, recipe):
    settings = VIT | {"training__loss": loss, "training__clip": 1e9}
    batch = noise()
    batch.annotation[1, 1:] = torch.nan  # pieces with unequal numbers of annotated frames
    whole = one_step(recipe(**settings), batch)
    pieces = one_step(recipe(**settings, training__accumulate=3), batch)
    assert pieces[0] == pytest.approx(whole[0], abs=1e-6)
    assert_same(pieces[1], whole[1], 1e-6)


def test_pieces_drop_out_the_same_in_both_rounds(recipe):
    settings = recipe(model__dropout=0.5, training__accumulate=4, training__clip=1e9)
    torch.manual_seed(0)
    first = one_step(settings, noise())
    again = one_step(settings, noise())
    assert first[0] == again[0]
    assert_same(first[1], again[1], 0)


@pytest.mark.parametrize("temporal", ["gru", "lstm", "tcn", "transformer"])
def test_carried_memory_gives_what_whole_recordings_give(temporal, recipe, make_recording):
    settings = recipe(model__temporal=temporal, windows__order="carried", windows__batch=2,
                      windows__length=7, windows__augment=False)  # fmt: skip
    sources = [open_source(make_recording(f"r{i}", 40 + 9 * i, i)) for i in range(3)]
    learner = build_learner(settings, 10)
    learner.model.eval()
    state, latest, roads = (), {}, []  # a road: a stretch that a lane read without a break
    with torch.no_grad():
        for windows in plan_epoch(sources, settings.windows, (0,)):
            state = carried(state, windows)
            output, state = forward(learner, settings, read_batch(sources, windows, 7), state)
            for lane, window in enumerate(windows):
                if not window.carried:
                    latest[lane] = {"window": window, "rows": []}
                    roads.append(latest[lane])
                latest[lane]["window"] = latest[lane]["window"]._replace(stop=window.stop)
                latest[lane]["rows"].append(output[lane, : window.stop - window.start])
        assert max(len(road["rows"]) for road in roads) > 3
        for road in roads:
            count = road["window"].stop - road["window"].start
            expected, _ = forward(learner, settings, read_batch(sources, [road["window"]], count))
            torch.testing.assert_close(torch.cat(road["rows"]), expected[0], rtol=1e-5, atol=1e-5)


def test_a_fresh_window_remembers_nothing_and_a_carried_one_all():
    state = (torch.ones(2, 3, 4), torch.full((2, 3, 1), 5.0))
    windows = [Window(0, 10, 20, carried=True), Window(1, 0, 10), Window(2, 20, 30, carried=True)]
    first, second = carried(state, windows)
    assert first.sum((0, 2)).tolist() == [8, 0, 8]
    assert second.sum((0, 2)).tolist() == [10, 0, 10]
    assert carried((), windows) == ()


@pytest.mark.parametrize("order", ["carried", "shuffled"])
def test_the_loop_hands_on_what_carried_windows_remember(order, recipe, make_recording):
    settings = recipe(windows__order=order, windows__batch=1, windows__length=10)
    sources = [open_source(make_recording("long", 65))]
    by_loop, by_hand = build_learner(settings, 10), build_learner(settings, 10)
    place, state = Place(), ()
    train_epoch(by_loop, settings, sources, place, lambda: None)
    planned = plan_epoch(sources, settings.windows, (settings.seed, 0))
    for number, windows in enumerate(planned, start=1):
        torch.manual_seed(hash((settings.seed, number)))
        if order == "shuffled" or not windows[0].carried:
            state = ()
        state = train_step(by_hand, settings, read_batch(sources, windows, 10), state).state
        assert not any(part.requires_grad for part in state)  # the gradient ends here
    assert place.step == len(planned) > 4
    assert len(place.state) == (order == "carried")
    assert_same(by_loop.model.state_dict(), by_hand.model.state_dict(), 0)


def test_pieces_of_a_batch_carry_their_own_memory(recipe):
    states = []
    for accumulate in (1, 3):
        settings = recipe(model__temporal="lstm", **VIT, training__accumulate=accumulate)
        learner = build_learner(settings, 10)
        before = (torch.full((1, 4, 32), 0.5), torch.full((1, 4, 32), -0.5))
        states.append(train_step(learner, settings, noise(), before).state)
    for whole, pieces in zip(*states, strict=True):
        torch.testing.assert_close(pieces, whole, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_training_runs_in_a_mixed_precision(precision, recipe):
    settings = recipe(training__precision=precision, windows__augment=False)
    loss, gradients, _ = one_step(settings, noise())
    assert 0 < loss < 2
    assert all(gradient.dtype == torch.float32 for gradient in gradients.values())
