import pytest
import torch
from captum.attr import InputXGradient, Saliency

from affectkit.attribution.gradients import gradient_x_input, own_frame_gradients
from affectkit.errors import AffectkitError
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.models.inputs import Chunk
from affectkit.models.temporal import TEMPORAL

FRAMES = 7


def build_model(temporal, **more):
    torch.manual_seed(0)
    keys = {"fc": [8], "hidden": 8, "layers": 2, "landmarks": True, **more}
    return CnnRnn("test_resnet", temporal, **keys).eval()


def clip():
    torch.manual_seed(1)
    return torch.randn(FRAMES, 3, 32, 32), torch.randn(FRAMES, 68, 2)


@pytest.mark.parametrize("temporal", TEMPORAL)
@pytest.mark.parametrize(
    "more", [{}, {"feature_layers": ["layer1"], "std": True}], ids=["", "feature layers"]
)
def test_every_frame_equals_a_direct_call_of_captum(temporal, more):
    model, (image, landmark) = build_model(temporal, input_size=32, **more), clip()
    maps = next(gradient_x_input(model, iter([Chunk(image.clone(), landmark)]))).attribution
    direct = InputXGradient(lambda x: model(x, landmark[None])[0])
    for affect in range(2):
        for frame in range(FRAMES):
            whole = direct.attribute(image[None].clone().requires_grad_(), target=(frame, affect))
            torch.testing.assert_close(maps[affect, frame], whole[0, frame].sum(0))


def test_gradients_equal_signed_saliency_of_captum():
    model, (image, landmark) = build_model("gru"), clip()
    _, gradient = next(own_frame_gradients(model, iter([Chunk(image.clone(), landmark)])))
    direct = Saliency(lambda x: model(x, landmark[None])[0])
    whole = direct.attribute(image[None].clone().requires_grad_(), target=(4, 1), abs=False)
    torch.testing.assert_close(gradient[1, 4], whole[0, 4])


def test_chunks_give_the_same_gradients_as_the_whole():
    model, (image, landmark) = build_model("lstm"), clip()
    chunks = [Chunk(image[a:b].clone(), landmark[a:b]) for a, b in ((0, 3), (3, 4), (4, 7))]
    parts = [each.attribution for each in gradient_x_input(model, iter(chunks))]
    maps = torch.cat(parts, dim=1)
    whole = next(gradient_x_input(model, iter([Chunk(image.clone(), landmark)]))).attribution
    torch.testing.assert_close(maps, whole)


def test_a_linear_model_gives_weight_times_input():
    model, (image, landmark) = build_model("none"), clip()
    weight = torch.randn(3, 32, 32)
    model.frame_features = lambda image, landmark: (image * weight).sum((1, 2, 3))[:, None]
    model.head = torch.nn.Linear(1, 2, bias=False)
    maps = next(gradient_x_input(model, iter([Chunk(image.clone(), landmark)]))).attribution
    for affect in range(2):
        expected = (model.head.weight[affect] * weight * image).sum(1)
        torch.testing.assert_close(maps[affect], expected)


def test_a_bidirectional_model_is_an_error():
    chunks = iter([Chunk(*clip())])
    with pytest.raises(AffectkitError, match=r"train with model\.bidirectional = false"):
        next(own_frame_gradients(build_model("gru", bidirectional=True), chunks))


def test_the_model_is_not_changed():
    model, (image, landmark) = build_model("gru"), clip()
    model.cnn.requires_grad_(False)
    wanted = [p.requires_grad for p in model.parameters()]
    before = {k: v.clone() for k, v in model.state_dict().items()}
    list(gradient_x_input(model, iter([Chunk(image, landmark)])))
    assert [p.requires_grad for p in model.parameters()] == wanted
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
    assert not model.training
