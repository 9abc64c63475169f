import numpy as np
import pytest
import timm
import torch

from affectkit.errors import AffectkitError
from affectkit.models.architectures import BACKBONES
from affectkit.models.backbones import build_backbone
from affectkit.models.normalisation import PAPER, Normalisation, normalise


def image_of(*pixel):
    return torch.tensor(pixel, dtype=torch.uint8).expand(1, 4, 4, 3)


@pytest.mark.parametrize(("size", "squares"), [(96, 9), (64, 4), (112, 16)])
def test_vgg_gives_512_features_for_each_32_pixel_square_also_incomplete_ones(size, squares):
    assert build_backbone("vggface", size=size)[1] == 512 * squares


def test_vgg_has_13_convolutions_and_4608_features_at_96_pixels():
    module, width, _ = build_backbone("vgg16")
    with torch.no_grad():
        pool5 = module.features(torch.zeros(1, 3, 96, 96))
    assert (pool5.shape, width) == ((1, 512, 3, 3), 4608)
    assert sum(isinstance(layer, torch.nn.Conv2d) for layer in module.modules()) == 13


@pytest.mark.parametrize("name", ["resnet50", "vggface2"])
def test_resnet_is_pooled_to_2048(name):
    assert build_backbone(name)[1] == 2048


def test_vggface2_has_the_strides_of_caffe():
    module, _, _ = build_backbone("vggface2")
    for stage in (module.layer2, module.layer3, module.layer4):
        assert stage[0].conv1.stride == stage[0].downsample[0].stride == (2, 2)
        assert stage[0].conv2.stride == stage[1].conv1.stride == (1, 1)
    assert module.maxpool(torch.zeros(1, 64, 112, 112)).shape[-1] == 56


@pytest.mark.parametrize("name", [*BACKBONES, "resnet50", "test_vit"])
def test_paper_normalisation_maps_bytes_to_minus_one_to_one_for_all_backbones(name):
    _, _, normalisation = build_backbone(name, normalisation="paper", size=64)
    assert normalisation == PAPER
    image = normalise(image_of(0, 128, 255), normalisation)
    assert image[0, :, 0, 0].tolist() == [-1.0, 0.0, 127 / 128]


def test_native_normalisation_is_that_of_the_weights():
    _, _, normalisation = build_backbone("vggface")
    expected = [129 - 129.1863, 105 - 104.7624, 94 - 93.594]  # red, green, blue; no scaling
    image = normalise(image_of(129, 105, 94), normalisation)
    np.testing.assert_allclose(image[0, :, 0, 0], expected, atol=1e-5)
    _, _, normalisation = build_backbone("resnet50")
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    assert normalisation == Normalisation(mean, std, scale=255.0, size=224)
    assert build_backbone("test_vit", size=160)[2].size == 160


def test_random_weights_of_a_timm_model_are_the_same_as_in_timm():
    torch.manual_seed(3)
    module, _, _ = build_backbone("mobilenetv3_small_050")
    after = torch.rand(1)
    torch.manual_seed(3)
    expected = timm.create_model("mobilenetv3_small_050", num_classes=0).state_dict()
    assert torch.equal(after, torch.rand(1))
    assert all(torch.equal(module.state_dict()[name], expected[name]) for name in expected)


def test_an_unsupported_input_size_gives_a_one_line_error():
    with pytest.raises(
        AffectkitError, match=r"'efficientformer_l1' does not support an input size of 96"
    ) as e:
        build_backbone("efficientformer_l1")
    assert "\n" not in str(e.value)


def test_an_unknown_normalisation_suggests_a_known_one():
    with pytest.raises(AffectkitError, match="unknown normalisation 'papper': did you mean 'pap"):
        build_backbone("vgg16", normalisation="papper")


def test_an_unknown_backbone_suggests_one_of_the_paper():
    with pytest.raises(AffectkitError, match="did you mean 'vggface'"):
        build_backbone("vgg-face")
