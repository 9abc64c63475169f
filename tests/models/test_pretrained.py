import pickle
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from affectkit.errors import AffectkitError
from affectkit.models.backbones import build_backbone
from affectkit.models.normalisation import normalise
from affectkit.models.pretrained import read_weights
from affectkit.weights import PUBLISHED, Url
from tests.models import weight_files as files

SIDE = 40  # 40, 20, 10, 5, 3, 2: the last two poolings keep an odd last row
TINY = "test_resnet"


def write_older_matconvnet(path, weights):
    files.write_matconvnet(path, weights, nested=False, keys=("filters", "biases"))


def write_newer_keras(path, weights):
    names = ("{0}/kernel:0", "{0}/bias:0")
    files.write_keras(path, weights, arrays=names, whole_model=True)


WRITERS = {
    "vgg_face_dag.pth": files.write_dag,
    "ported.pth": files.write_port,
    "torchvision.safetensors": files.write_safetensors,
    "rcmalli_vggface_tf_vgg16.h5": files.write_keras,
    "model.h5": write_newer_keras,
    "vgg_face.mat": files.write_matconvnet,
    "older.mat": write_older_matconvnet,
    "VGG_FACE.t7": files.write_torch7,
}


@pytest.fixture(scope="module")
def vgg():
    return files.make_vgg()


@pytest.fixture(scope="module")
def face():
    return np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def pool5(vgg, face):
    return files.vgg_by_hand(vgg, face[..., ::-1].astype(np.float32))


def features(name, path, face):
    module, width, normalisation = build_backbone(name, weights=str(path), size=SIDE)
    with torch.no_grad():
        out = module.eval()(normalise(torch.tensor(face)[None], normalisation))[0]
    assert out.shape == (width,)
    return out.numpy()


@pytest.mark.parametrize("name", WRITERS)
def test_all_vgg_face_files_give_the_features_computed_by_hand(name, vgg, face, pool5, tmp_path):
    WRITERS[name](tmp_path / name, vgg)
    found = features("vggface", tmp_path / name, face)
    np.testing.assert_allclose(found, pool5, rtol=1e-3, atol=1e-3 * pool5.max())


def test_the_mean_image_shows_the_channel_order_of_a_matlab_file(tmp_path):
    files.write_matconvnet(tmp_path / "rgb.mat", files.make_small())
    files.write_matconvnet(tmp_path / "bgr.mat", files.make_small(), mean=files.MEAN)
    assert read_weights(tmp_path / "rgb.mat").channel_order == "RGB"
    assert read_weights(tmp_path / "bgr.mat").channel_order == "BGR"


@pytest.fixture(scope="module")
def resnet():
    return files.make_resnet()


def caffe_tensors(resnet):
    """Oxford's own .pth of VGGFace2."""
    parts = ("weight", "bias", "running_mean", "running_var")
    tensors = {}
    for layer, arrays in resnet.items():
        for part, array in zip(parts, arrays, strict=False):
            axes = (3, 2, 0, 1) if array.ndim == 4 else tuple(reversed(range(array.ndim)))
            tensor = torch.tensor(array.transpose(axes).copy())
            tensors[f"{layer.replace('/', '_')}.{part}"] = tensor
    return tensors


@pytest.mark.parametrize(
    "name", ["rcmalli_vggface_tf_resnet50.h5", "resnet50_ft.pth", "ft_dag.pth"]
)
def test_all_published_vggface2_files_give_the_features_computed_by_hand(
    name, resnet, face, tmp_path
):
    tensors = caffe_tensors(resnet)
    if name.endswith("_dag.pth"):  # converted through MatConvNet
        tensors["conv1_7x7_s2.weight"] = tensors["conv1_7x7_s2.weight"].flip(1)
    if name.endswith(".h5"):
        norm = ("{0}/gamma:0", "{0}/beta:0", "{0}/moving_mean:0", "{0}/moving_variance:0")
        files.write_keras(tmp_path / name, resnet, arrays=norm)
    else:
        torch.save(tensors, tmp_path / name)
    found = features("vggface2", tmp_path / name, face)
    expected = files.resnet_by_hand(resnet, face[..., ::-1].astype(np.float32))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3 * expected.max())


def test_a_network_with_squeeze_and_excitation_is_refused(tmp_path):
    torch.save({"conv2_1_1x1_down.weight": torch.zeros(16, 256, 1, 1)}, tmp_path / "senet50.pth")
    assert "unknown: layer1.0.1x1_down.weight" in load_error("vggface2", tmp_path / "senet50.pth")


# state dicts of timm models, as published by HSEmotion and others


def tiny_state():
    torch.manual_seed(1)
    return build_backbone(TINY)[0].state_dict()


@pytest.mark.parametrize("wrap", [None, "state_dict", "model"])
def test_wrapper_prefix_and_classifier_are_removed(wrap, tmp_path, caplog):
    state = tiny_state()
    content = {f"module.{k}": v for k, v in state.items()} | {"module.fc.weight": torch.ones(8, 4)}
    torch.save({wrap: content, "epoch": 3} if wrap else content, tmp_path / "w.pt")
    with caplog.at_level("INFO"):
        module, _, _ = build_backbone(TINY, weights=str(tmp_path / "w.pt"))
    assert all(torch.equal(module.state_dict()[k], state[k]) for k in state)
    assert "ignored: fc.weight" in caplog.text


def test_position_embeddings_of_a_transformer_are_resized(tmp_path):
    torch.manual_seed(0)
    source, _, _ = build_backbone("test_vit", size=160)
    torch.save(source.state_dict(), tmp_path / "vit.pth")
    module, width, _ = build_backbone("test_vit", weights=str(tmp_path / "vit.pth"), size=96)
    assert module.pos_embed.shape == (1, 1 + 6 * 6, width)
    weight = "blocks.0.mlp.fc1.weight"
    assert torch.equal(module.state_dict()[weight], source.state_dict()[weight])


def load_error(backbone, path):
    with pytest.raises(AffectkitError) as error:
        build_backbone(backbone, weights=str(path))
    assert "\n" not in str(error.value)
    assert path.name in str(error.value)
    return str(error.value)


def test_the_error_lists_missing_unknown_and_wrongly_shaped_weights(tmp_path):
    state = tiny_state()
    del state["conv1.0.weight"]
    state["layer1.0.odd.weight"] = torch.zeros(3)
    state["bn1.bias"] = torch.zeros(7)
    save_file(state, tmp_path / "w.safetensors")
    message = load_error(TINY, tmp_path / "w.safetensors")
    assert "missing: conv1.0.weight;" in message
    assert "unknown: layer1.0.odd.weight;" in message
    assert "wrong shape: bn1.bias is (7,), expected (" in message


@pytest.mark.parametrize("shape", [(), (3,), (1, 2, 3, 4, 5), (0, 3, 3, 3)])
def test_a_keras_kernel_of_any_shape_is_an_error_of_one_line(shape, tmp_path):
    kernels = {"conv1_1": (np.ones(shape, np.float32), np.zeros(64, np.float32))}
    files.write_keras(tmp_path / "w.h5", kernels)
    assert "wrong shape: features.0.weight is (" in load_error("vggface", tmp_path / "w.h5")


def test_weights_that_are_not_finite_or_no_floats_are_refused(tmp_path):
    state = tiny_state()
    changed = state | {"conv1.0.weight": state["conv1.0.weight"].long()}
    changed["bn1.bias"] = torch.full_like(state["bn1.bias"], torch.nan)
    save_file(changed, tmp_path / "w.safetensors")
    message = load_error(TINY, tmp_path / "w.safetensors")
    assert "wrong dtype: conv1.0.weight is torch.int64, expected torch.float32" in message
    assert "values that are not finite: bn1.bias" in message


def test_the_error_lists_at_most_three_names(tmp_path):
    files.write_dag(tmp_path / "vgg_face_dag.pth", files.make_small())
    message = load_error("resnet18", tmp_path / "vgg_face_dag.pth")
    assert "missing: conv1.weight, bn1.weight, bn1.bias and 97 more" in message
    assert "VGG-Face weights need backbone 'vggface'" in message


@pytest.mark.parametrize(
    ("backbone", "key", "classes", "expected"),
    [
        ("vggface", "classifier.6.weight", 1000, "trained on ImageNet .* 'vgg16' or 'resnet50'"),
        ("resnet50", "fc.weight", 8631, "trained on VGGFace2 .* got those of 'vggface2'"),
        ("vggface2", "fc.weight", 1000, "trained on ImageNet"),
    ],
)
def test_the_number_of_classes_tells_equal_networks_apart(
    backbone, key, classes, expected, tmp_path
):
    torch.save({key: torch.zeros(classes, 4)}, tmp_path / "w.pth")
    with pytest.raises(AffectkitError, match=expected):
        build_backbone(backbone, weights=str(tmp_path / "w.pth"))


def test_the_number_of_classes_is_ignored_for_other_backbones(tmp_path):
    state = tiny_state()
    torch.save(state | {"fc.weight": torch.zeros(1000, 4)}, tmp_path / "w.pth")
    loaded = build_backbone(TINY, weights=str(tmp_path / "w.pth"))[0].state_dict()
    assert all(torch.equal(loaded[name], state[name]) for name in state)


def test_emonet_weights_in_another_backbone_are_refused_with_the_right_one(tmp_path):
    torch.save({"module.emo_net_2.0.conv1.weight": torch.zeros(2)}, tmp_path / "emonet_8.pth")
    assert "EmoNet weights need backbone 'emonet'" in load_error(
        "resnet50", tmp_path / "emonet_8.pth"
    )


def test_a_folder_without_weights_is_refused(tmp_path):
    assert "is a folder without weights" in load_error(TINY, tmp_path)


# files must not run code


class Payload:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def plain_pickle(content, path):
    path.write_bytes(pickle.dumps(content, protocol=2))


def text_pickle(content, path):
    path.write_bytes(pickle.dumps(content, protocol=0))


def legacy(content, path):
    torch.save(content, path, _use_new_zipfile_serialization=False)


@pytest.mark.parametrize("name", ["w.pt", "w.pkl", "w.h5"])
@pytest.mark.parametrize("save", [torch.save, legacy, plain_pickle, text_pickle])
def test_pickles_are_never_run(save, name, tmp_path):
    trace = tmp_path / "trace"
    save({"fc.weight": Payload(trace)}, tmp_path / name)
    load_error("vggface2", tmp_path / name)
    assert not trace.exists()


def test_the_error_for_a_pickled_module_says_why_and_what_to_do(tmp_path):
    torch.save(torch.nn.Linear(2, 2), tmp_path / "enet_b0_8_best_vgaf.pt")
    message = load_error(TINY, tmp_path / "enet_b0_8_best_vgaf.pt")
    assert "torch.nn.modules.linear.Linear" in message
    assert "safetensors.torch.save_file" in message


def test_cydonia999_s_pickle_of_arrays_is_refused(tmp_path):
    plain_pickle({"conv1.weight": np.zeros((64, 3, 7, 7))}, tmp_path / "resnet50_ft_weight.pkl")
    assert "numpy" in load_error("vggface2", tmp_path / "resnet50_ft_weight.pkl")


@pytest.mark.parametrize("name", WRITERS)
def test_a_truncated_file_is_reported(name, tmp_path):
    WRITERS[name](tmp_path / name, files.make_small())
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: len(content) // 2])
    assert "damaged or truncated" in load_error("vggface", tmp_path / name)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is not a weight file; expected one of Keras, MatConvNet, PyTorch"),
        (b"hello", "is not a weight file"),
        (b"MATLAB 7.3 MAT-file", "save it in Matlab with the option '-v7'"),
        (b"\x1f\x8b\x08", "is an archive"),
    ],
)
def test_other_files_are_refused_with_advice(content, expected, tmp_path):
    (tmp_path / "w.bin").write_bytes(content)
    assert expected in load_error("vggface", tmp_path / "w.bin")


def test_files_without_a_network_are_refused(tmp_path):
    with files.h5py.File(tmp_path / "w.h5", "w") as file:
        file["table"] = [1.0]
    files.savemat(tmp_path / "w.mat", {"x": 1.0})
    torch.save({"epoch": 3}, tmp_path / "w.pth")
    writer = files.Torch7Writer(tmp_path / "w.t7")
    writer.write({"x": 1.0})
    writer.save()
    for name, expected in {"h5": "Keras", "mat": "MatConvNet", "pth": "state dict"}.items():
        assert expected in load_error("vggface", tmp_path / f"w.{name}")
    assert "no Torch7 network" in load_error("vggface", tmp_path / "w.t7")


# downloads


def published_at(path):
    """The table's row of VGG-Face, with a local file instead of the URL."""
    return replace(PUBLISHED["vggface"], source=Url(path.as_uri()))


def test_published_weights_are_downloaded_once(vgg, tmp_path, monkeypatch):
    files.write_keras(tmp_path / "notop.h5", vgg)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setitem(PUBLISHED, "vggface", published_at(tmp_path / "notop.h5"))
    first, _, _ = build_backbone("vggface", pretrained=True)
    (tmp_path / "notop.h5").unlink()
    again, _, _ = build_backbone("vggface", pretrained=True)
    assert torch.equal(first.features[0].weight, again.features[0].weight)


def test_a_failed_download_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setitem(PUBLISHED, "vggface", published_at(tmp_path / "gone.h5"))
    with pytest.raises(AffectkitError, match=r"weights fetch vggface --file FILE"):
        build_backbone("vggface", pretrained=True)


def test_a_mat_file_with_changed_bytes_never_ends_the_process(tmp_path):
    path = tmp_path / "w.mat"
    files.write_matconvnet(path, files.make_small())
    content, end = path.read_bytes(), path.stat().st_size
    for position in range(128, min(end, 128 + 8 * 16), 16):  # tags of the first elements
        path.write_bytes(content[:position] + b"\x7f" + content[position + 1 :])
        with suppress(AffectkitError):
            read_weights(path)
