import pytest
import torch
from torch import nn

from affectkit.models.cnn_rnn import CnnRnn
from affectkit.models.folding import fold_norms


def with_a_past(model):
    """A net whose batch norms have seen something, and do something."""
    random = torch.Generator().manual_seed(1)
    for norm in model.modules():
        if isinstance(norm, nn.BatchNorm2d):
            for tensor in (norm.weight, norm.running_var):
                tensor.data.uniform_(0.5, 2, generator=random)
            for tensor in (norm.bias, norm.running_mean):
                tensor.data.normal_(0, 0.3, generator=random)
    return model.eval()


def norms(model):
    return [module for module in model.cnn.modules() if isinstance(module, nn.BatchNorm2d)]


@pytest.mark.parametrize(
    "backbone", ["test_resnet", "test_efficientnet", "mobilenetv3_small_050", "vggface2"]
)
def test_a_folded_net_has_no_norms_and_gives_the_same(backbone):
    model = with_a_past(CnnRnn(backbone, "gru", input_size=64, hidden=8))
    images = torch.randn(5, 3, 64, 64)
    landmark = torch.zeros(5, 68, 2)
    with torch.no_grad():
        before = model.frame_features(images, landmark)
        assert norms(model)
        folded = fold_norms(model, 64)
        assert not norms(folded)
        torch.testing.assert_close(folded.frame_features(images, landmark), before,
                                   rtol=1e-4, atol=1e-4)  # fmt: skip


def test_gradients_to_the_pixels_stay_the_same():
    model = with_a_past(CnnRnn("test_resnet", "none", input_size=64))
    image = torch.randn(2, 3, 64, 64, requires_grad=True)

    def gradient():
        out = model.frame_features(image, torch.zeros(2, 68, 2)).sum()
        return torch.autograd.grad(out, image)[0]

    before = gradient()
    fold_norms(model, 64)
    torch.testing.assert_close(gradient(), before, rtol=1e-3, atol=1e-4 * float(before.abs().max()))


class Shared(nn.Module):
    """A convolution whose output goes past its norm, too."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

    def forward(self, image):
        features = self.conv(image)
        return (features + self.norm(features)).mean((2, 3))


def test_a_convolution_that_feeds_more_than_its_norm_is_left_alone():
    model = CnnRnn("test_resnet", "none", input_size=32)
    model.cnn = Shared()
    standing = with_a_past(model).cnn
    assert fold_norms(model, 32).cnn is standing


def test_tapped_layers_are_left_alone():
    model = CnnRnn("test_resnet", "none", input_size=32, taps=["layer1"]).eval()
    standing = model.cnn
    assert fold_norms(model, 32).cnn is standing


def test_a_net_without_norms_stays_what_it_is():
    model = CnnRnn("vgg16", "none", input_size=32).eval()
    image = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        before = model.cnn(image)
        assert torch.equal(fold_norms(model, 32).cnn(image), before)
