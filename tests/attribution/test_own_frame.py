import pytest
import torch
from captum.attr import InputXGradient, Saliency

from affectkit.attribution.attribute import gradient_x_input
from affectkit.attribution.own_frame import own_frame_gradients
from affectkit.errors import AffectkitError
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.models.temporal import TEMPORAL
from affectkit.training.stream import Chunk

FRAMES = 7


def net(temporal, **more):
    torch.manual_seed(0)
    keys = {"connected": [8], "hidden": 8, "layers": 2, "landmarks": True, **more}
    return CnnRnn("test_resnet", temporal, **keys).eval()


def clip():
    torch.manual_seed(1)
    return torch.randn(FRAMES, 3, 32, 32), torch.randn(FRAMES, 68, 2)


@pytest.mark.parametrize("temporal", TEMPORAL)
@pytest.mark.parametrize("more", [{}, {"taps": ["layer1"], "spread": True}], ids=["", "tapped"])
def test_every_frame_equals_a_direct_call_of_captum(temporal, more):
    model, (image, landmark) = net(temporal, input_size=32, **more), clip()
    maps = next(gradient_x_input(model, iter([Chunk(image.clone(), landmark)])))
    direct = InputXGradient(lambda x: model(x, landmark[None])[0])
    for affect in range(2):
        for frame in range(FRAMES):
            whole = direct.attribute(image[None].clone().requires_grad_(), target=(frame, affect))
            torch.testing.assert_close(maps[affect, frame], whole[0, frame].sum(0))


def test_gradients_are_captums_saliency_with_its_sign():
    model, (image, landmark) = net("gru"), clip()
    _, gradient = next(own_frame_gradients(model, iter([Chunk(image.clone(), landmark)])))
    direct = Saliency(lambda x: model(x, landmark[None])[0])
    whole = direct.attribute(image[None].clone().requires_grad_(), target=(4, 1), abs=False)
    torch.testing.assert_close(gradient[1, 4], whole[0, 4])


def test_chunks_give_what_the_whole_gives():
    model, (image, landmark) = net("lstm"), clip()
    pieces = [Chunk(image[a:b].clone(), landmark[a:b]) for a, b in ((0, 3), (3, 4), (4, 7))]
    maps = torch.cat(list(gradient_x_input(model, iter(pieces))), dim=1)
    whole = next(gradient_x_input(model, iter([Chunk(image.clone(), landmark)])))
    torch.testing.assert_close(maps, whole)


def test_a_linear_net_gives_weight_times_input():
    model, (image, landmark) = net("none"), clip()
    weight = torch.randn(3, 32, 32)
    model.frame_features = lambda image, landmark: (image * weight).sum((1, 2, 3))[:, None]
    model.output = torch.nn.Linear(1, 2, bias=False)
    maps = next(gradient_x_input(model, iter([Chunk(image.clone(), landmark)])))
    for affect in range(2):
        expected = (model.output.weight[affect] * weight * image).sum(1)
        torch.testing.assert_close(maps[affect], expected)


def test_a_net_that_looks_ahead_is_refused():
    chunks = iter([Chunk(*clip())])
    with pytest.raises(AffectkitError, match=r"train with model\.bidirectional = false"):
        next(own_frame_gradients(net("gru", bidirectional=True), chunks))


def test_the_net_is_left_as_it_was():
    model, (image, landmark) = net("gru"), clip()
    model.cnn.requires_grad_(False)
    wanted = [p.requires_grad for p in model.parameters()]
    before = {k: v.clone() for k, v in model.state_dict().items()}
    list(gradient_x_input(model, iter([Chunk(image, landmark)])))
    assert [p.requires_grad for p in model.parameters()] == wanted
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
    assert not model.training
