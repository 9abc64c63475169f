"""ImageNet weights out of packages: the layouts of the two files."""

import pytest
import timm
import torch
from torchvision.models import mobilenet_v2

from affectkit.errors import AffectkitError
from affectkit.models.backbones import build_backbone


def random_like(state, rename=lambda number, name: name):
    generator = torch.Generator().manual_seed(0)
    return {
        rename(number, name): torch.rand(tensor.shape, generator=generator).to(tensor.dtype)
        for number, (name, tensor) in enumerate(state.items())
    }


def test_torchvision_names_load_and_the_features_are_those_before_the_classifier(tmp_path):
    net = mobilenet_v2().eval()
    torch.save(net.state_dict(), tmp_path / "net.pth")
    backbone, width, _ = build_backbone("mobilenet_v2", weights=tmp_path / "net.pth", size=64)
    image = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        expected = net.classifier[0].eval()(net.features(image).mean((2, 3)))
        torch.testing.assert_close(backbone.eval()(image), expected)
    assert width == 1280


def test_layers_of_efficientnet_are_matched_in_their_order(tmp_path):
    ends = {0: "_conv_stem.weight", 294: "_fc.weight", 295: "_fc.bias"}
    state = timm.create_model("tf_efficientnet_lite0").state_dict()
    published = random_like(state, lambda number, name: ends.get(number, f"layer.{number}"))
    torch.save(published, tmp_path / "net.pth")
    backbone, width, normalisation = build_backbone(
        "efficientnet_lite0", weights=tmp_path / "net.pth", size=64
    )
    assert width == 1280
    assert normalisation.mean == (127.0,) * 3
    loaded = list(backbone.state_dict().values())
    assert all(map(torch.equal, loaded, list(published.values())[: len(loaded)]))


def test_another_net_is_refused(tmp_path):
    torch.save(random_like(mobilenet_v2().state_dict()), tmp_path / "net.pth")
    with pytest.raises(AffectkitError, match="does not match backbone 'efficientnet_lite0'"):
        build_backbone("efficientnet_lite0", weights=tmp_path / "net.pth", size=64)
