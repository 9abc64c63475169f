"""EmoNet: its names and shapes, and its layers against the definition of the paper."""

import pytest
import torch
from torch.nn import functional

from affectkit.errors import AffectkitError
from affectkit.models.backbones import build_backbone
from affectkit.models.normalisation import normalise


def residual(name, low, high):
    """Names and shapes of a residual block."""
    widths = (low, high // 2, high // 4, high // 4)
    shapes = {}
    for number in (1, 2, 3):
        shapes |= norm(f"{name}.bn{number}", widths[number - 1])
        shapes[f"{name}.conv{number}.weight"] = (widths[number], widths[number - 1], 3, 3)
    if low != high:
        shapes |= norm(f"{name}.downsample.0", low)
        shapes[f"{name}.downsample.2.weight"] = (high, low, 1, 1)
    return shapes


def norm(name, width):
    keys = ("weight", "bias", "running_mean", "running_var")
    return {f"{name}.{key}": (width,) for key in keys} | {f"{name}.num_batches_tracked": ()}


def layer(name, low, high, *kernel):
    return {f"{name}.weight": (high, low, *kernel), f"{name}.bias": (high,)}


def emonet_shapes(expressions):
    """The published weight file of Toisoul et al. 2021, without its prefix `module.`."""
    shapes = layer("conv1", 3, 64, 7, 7) | norm("bn1", 64)
    shapes |= residual("conv2", 64, 128) | residual("conv3", 128, 128) | residual("conv4", 128, 256)
    for hourglass in "01":
        for block in (
            *("b1_1", "b1_2", "b1_3", "b1_4", "b2_1", "b2_2", "b2_3", "b2_4"),
            *("b2_plus_1", "b3_1", "b3_2", "b3_3", "b3_4"),
        ):
            shapes |= residual(f"m{hourglass}.{block}", 256, 256)
        shapes |= residual(f"top_m_{hourglass}", 256, 256) | norm(f"bn_end{hourglass}", 256)
        shapes |= layer(f"conv_last{hourglass}", 256, 256, 1, 1)
        shapes |= layer(f"l{hourglass}", 256, 68, 1, 1)
    shapes |= layer("bl0", 256, 256, 1, 1) | layer("al0", 68, 256, 1, 1)
    shapes |= layer("conv1x1_input_emo_2", 768, 256, 1, 1)
    for number in (0, 2, 4, 6):
        shapes |= residual(f"emo_net_2.{number}", 256, 256)
    shapes |= layer("emo_fc_2.0", 256, 128) | norm("emo_fc_2.1", 128)
    return shapes | layer("emo_fc_2.3", 128, expressions + 2)


def random_state(shapes, seed=0):
    """Random tensors; variances are positive, and outputs neither vanish nor grow."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, shape in shapes.items():
        if not shape:
            state[name] = torch.tensor(1)
        elif len(shape) == 1:
            state[name] = torch.rand(shape, generator=generator) + 0.5
        else:
            scale = (2 / torch.Size(shape[1:]).numel()) ** 0.5
            state[name] = torch.randn(shape, generator=generator) * scale
    return state


class ByHand:
    """All outputs of EmoNet from the tensors of its file, by the definition of the paper."""

    def __init__(self, state):
        self.state = state

    def layer(self, x, name):
        return x @ self.state[f"{name}.weight"].T + self.state[f"{name}.bias"]

    def norm(self, x, name):
        shape = (1, -1) + (1,) * (x.ndim - 2)
        keys = ("weight", "bias", "running_mean", "running_var")
        scale, bias, mean, var = (self.state[f"{name}.{key}"].view(shape) for key in keys)
        return (x - mean) / (var + 1e-5).sqrt() * scale + bias

    def conv(self, x, name, **options):
        bias = self.state.get(f"{name}.bias")
        return functional.conv2d(x, self.state[f"{name}.weight"], bias, **options)

    def norm_conv(self, x, name, norm, conv, **options):
        return self.conv(self.norm(x, f"{name}.{norm}").clamp(min=0), f"{name}.{conv}", **options)

    def block(self, x, name):
        one = self.norm_conv(x, name, "bn1", "conv1", padding=1)
        two = self.norm_conv(one, name, "bn2", "conv2", padding=1)
        three = self.norm_conv(two, name, "bn3", "conv3", padding=1)
        if f"{name}.downsample.0.weight" in self.state:
            x = self.norm_conv(x, name, "downsample.0", "downsample.2")
        return torch.cat([one, two, three], 1) + x

    def pool(self, x):
        return x.unfold(2, 2, 2).unfold(3, 2, 2).amax((4, 5))

    def hourglass(self, x, name, level=4):
        low = self.block(self.pool(x), f"{name}.b2_{level}")
        if level == 1:
            low = self.block(low, f"{name}.b2_plus_1")
        else:
            low = self.hourglass(low, name, level - 1)
        low = self.block(low, f"{name}.b3_{level}").repeat_interleave(2, 2).repeat_interleave(2, 3)
        return self.block(x, f"{name}.b1_{level}") + low

    def landmarks(self, x, number):
        x = self.block(self.hourglass(x, f"m{number}"), f"top_m_{number}")
        x = self.norm(self.conv(x, f"conv_last{number}"), f"bn_end{number}").clamp(min=0)
        return x, self.conv(x, f"l{number}")

    def features(self, image):
        stem = self.norm(self.conv(image, "conv1", stride=2, padding=3), "bn1").clamp(min=0)
        stem = self.pool(self.block(stem, "conv2"))
        stem = self.block(self.block(stem, "conv3"), "conv4")
        maps, heat = self.landmarks(stem, 0)
        first = self.conv(maps, "bl0")
        second, heat = self.landmarks(stem + first + self.conv(heat, "al0"), 1)
        mask = heat.sum(1, keepdim=True)
        x = self.conv(torch.cat([stem, first * mask, second * mask], 1), "conv1x1_input_emo_2")
        for number in (0, 2, 4, 6):
            x = self.pool(self.block(x, f"emo_net_2.{number}"))
        x = self.layer(x.flatten(2).mean(2), "emo_fc_2.0")
        return self.norm(x, "emo_fc_2.1").clamp(min=0)

    def outputs(self, image):
        return self.layer(self.features(image), "emo_fc_2.3")


def write_emonet(path, expressions=8):
    """A file of the published form; returns its tensors, without the prefix."""
    state = random_state(emonet_shapes(expressions))
    torch.save({f"module.{name}": tensor for name, tensor in state.items()}, path)
    return state


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    path = tmp_path_factory.mktemp("emonet") / "emonet_8.pth"
    return path, write_emonet(path)


def test_the_backbone_has_the_layers_of_the_published_file_and_no_others():
    module, _, _ = build_backbone("emonet", size=64)
    found = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    expected = emonet_shapes(8)
    del expected["emo_fc_2.3.weight"], expected["emo_fc_2.3.bias"]
    assert found == expected


def test_the_features_equal_the_definition_of_the_paper(published):
    path, state = published
    module, width, normalisation = build_backbone("emonet", weights=path, size=64)
    image = torch.rand(2, 3, 128, 128, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        found, expected = module.eval()(image), ByHand(state).features(image)
    assert (width, normalisation.size) == (128, 256)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4 * float(expected.max()))


def test_pixels_are_from_0_to_1():
    _, _, normalisation = build_backbone("emonet", size=64)
    face = torch.tensor([0, 51, 255], dtype=torch.uint8).expand(1, 4, 4, 3)
    torch.testing.assert_close(
        normalise(face, normalisation)[0, :, 0, 0], torch.tensor([0, 0.2, 1])
    )


def test_a_size_that_the_hourglasses_cannot_halve_is_an_error_of_one_line():
    with pytest.raises(AffectkitError, match="'emonet' does not support an input size of 96"):
        build_backbone("emonet", size=96)
