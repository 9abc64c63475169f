import numpy as np
import pytest
import timm
import torch

from affectkit.errors import AffectkitError
from affectkit.models.backbones import BACKBONES, PAPER, Pixels, build_backbone, normalise


def bytes_of(*pixel):
    return torch.tensor(pixel, dtype=torch.uint8).expand(1, 4, 4, 3)


@pytest.mark.parametrize(("size", "squares"), [(96, 9), (64, 4), (112, 16)])
def test_vgg_gives_512_features_for_every_square_of_32_begun(size, squares):
    assert build_backbone("vggface", size=size)[1] == 512 * squares


def test_vgg_at_the_papers_size_is_flattened_as_it_says():
    module, width, _ = build_backbone("vgg16")
    with torch.no_grad():
        pool5 = module.features(torch.zeros(1, 3, 96, 96))
    assert (pool5.shape, width) == ((1, 512, 3, 3), 4608)
    assert sum(isinstance(layer, torch.nn.Conv2d) for layer in module.modules()) == 13


@pytest.mark.parametrize("name", ["resnet50", "vggface2"])
def test_resnet_is_pooled_to_2048(name):
    assert build_backbone(name)[1] == 2048


def test_vggface2_strides_where_caffe_does():
    module, _, _ = build_backbone("vggface2")
    for stage in (module.layer2, module.layer3, module.layer4):
        assert stage[0].conv1.stride == stage[0].downsample[0].stride == (2, 2)
        assert stage[0].conv2.stride == stage[1].conv1.stride == (1, 1)
    assert module.maxpool(torch.zeros(1, 64, 112, 112)).shape[-1] == 56


@pytest.mark.parametrize("name", [*BACKBONES, "resnet50", "test_vit"])
def test_the_papers_pixels_run_from_minus_one_to_one_for_every_network(name):
    _, _, pixels = build_backbone(name, pixels="paper")
    assert pixels == PAPER
    image = normalise(bytes_of(0, 128, 255), pixels)
    assert image[0, :, 0, 0].tolist() == [-1.0, 0.0, 127 / 128]


def test_native_pixels_are_those_the_weights_were_trained_on():
    face = bytes_of(129, 105, 94)
    _, _, pixels = build_backbone("vggface")
    expected = [129 - 129.1863, 105 - 104.7624, 94 - 93.594]  # red, green, blue; no scaling
    np.testing.assert_allclose(normalise(face, pixels)[0, :, 0, 0], expected, atol=1e-5)
    _, _, pixels = build_backbone("resnet50")
    assert pixels == Pixels((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), scale=255.0, size=224)
    assert build_backbone("test_vit", size=160)[2].size == 160


def test_a_timm_name_draws_the_same_weights_as_timm_itself():
    torch.manual_seed(3)
    module, _, _ = build_backbone("mobilenetv3_small_050")
    after = torch.rand(1)
    torch.manual_seed(3)
    expected = timm.create_model("mobilenetv3_small_050", num_classes=0).state_dict()
    assert torch.equal(after, torch.rand(1))
    assert all(torch.equal(module.state_dict()[name], expected[name]) for name in expected)


def test_a_backbone_that_cannot_see_this_size_says_so():
    with pytest.raises(
        AffectkitError, match=r"'efficientformer_l1' cannot see pictures of 96"
    ) as e:
        build_backbone("efficientformer_l1")
    assert "\n" not in str(e.value)


def test_unknown_pixels_list_the_known_ones():
    with pytest.raises(AffectkitError, match="unknown pixels 'papper': did you mean 'paper'"):
        build_backbone("vgg16", pixels="papper")


def test_unknown_backbones_list_the_papers_too():
    with pytest.raises(AffectkitError, match="did you mean 'vggface'"):
        build_backbone("vgg-face")
