import pytest
import torch
from safetensors.torch import save_file

from affectkit.errors import AffectkitError
from affectkit.models.backbones import Pixels, build_backbone, normalise
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.models.temporal import TEMPORAL, Options, build_temporal

TINY = "test_resnet"


def net(temporal="gru", **keys):
    torch.manual_seed(0)
    return CnnRnn(TINY, temporal, connected=[8], hidden=8, **keys).eval()


@pytest.mark.parametrize("temporal", TEMPORAL)
def test_every_frame_gets_valence_and_arousal(temporal):
    affect, _ = net(temporal, landmarks=True)(
        torch.randn(2, 5, 3, 32, 32), torch.zeros(2, 5, 68, 2)
    )
    assert affect.shape == (2, 5, 2)


@pytest.mark.parametrize("temporal", TEMPORAL)
def test_state_carried_over_a_cut_changes_nothing(temporal):
    model, features = net(temporal), torch.randn(1, 9, 8)
    whole, _ = model.read_out(features)
    first, state = model.read_out(features[:, :4])
    second, _ = model.read_out(features[:, 4:], state)
    torch.testing.assert_close(torch.cat([first, second], 1), whole)


def test_cnn_only_sister_sees_one_frame():
    model, features = net("none"), torch.randn(1, 9, 8)
    changed = features.clone()
    changed[:, 3] += 1
    different = (model.read_out(changed)[0] != model.read_out(features)[0]).any(2)[0]
    assert different.nonzero().flatten().tolist() == [3]


def test_memory_looks_back_only():
    model, features = net("gru"), torch.randn(1, 9, 8)
    changed = features.clone()
    changed[:, 3] += 1
    different = (model.read_out(changed)[0] != model.read_out(features)[0]).any(2)[0]
    assert different.nonzero().flatten().tolist() == list(range(3, 9))


def test_landmarks_move_the_output_only_where_they_are_fed_in():
    image, landmark = torch.randn(1, 3, 3, 32, 32), torch.zeros(1, 3, 68, 2)
    for landmarks in (True, False):
        model = net(landmarks=landmarks)
        same = torch.equal(model(image, landmark)[0], model(image, landmark + 0.5)[0])
        assert same != landmarks


def test_fully_connected_layers_come_in_order_each_with_its_own_dropout():
    model = CnnRnn(
        TINY, "none", connected=[12, 8], norm=False, activation="relu", dropout=[0.5, 0.0]
    )
    kinds = [type(layer).__name__ for layer in model.connected]
    assert kinds == ["Linear", "ReLU", "Dropout"] * 2
    assert [layer.p for layer in model.connected if hasattr(layer, "p")] == [0.5, 0.0]
    assert [layer.out_features for layer in model.connected[::3]] == [12, 8]
    assert model.output.in_features == 8


def test_one_share_of_dropout_is_for_all_layers():
    model = CnnRnn(TINY, connected=[12, 8], dropout=[0.3])
    assert [layer.p for layer in model.connected[3::4]] == [0.3, 0.3]


def test_without_fully_connected_layers_the_cnn_feeds_the_memory():
    _, width, _ = build_backbone(TINY, size=32)
    model = CnnRnn(TINY, connected=[], hidden=6, input_size=32, landmarks=True)
    assert model.temporal.part.input_size == width + 136
    assert model(torch.randn(1, 2, 3, 32, 32), torch.zeros(1, 2, 68, 2))[0].shape == (1, 2, 2)


def test_every_tapped_layer_has_a_memory_of_its_own():
    model = net(taps=["layer1", "bn1"], input_size=32)
    image, landmark = torch.randn(2, 3, 32, 32), torch.zeros(2, 68, 2)
    features = model.frame_features(image, landmark)
    layers = dict(model.cnn.named_modules())
    low = layers["bn1"](layers["conv1"](image))
    assert torch.equal(features[:, -low[0].numel() :], low.flatten(1))  # not what ReLU made of it
    assert [part.part.input_size for part in model.temporal.parts] == model.temporal.widths
    assert features.shape[1] == sum(model.temporal.widths)
    assert model.output.in_features == 3 * 8


def test_one_memory_can_go_over_all_that_is_tapped():
    model = net(taps=["layer1"], one_memory=True, input_size=32)
    features = model.frame_features(torch.randn(2, 3, 32, 32), torch.zeros(2, 68, 2))
    assert model.temporal.part.input_size == features.shape[1] > 8
    assert model.output.in_features == 8


def test_a_tap_keeps_no_pass_alive():
    model = net(taps=["layer1"], input_size=32)
    model(torch.randn(1, 2, 3, 32, 32), torch.zeros(1, 2, 68, 2))
    assert model.heard == {}


def test_a_tap_that_is_not_there_is_named():
    with pytest.raises(AffectkitError, match="unknown layer of the backbone 'layer11'"):
        net(taps=["layer11"])


def test_spreads_are_positive_and_scaled_by_the_calibration():
    model, features = net(spread=True), torch.randn(1, 9, 8)
    before, _ = model.read_out(features)
    assert before.shape == (1, 9, 4)
    assert (before[..., 2:] > 0).all()
    model.calibration.copy_(torch.tensor([2.0, 0.5]))
    after, _ = model.read_out(features)
    torch.testing.assert_close(after, before * torch.tensor([1.0, 1.0, 2.0, 0.5]))
    assert "calibration" in model.state_dict()


def test_a_net_with_spreads_draws_the_same_weights_as_one_without():
    plain, spread = net().state_dict(), net(spread=True).state_dict()
    assert all(torch.equal(plain[name], spread[name]) for name in plain)


def test_normalise_subtracts_and_divides_by_channel():
    face = torch.full((1, 2, 4, 4, 3), 255, dtype=torch.uint8)
    image = normalise(face, Pixels((0.0, 0.5, 0.5), (1.0, 0.5, 0.25)))
    assert image.shape == (2, 3, 4, 4)
    assert image[0, :, 0, 0].tolist() == [1.0, 1.0, 2.0]
    assert image.is_contiguous(memory_format=torch.channels_last)


def test_unknown_names_list_the_known_ones():
    with pytest.raises(AffectkitError, match="did you mean 'resnet50'"):
        build_backbone("resnet_50")
    with pytest.raises(AffectkitError, match="did you mean 'gru'"):
        build_temporal("grru", 8, Options())


def test_weights_come_from_a_local_file(tmp_path):
    source, width, _ = build_backbone(TINY)
    save_file(
        {k: v.contiguous() for k, v in source.state_dict().items()}, tmp_path / "w.safetensors"
    )
    copy, _, _ = build_backbone(TINY, weights=str(tmp_path / "w.safetensors"))
    image = torch.randn(1, 3, 32, 32)
    source.eval(), copy.eval()
    assert torch.equal(source(image), copy(image))
    assert source(image).shape == (1, width)


def test_missing_weights_say_what_to_give(tmp_path):
    with pytest.raises(AffectkitError, match=r"gone\.pth do not exist; give a \.safetensors"):
        build_backbone(TINY, weights=str(tmp_path / "gone.pth"))


def test_pretrained_without_a_net_says_what_to_set(monkeypatch):
    # without it the hub's client tries for most of a minute before it gives up
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(AffectkitError, match=r"set model\.weights to a local file"):
        build_backbone(TINY, pretrained=True)
