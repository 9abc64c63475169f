"""HSEmotion as runs: valence and arousal are outputs 8 and 9 of the networks of its authors."""

import numpy as np
import pytest
import timm
import torch

import affectkit as ak
from affectkit.errors import AffectkitError
from affectkit.published import create_published_run
from affectkit.run import read_metadata
from affectkit.training.model import load_model
from tests.conftest import fake_recording
from tests.models.test_emonet_network import norm, random_state

# EfficientNet-B0: expansion, width, blocks and kernel of each stage
STAGES = ((1, 16, 1, 3), (6, 24, 2, 3), (6, 40, 2, 5), (6, 80, 3, 3), (6, 112, 3, 5),
          (6, 192, 4, 5), (6, 320, 1, 3))  # fmt: skip


def efficientnet_shapes(outputs=10, last="classifier"):
    """The state dict of enet_b0_8_va_mtl, from the table of EfficientNet-B0."""
    shapes = {"conv_stem.weight": (32, 3, 3, 3)} | norm("bn1", 32)
    low = 32
    for stage, (expansion, high, blocks, kernel) in enumerate(STAGES):
        for number in range(blocks):
            name, wide, squeezed = f"blocks.{stage}.{number}", low * expansion, low // 4
            if stage:
                shapes |= {f"{name}.conv_pw.weight": (wide, low, 1, 1)} | norm(f"{name}.bn1", wide)
            shapes[f"{name}.conv_dw.weight"] = (wide, 1, kernel, kernel)
            shapes |= norm(f"{name}.bn{2 if stage else 1}", wide)
            for key, size in (("reduce", (squeezed, wide)), ("expand", (wide, squeezed))):
                shapes[f"{name}.se.conv_{key}.weight"] = (*size, 1, 1)
                shapes[f"{name}.se.conv_{key}.bias"] = (size[0],)
            shapes[f"{name}.conv_pw{'l' if stage else ''}.weight"] = (high, wide, 1, 1)
            shapes |= norm(f"{name}.bn{3 if stage else 2}", high)
            low = high
    shapes |= {"conv_head.weight": (1280, 320, 1, 1)} | norm("bn2", 1280)
    return shapes | {f"{last}.weight": (outputs, 1280), f"{last}.bias": (outputs,)}


def outputs_of_run(name, path, folder):
    create_published_run(name, folder / "run", file=path)
    model = load_model(folder / "run")
    face = torch.randint(0, 256, (2, 224, 224, 3), dtype=torch.uint8)
    image = model.normalise(face)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    expected = ((face / 255 - mean) / std).permute(0, 3, 1, 2)
    torch.testing.assert_close(image, expected, rtol=1e-4, atol=1e-4)
    with torch.no_grad():
        return model(image[None], torch.zeros(1, 2, 68, 2))[0][0], image


@pytest.mark.parametrize("last", ["classifier", "classifier.0"])
def test_efficientnet_gives_outputs_8_and_9(last, tmp_path):
    state = random_state(efficientnet_shapes(last=last))
    torch.save(state, tmp_path / "enet.pth")
    found, image = outputs_of_run("hsemotion-b0-va", tmp_path / "enet.pth", tmp_path)
    net = timm.create_model("tf_efficientnet_b0", num_classes=10).eval()
    net.load_state_dict({name.replace("classifier.0", "classifier"): state[name] for name in state})
    with torch.no_grad():
        expected = net(image)[:, 8:]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    assert found.std() > 0


def test_the_run_predicts_a_recording(tmp_path):
    torch.save(random_state(efficientnet_shapes()), tmp_path / "enet.pth")
    create_published_run("hsemotion-b0-va", tmp_path / "run", file=tmp_path / "enet.pth")
    recording = fake_recording("one", 3)
    recording.attrs["crop"] = read_metadata(tmp_path / "run")["crop"]
    ak.save_recording(recording, tmp_path / "one.zarr")
    prediction = ak.predict(tmp_path / "run", tmp_path / "one.zarr")["prediction"]
    assert prediction.shape == (3, 2)
    assert np.isfinite(prediction).all()


def test_mobilevit_gives_outputs_8_and_9(tmp_path):
    torch.manual_seed(0)
    net = timm.create_model("mobilevitv2_150", num_classes=10).eval()
    torch.save(net.state_dict(), tmp_path / "mobilevit.pth")
    found, image = outputs_of_run("hsemotion-mobilevit-va", tmp_path / "mobilevit.pth", tmp_path)
    with torch.no_grad():
        torch.testing.assert_close(found, net(image)[:, 8:], rtol=1e-4, atol=1e-5)


def test_mobilevit_has_as_many_weights_as_the_published_onnx_file():
    net = timm.create_model("mobilevitv2_150", num_classes=10)
    merged = sum(  # in an ONNX file, the factors of batch norms are merged into convolutions
        layer.weight.numel() for layer in net.modules() if isinstance(layer, torch.nn.BatchNorm2d)
    )
    assert sum(each.numel() for each in net.parameters()) - merged == 9_821_779


def test_a_file_without_valence_and_arousal_is_refused(tmp_path):
    torch.save(random_state(efficientnet_shapes(outputs=8)), tmp_path / "enet_b0_8_best_vgaf.pth")
    with pytest.raises(AffectkitError, match=r"expected 10 outputs \(8 expressions.*got 8"):
        create_published_run(
            "hsemotion-b0-va", tmp_path / "run", file=tmp_path / "enet_b0_8_best_vgaf.pth"
        )


def test_the_other_network_is_refused_with_what_is_missing_and_left_over(tmp_path):
    torch.save(random_state(efficientnet_shapes()), tmp_path / "enet.pth")
    with pytest.raises(AffectkitError) as error:
        create_published_run("hsemotion-mobilevit-va", tmp_path / "run", file=tmp_path / "enet.pth")
    message = str(error.value)
    assert "\n" not in message
    assert "missing: cnn.stem.conv.weight" in message
    assert "unknown: cnn.conv_stem.weight" in message


def test_the_published_pickle_is_refused_with_the_line_that_converts_it(tmp_path):
    torch.save(timm.create_model("tf_efficientnet_b0", num_classes=10), tmp_path / "enet.pt")
    with pytest.raises(AffectkitError) as error:
        create_published_run("hsemotion-b0-va", tmp_path / "run", file=tmp_path / "enet.pt")
    message = str(error.value)
    assert "\n" not in message
    assert "timm.models.efficientnet.EfficientNet" in message
    assert "torch.save(torch.load('FILE', weights_only=False).state_dict(), 'OUT.pth')" in message
    assert "EmotiEffLib: 0.9" in message
