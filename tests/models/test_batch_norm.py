import pytest
import torch
from torch import nn

from affectkit.models.batch_norm import fuse_batch_norms
from affectkit.models.cnn_rnn import CnnRnn


def randomise_batch_norms(model):
    """Give the batch norms random weights and statistics."""
    random = torch.Generator().manual_seed(1)
    for norm in model.modules():
        if isinstance(norm, nn.BatchNorm2d):
            for tensor in (norm.weight, norm.running_var):
                tensor.data.uniform_(0.5, 2, generator=random)
            for tensor in (norm.bias, norm.running_mean):
                tensor.data.normal_(0, 0.3, generator=random)
    return model.eval()


def batch_norms(model):
    return [module for module in model.cnn.modules() if isinstance(module, nn.BatchNorm2d)]


@pytest.mark.parametrize(
    "backbone", ["test_resnet", "test_efficientnet", "mobilenetv3_small_050", "vggface2"]
)
def test_a_fused_model_has_no_batch_norms_and_gives_the_same_features(backbone):
    model = randomise_batch_norms(CnnRnn(backbone, "gru", input_size=64, hidden=8))
    images = torch.randn(5, 3, 64, 64)
    landmark = torch.zeros(5, 68, 2)
    with torch.no_grad():
        before = model.frame_features(images, landmark)
        assert batch_norms(model)
        fused = fuse_batch_norms(model, 64)
        assert not batch_norms(fused)
        torch.testing.assert_close(fused.frame_features(images, landmark), before,
                                   rtol=1e-4, atol=1e-4)  # fmt: skip


def test_gradients_with_respect_to_the_image_stay_the_same():
    model = randomise_batch_norms(CnnRnn("test_resnet", "none", input_size=64))
    image = torch.randn(2, 3, 64, 64, requires_grad=True)

    def gradient():
        out = model.frame_features(image, torch.zeros(2, 68, 2)).sum()
        return torch.autograd.grad(out, image)[0]

    before = gradient()
    fuse_batch_norms(model, 64)
    torch.testing.assert_close(gradient(), before, rtol=1e-3, atol=1e-4 * float(before.abs().max()))


class Branching(nn.Module):
    """A convolution that feeds its batch norm and a sum."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

    def forward(self, image):
        features = self.conv(image)
        return (features + self.norm(features)).mean((2, 3))


def test_a_convolution_that_also_feeds_other_layers_is_not_fused():
    model = CnnRnn("test_resnet", "none", input_size=32)
    model.cnn = Branching()
    cnn = randomise_batch_norms(model).cnn
    assert fuse_batch_norms(model, 32).cnn is cnn


def test_a_model_with_feature_layers_is_not_fused():
    model = CnnRnn("test_resnet", "none", input_size=32, feature_layers=["layer1"]).eval()
    cnn = model.cnn
    assert fuse_batch_norms(model, 32).cnn is cnn


def test_a_model_without_batch_norms_does_not_change():
    model = CnnRnn("vgg16", "none", input_size=32).eval()
    image = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        before = model.cnn(image)
        assert torch.equal(fuse_batch_norms(model, 32).cnn(image), before)
