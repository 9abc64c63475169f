import pytest
import torch
from safetensors.torch import save_file

from affectkit.errors import AffectkitError
from affectkit.models.backbones import build_backbone
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.models.normalisation import Normalisation, normalise
from affectkit.models.temporal import TEMPORAL, TemporalOptions, build_temporal

TINY = "test_resnet"


def build(temporal="gru", **keys):
    torch.manual_seed(0)
    return CnnRnn(TINY, temporal, fc=[8], hidden=8, **keys).eval()


@pytest.mark.parametrize("temporal", TEMPORAL)
def test_each_frame_has_valence_and_arousal(temporal):
    affect, _ = build(temporal, landmarks=True)(
        torch.randn(2, 5, 3, 32, 32), torch.zeros(2, 5, 68, 2)
    )
    assert affect.shape == (2, 5, 2)


@pytest.mark.parametrize("temporal", TEMPORAL)
def test_two_chunks_with_the_state_carried_over_equal_one(temporal):
    model, features = build(temporal), torch.randn(1, 9, 8)
    whole, _ = model.decode(features)
    first, state = model.decode(features[:, :4])
    second, _ = model.decode(features[:, 4:], state)
    torch.testing.assert_close(torch.cat([first, second], 1), whole)


def test_without_an_rnn_each_output_depends_on_one_frame():
    model, features = build("none"), torch.randn(1, 9, 8)
    changed = features.clone()
    changed[:, 3] += 1
    different = (model.decode(changed)[0] != model.decode(features)[0]).any(2)[0]
    assert different.nonzero().flatten().tolist() == [3]


def test_a_gru_depends_on_past_frames_only():
    model, features = build("gru"), torch.randn(1, 9, 8)
    changed = features.clone()
    changed[:, 3] += 1
    different = (model.decode(changed)[0] != model.decode(features)[0]).any(2)[0]
    assert different.nonzero().flatten().tolist() == list(range(3, 9))


def test_landmarks_change_the_output_only_with_landmarks_true():
    image, landmark = torch.randn(1, 3, 3, 32, 32), torch.zeros(1, 3, 68, 2)
    for landmarks in (True, False):
        model = build(landmarks=landmarks)
        same = torch.equal(model(image, landmark)[0], model(image, landmark + 0.5)[0])
        assert same != landmarks


def test_fully_connected_layers_are_in_order_each_with_its_own_dropout():
    model = CnnRnn(
        TINY, "none", fc=[12, 8], layer_norm=False, activation="relu", dropout=[0.5, 0.0]
    )
    kinds = [type(layer).__name__ for layer in model.fc]
    assert kinds == ["Linear", "ReLU", "Dropout"] * 2
    assert [layer.p for layer in model.fc if hasattr(layer, "p")] == [0.5, 0.0]
    assert [layer.out_features for layer in model.fc[::3]] == [12, 8]
    assert model.head.in_features == 8


def test_a_single_dropout_applies_to_all_layers():
    model = CnnRnn(TINY, fc=[12, 8], dropout=[0.3])
    assert [layer.p for layer in model.fc[3::4]] == [0.3, 0.3]


def test_without_fully_connected_layers_the_cnn_feeds_the_rnn():
    _, width, _ = build_backbone(TINY, size=32)
    model = CnnRnn(TINY, fc=[], hidden=6, input_size=32, landmarks=True)
    assert model.temporal.rnn.input_size == width + 136
    assert model(torch.randn(1, 2, 3, 32, 32), torch.zeros(1, 2, 68, 2))[0].shape == (1, 2, 2)


def test_each_feature_layer_has_its_own_rnn():
    model = build(feature_layers=["layer1", "bn1"], input_size=32)
    image, landmark = torch.randn(2, 3, 32, 32), torch.zeros(2, 68, 2)
    features = model.frame_features(image, landmark)
    layers = dict(model.cnn.named_modules())
    low = layers["bn1"](layers["conv1"](image))
    assert torch.equal(
        features[:, -low[0].numel() :], low.flatten(1)
    )  # before the ReLU changes it in place
    assert [branch.rnn.input_size for branch in model.temporal.branches] == model.temporal.widths
    assert features.shape[1] == sum(model.temporal.widths)
    assert model.head.in_features == 3 * 8


def test_a_shared_rnn_gets_all_features():
    model = build(feature_layers=["layer1"], shared_rnn=True, input_size=32)
    features = model.frame_features(torch.randn(2, 3, 32, 32), torch.zeros(2, 68, 2))
    assert model.temporal.rnn.input_size == features.shape[1] > 8
    assert model.head.in_features == 8


def test_hooked_features_are_released_after_a_pass():
    model = build(feature_layers=["layer1"], input_size=32)
    model(torch.randn(1, 2, 3, 32, 32), torch.zeros(1, 2, 68, 2))
    assert model.features == {}


def test_an_unknown_feature_layer_is_named():
    with pytest.raises(AffectkitError, match="unknown layer of the backbone 'layer11'"):
        build(feature_layers=["layer11"])


def test_std_is_positive_and_scaled_by_the_calibration():
    model, features = build(std=True), torch.randn(1, 9, 8)
    before, _ = model.decode(features)
    assert before.shape == (1, 9, 4)
    assert (before[..., 2:] > 0).all()
    model.calibration.copy_(torch.tensor([2.0, 0.5]))
    after, _ = model.decode(features)
    torch.testing.assert_close(after, before * torch.tensor([1.0, 1.0, 2.0, 0.5]))
    assert "calibration" in model.state_dict()


def test_a_model_with_std_has_the_same_initial_weights_as_one_without():
    plain, with_std = build().state_dict(), build(std=True).state_dict()
    assert all(torch.equal(plain[name], with_std[name]) for name in plain)


def test_normalise_uses_mean_and_std_of_each_channel():
    face = torch.full((1, 2, 4, 4, 3), 255, dtype=torch.uint8)
    image = normalise(face, Normalisation((0.0, 0.5, 0.5), (1.0, 0.5, 0.25)))
    assert image.shape == (2, 3, 4, 4)
    assert image[0, :, 0, 0].tolist() == [1.0, 1.0, 2.0]
    assert image.is_contiguous(memory_format=torch.channels_last)


def test_unknown_names_suggest_known_ones():
    with pytest.raises(AffectkitError, match="did you mean 'resnet50'"):
        build_backbone("resnet_50")
    with pytest.raises(AffectkitError, match="did you mean 'gru'"):
        build_temporal("grru", 8, TemporalOptions())


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


def test_a_missing_weight_file_says_what_is_expected(tmp_path):
    with pytest.raises(AffectkitError, match=r"gone\.pth does not exist; expected a \.safetensors"):
        build_backbone(TINY, weights=str(tmp_path / "gone.pth"))


def test_pretrained_without_a_network_says_what_to_set(monkeypatch):
    # otherwise the hub client retries for most of a minute
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(AffectkitError, match=r"set model\.weights to a local file"):
        build_backbone(TINY, pretrained=True)
