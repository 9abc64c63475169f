import pytest
import torch
from torch import nn

from affectkit.errors import AffectkitError
from affectkit.training.fit import fit
from affectkit.training.memory import enable_gradient_checkpointing
from tests.training.steps import assert_same, noise_batch, one_step


@pytest.mark.parametrize("backbone", ["test_resnet", "mobilenetv3_small_050", "test_vit"])
def test_gradient_checkpointing_keeps_loss_gradients_and_statistics(backbone, recipe):
    size = 160 if backbone == "test_vit" else 32
    settings = {"model__backbone": backbone, "model__dropout": 0.3, "windows__input_size": size}
    plain = one_step(recipe(**settings), noise_batch())
    saved = one_step(recipe(**settings, training__gradient_checkpointing=True), noise_batch())
    assert saved[0] == plain[0]
    assert_same(saved[1], plain[1], 1e-7)
    assert_same(saved[2], plain[2], 0)  # each batch counts once in batch norm statistics


@pytest.mark.parametrize("before", [0, 1])
def test_a_long_sequence_of_layers_is_recomputed_in_groups(before):
    torch.manual_seed(0)
    layers = nn.Sequential(*(nn.AvgPool2d(3, 1, 1) for _ in range(before)))  # moves the groups
    for _ in range(5):
        layers.extend([nn.Conv2d(3, 3, 3, padding=1), nn.ReLU(inplace=True)])
    model, image = nn.Sequential(layers, nn.Flatten()), torch.randn(2, 3, 8, 8)
    model(image).square().sum().backward()
    plain = [weight.grad.clone() for weight in model.parameters()]
    model.zero_grad()
    saved = []
    enable_gradient_checkpointing(model)
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t) or t, lambda t: t):
        model(image)
    assert len(saved) < 6
    model(image).square().sum().backward()
    assert all(map(torch.equal, plain, [weight.grad for weight in model.parameters()]))


def test_out_of_memory_is_one_line_that_names_the_settings_to_lower(recordings, recipe, tmp_path):
    huge = recipe(model__temporal="gru")
    wide = huge.model.model_copy(update={"hidden": 10**7})  # out of bounds
    huge = huge.model_copy(update={"model": wide})
    with pytest.raises(AffectkitError, match=r"out of memory .* lower windows\.batch"):
        fit(huge, recordings, tmp_path / "run")
