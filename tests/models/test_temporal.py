from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from affectkit.errors import AffectkitError
from affectkit.models.temporal import TEMPORAL, Parallel, TemporalOptions, build_temporal
from affectkit.models.temporal.tcn import Tcn

FRAMES, WIDTH = 40, 5
OPTIONS = TemporalOptions(hidden=8, layers=2, heads=2, context=4, kernel=3)


def build(name, options=OPTIONS, width=WIDTH):
    torch.manual_seed(0)
    return build_temporal(name, width, options).eval()


def parallel():
    """Modules with one state tensor, none, two and four."""
    names = ("gru_tf1", "none", "lstm", "tcn")
    return Parallel([build(name, width=w) for w, name in enumerate(names, start=1)], [1, 2, 3, 4])


def random_features(batch=2, frames=FRAMES, width=WIDTH):
    torch.manual_seed(1)
    return torch.randn(batch, frames, width)


def affected_frames(module, frame, features):
    """Frames with another output if the input of one frame changes."""
    changed = features.clone()
    changed[:, frame] += 1
    different = (module(changed)[0] - module(features)[0]).abs().amax((0, 2)) > 1e-7
    return different.nonzero().flatten().tolist()


@pytest.mark.parametrize("name", [*TEMPORAL, "parallel"])
@settings(max_examples=15, deadline=None)
@given(cuts=st.sets(st.integers(1, FRAMES - 1)))
def test_chunks_with_the_state_carried_over_equal_the_whole(name, cuts):
    module = parallel() if name == "parallel" else build(name)
    features = random_features(width=10 if name == "parallel" else WIDTH)
    whole, last = module(features)
    state, outputs = (), []
    edges = [0, *sorted(cuts), FRAMES]
    for start, end in pairwise(edges):
        output, state = module(features[:, start:end], state)
        outputs.append(output)
    torch.testing.assert_close(torch.cat(outputs, 1), whole, atol=1e-5, rtol=1e-5)
    for one, other in zip(state, last, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", TEMPORAL)
def test_the_empty_state_equals_no_state(name):
    module, features = build(name), random_features()
    state = module.empty_state(2)
    assert all(tensor.shape[1] == 2 for tensor in state)  # the batch is the second dimension
    torch.testing.assert_close(module(features, state)[0], module(features)[0])


@pytest.mark.parametrize("name", TEMPORAL)
def test_all_modules_are_causal_and_have_the_stated_width(name):
    module, features = build(name), random_features()
    assert module.causal
    assert module(features)[0].shape == (2, FRAMES, module.width)
    assert min(affected_frames(module, 6, features)) == 6


@pytest.mark.parametrize("name", ["gru", "lstm"])
def test_bidirectional_modules_depend_on_all_frames_and_have_no_state(name):
    module = build(name, TemporalOptions(hidden=8, bidirectional=True))
    features = random_features()
    output, state = module(features)
    assert not module.causal
    assert (output.shape[2], module.width, state, module.empty_state(2)) == (16, 16, (), ())
    assert affected_frames(module, 6, features)[:13] == list(range(13))


@pytest.mark.parametrize("name", ["none", "gru_tf1", "tcn", "transformer"])
def test_other_modules_cannot_be_bidirectional(name):
    with pytest.raises(AffectkitError, match=r"requires model\.temporal = gru or lstm"):
        build_temporal(name, WIDTH, TemporalOptions(bidirectional=True))


def test_one_step_of_tensorflows_gru_equals_the_formula():
    module = build("gru_tf1", TemporalOptions(hidden=2), width=1)
    (layer,) = module.layers
    with torch.no_grad():
        # columns of the kernels: the input, then both units of the state
        layer.gates.weight.copy_(torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]]))
        layer.candidate.weight.copy_(torch.tensor([[1.0, 0, 2], [0, 1, 0]]))
    state = torch.tensor([[[0.5, -0.5]]])
    output, (after,) = module(torch.tensor([[[0.2]]]), (state,))

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    reset = sigmoid(np.array([0.2, 0.5]) + 1)  # the initial bias of the gates is 1
    update = sigmoid(np.array([-0.5, 0.2]) + 1)
    gated = reset * np.array([0.5, -0.5])  # the reset gate comes before the product
    proposed = np.tanh([0.2 + 2 * gated[1], gated[0]])
    expected = update * np.array([0.5, -0.5]) + (1 - update) * proposed
    np.testing.assert_allclose(output.detach()[0, 0], expected, rtol=1e-6)
    np.testing.assert_allclose(after.detach()[0, 0], expected, rtol=1e-6)


def torch_gru(layer, hidden):
    """PyTorch's GRU with the weights of a layer of TensorFlow's GRU."""
    gru = nn.GRU(WIDTH, hidden, batch_first=True)
    inputs, states = (
        torch.cat([layer.gates.weight[:, columns], layer.candidate.weight[:, columns]])
        for columns in (slice(WIDTH), slice(WIDTH, None))
    )
    with torch.no_grad():
        gru.weight_ih_l0.copy_(inputs)
        gru.weight_hh_l0.copy_(states)
        gru.bias_ih_l0.copy_(torch.cat([layer.gates.bias, layer.candidate.bias]))
        gru.bias_hh_l0.zero_()
    return gru


def test_tensorflows_gru_differs_from_pytorchs_only_in_the_reset_gate():
    module, features = build("gru_tf1", TemporalOptions(hidden=8)), random_features()
    (layer,) = module.layers
    output, _ = module(features)
    assert (output - torch_gru(layer, 8)(features)[0]).abs().max() > 0.01
    with torch.no_grad():
        layer.gates.weight[:8] = 0
        layer.gates.bias[:8] = 40  # with an open reset gate both are equal
    torch.testing.assert_close(module(features)[0], torch_gru(layer, 8)(features)[0])


def test_the_initial_gate_bias_of_tensorflows_gru_is_one():
    for layer in build("gru_tf1").layers:
        assert set(layer.gates.bias.tolist()) == {1.0}
        assert set(layer.candidate.bias.tolist()) == {0.0}


@pytest.mark.parametrize(("kernel", "layers"), [(2, 1), (3, 2), (2, 3)])
def test_the_receptive_field_of_the_tcn_is_as_documented(kernel, layers):
    module = Tcn(WIDTH, TemporalOptions(hidden=8, layers=layers, kernel=kernel)).double().eval()
    field = 2 * (kernel - 1) * (2**layers - 1)
    assert sum(len(tensor) for tensor in module.empty_state(1)) == field
    assert affected_frames(module, 3, random_features().double()) == list(range(3, 3 + field + 1))


def test_a_layer_of_the_transformer_attends_to_its_context():
    module, features = build("transformer", TemporalOptions(hidden=8, context=4)), random_features()
    assert affected_frames(module, 3, features) == list(range(3, 3 + 4 + 1))
    assert affected_frames(build("transformer"), 3, features) == list(range(3, 3 + 2 * 4 + 1))


def test_the_transformer_equals_the_attention_formula():
    module = build("transformer", TemporalOptions(hidden=4, heads=2, context=3))
    (block,) = module.blocks
    features = random_features(1, 6)
    normed = block.attention_norm(module.in_proj(features))[0]
    query, (key, value) = block.query(normed), block.key_value(normed).chunk(2, dim=1)
    attended = torch.zeros(6, 4)
    for t in range(6):
        for head, slope in ((slice(0, 2), 2**-4), (slice(2, 4), 2**-8)):
            context = range(max(0, t - 3), t + 1)
            scores = [query[t, head] @ key[u, head] / 2**0.5 - slope * (t - u) for u in context]
            weights = torch.stack(scores).softmax(0)
            attended[t, head] = sum(
                w * value[u, head] for w, u in zip(weights, context, strict=True)
            )
    inside = module.in_proj(features) + block.out_proj(attended)
    expected = module.out_norm(inside + block.feed_forward(inside))
    torch.testing.assert_close(module(features)[0], expected)


def test_the_width_of_the_transformer_must_be_a_multiple_of_its_heads():
    with pytest.raises(AffectkitError, match=r"multiple of model\.heads \(4\), got 6"):
        build_temporal("transformer", WIDTH, TemporalOptions(hidden=6))


@pytest.mark.parametrize("name", ["gru", "gru_tf1", "lstm", "tcn", "transformer"])
def test_dropout_is_active_in_training_only(name):
    module = build(name, TemporalOptions(hidden=8, layers=2, heads=2, temporal_dropout=0.5))
    features = random_features()
    assert torch.equal(module(features)[0], module(features)[0])
    module.train()
    assert not torch.equal(module(features)[0], module(features)[0])
