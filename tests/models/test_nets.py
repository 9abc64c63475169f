import pytest
import torch
from safetensors.torch import save_file

from affectkit.errors import AffectkitError
from affectkit.models.backbones import Pixels, build_backbone, normalise
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.models.temporal import TEMPORAL, build_temporal

TINY = "test_resnet"


def net(temporal="gru", **keys):
    torch.manual_seed(0)
    return CnnRnn(TINY, temporal, features=8, hidden=6, **keys).eval()


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


def test_normalise_subtracts_and_divides_by_channel():
    face = torch.full((1, 2, 4, 4, 3), 255, dtype=torch.uint8)
    image = normalise(face, Pixels((0.0, 0.5, 0.5), (1.0, 0.5, 0.25)))
    assert image.shape == (2, 3, 4, 4)
    assert image[0, :, 0, 0].tolist() == [1.0, 1.0, 2.0]
    assert image.is_contiguous(memory_format=torch.channels_last)


def test_unknown_names_list_the_known_ones():
    with pytest.raises(AffectkitError, match="did you mean 'resnet50'"):
        build_backbone("resnet_50")
    with pytest.raises(AffectkitError, match="known are gru, lstm, none"):
        build_temporal("grru", 8, hidden=4, layers=1)


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
