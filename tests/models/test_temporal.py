from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from affectkit.errors import AffectkitError
from affectkit.models.temporal import TEMPORAL, Options, SideBySide, build_temporal
from affectkit.models.temporal.convolution import Tcn

FRAMES, WIDTH = 40, 5
OPTIONS = Options(hidden=8, layers=2, heads=2, look_back=4, kernel=3)


def part(name, options=OPTIONS, width=WIDTH):
    torch.manual_seed(0)
    return build_temporal(name, width, options).eval()


def side_by_side():
    """Parts with one tensor of state, none, two and four."""
    names = ("gru_tf1", "none", "lstm", "tcn")
    return SideBySide([part(name, width=w) for w, name in enumerate(names, start=1)], [1, 2, 3, 4])


def film(batch=2, frames=FRAMES, width=WIDTH):
    torch.manual_seed(1)
    return torch.randn(batch, frames, width)


def reached(module, frame, features):
    """Frames whose output moves with the input of one."""
    moved = features.clone()
    moved[:, frame] += 1
    different = (module(moved)[0] - module(features)[0]).abs().amax((0, 2)) > 1e-7
    return different.nonzero().flatten().tolist()


@pytest.mark.parametrize("name", [*TEMPORAL, "side by side"])
@settings(max_examples=15, deadline=None)
@given(cuts=st.sets(st.integers(1, FRAMES - 1)))
def test_any_cut_gives_what_the_whole_gives(name, cuts):
    module = side_by_side() if name == "side by side" else part(name)
    features = film(width=10 if name == "side by side" else WIDTH)
    whole, last = module(features)
    state, pieces = (), []
    edges = [0, *sorted(cuts), FRAMES]
    for start, end in pairwise(edges):
        piece, state = module(features[:, start:end], state)
        pieces.append(piece)
    torch.testing.assert_close(torch.cat(pieces, 1), whole, atol=1e-5, rtol=1e-5)
    for one, other in zip(state, last, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", TEMPORAL)
def test_the_empty_state_is_a_recordings_start(name):
    module, features = part(name), film()
    state = module.empty_state(2)
    assert all(tensor.shape[1] == 2 for tensor in state)  # the batch stands second
    torch.testing.assert_close(module(features, state)[0], module(features)[0])


@pytest.mark.parametrize("name", TEMPORAL)
def test_every_part_looks_back_only_and_declares_its_width(name):
    module, features = part(name), film()
    assert module.causal
    assert module(features)[0].shape == (2, FRAMES, module.width)
    assert min(reached(module, 6, features)) == 6


@pytest.mark.parametrize("name", ["gru", "lstm"])
def test_in_both_directions_every_frame_sees_all_and_there_is_no_state(name):
    module = part(name, Options(hidden=8, bidirectional=True))
    features = film()
    output, state = module(features)
    assert not module.causal
    assert (output.shape[2], module.width, state, module.empty_state(2)) == (16, 16, (), ())
    assert reached(module, 6, features)[:13] == list(range(13))


@pytest.mark.parametrize("name", ["none", "gru_tf1", "tcn", "transformer"])
def test_parts_that_go_one_way_say_so(name):
    with pytest.raises(AffectkitError, match=r"model\.bidirectional is for gru and lstm"):
        build_temporal(name, WIDTH, Options(bidirectional=True))


def test_a_step_of_tensorflows_gru_by_hand():
    module = part("gru_tf1", Options(hidden=2), width=1)
    (layer,) = module.layers
    with torch.no_grad():
        # rows of the kernels: the input, then both units of the state
        layer.gates.weight.copy_(torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]]))
        layer.candidate.weight.copy_(torch.tensor([[1.0, 0, 2], [0, 1, 0]]))
    state = torch.tensor([[[0.5, -0.5]]])
    output, (after,) = module(torch.tensor([[[0.2]]]), (state,))

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    reset = sigmoid(np.array([0.2, 0.5]) + 1)  # the gates' bias starts at 1
    update = sigmoid(np.array([-0.5, 0.2]) + 1)
    gated = reset * np.array([0.5, -0.5])  # before the product
    proposed = np.tanh([0.2 + 2 * gated[1], gated[0]])
    expected = update * np.array([0.5, -0.5]) + (1 - update) * proposed
    np.testing.assert_allclose(output.detach()[0, 0], expected, rtol=1e-6)
    np.testing.assert_allclose(after.detach()[0, 0], expected, rtol=1e-6)


def torch_twin(layer, hidden):
    """torch's GRU with the weights of a layer of TensorFlow's."""
    twin = nn.GRU(WIDTH, hidden, batch_first=True)
    inputs, states = (
        torch.cat([layer.gates.weight[:, columns], layer.candidate.weight[:, columns]])
        for columns in (slice(WIDTH), slice(WIDTH, None))
    )
    with torch.no_grad():
        twin.weight_ih_l0.copy_(inputs)
        twin.weight_hh_l0.copy_(states)
        twin.bias_ih_l0.copy_(torch.cat([layer.gates.bias, layer.candidate.bias]))
        twin.bias_hh_l0.zero_()
    return twin


def test_tensorflows_gru_is_torchs_but_for_the_place_of_the_reset_gate():
    module, features = part("gru_tf1", Options(hidden=8)), film()
    (layer,) = module.layers
    output, _ = module(features)
    assert (output - torch_twin(layer, 8)(features)[0]).abs().max() > 0.01
    with torch.no_grad():
        layer.gates.weight[:8] = 0
        layer.gates.bias[:8] = 40  # a gate that is open has no place
    torch.testing.assert_close(module(features)[0], torch_twin(layer, 8)(features)[0])


def test_tensorflows_gru_starts_with_open_gates():
    for layer in part("gru_tf1").layers:
        assert set(layer.gates.bias.tolist()) == {1.0}
        assert set(layer.candidate.bias.tolist()) == {0.0}


@pytest.mark.parametrize(("kernel", "layers"), [(2, 1), (3, 2), (2, 3)])
def test_a_frame_of_the_tcn_sees_its_receptive_field(kernel, layers):
    module = Tcn(WIDTH, Options(hidden=8, layers=layers, kernel=kernel)).double().eval()
    field = 2 * (kernel - 1) * (2**layers - 1)
    assert sum(len(tensor) for tensor in module.empty_state(1)) == field
    assert reached(module, 3, film().double()) == list(range(3, 3 + field + 1))


def test_a_layer_of_the_transformer_sees_its_look_back():
    module, features = part("transformer", Options(hidden=8, look_back=4)), film()
    assert reached(module, 3, features) == list(range(3, 3 + 4 + 1))
    assert reached(part("transformer"), 3, features) == list(range(3, 3 + 2 * 4 + 1))


def test_the_transformer_attends_as_the_formula_says():
    module = part("transformer", Options(hidden=4, heads=2, look_back=3))
    (block,) = module.blocks
    features = film(1, 6)
    normed = block.norm_attention(module.enter(features))[0]
    query, (key, value) = block.query(normed), block.key_value(normed).chunk(2, dim=1)
    seen = torch.zeros(6, 4)
    for t in range(6):
        for head, slope in ((slice(0, 2), 2**-4), (slice(2, 4), 2**-8)):
            near = range(max(0, t - 3), t + 1)
            scores = [query[t, head] @ key[u, head] / 2**0.5 - slope * (t - u) for u in near]
            weights = torch.stack(scores).softmax(0)
            seen[t, head] = sum(w * value[u, head] for w, u in zip(weights, near, strict=True))
    inside = module.enter(features) + block.merge(seen)
    expected = module.leave(inside + block.frame_by_frame(inside))
    torch.testing.assert_close(module(features)[0], expected)


def test_the_transformers_width_is_split_among_its_heads():
    with pytest.raises(AffectkitError, match=r"multiple of model\.heads \(4\), got 6"):
        build_temporal("transformer", WIDTH, Options(hidden=6))


@pytest.mark.parametrize("name", ["gru", "gru_tf1", "lstm", "tcn", "transformer"])
def test_dropout_is_for_training_alone(name):
    module = part(name, Options(hidden=8, layers=2, heads=2, temporal_dropout=0.5))
    features = film()
    assert torch.equal(module(features)[0], module(features)[0])
    module.train()
    assert not torch.equal(module(features)[0], module(features)[0])
