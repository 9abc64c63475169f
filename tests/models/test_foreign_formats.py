"""Files that hold a whole network instead of a state dict: each gives one line of advice."""

import zipfile

import pytest
import torch

from affectkit.errors import AffectkitError
from affectkit.models.pretrained import read_weights

# the start of an ONNX file: version 8 of the format; its producer, pytorch 2.0.0; the graph
ONNX = b"\x08\x08\x12\x07pytorch\x1a\x052.0.0\x3a\x04\x0a\x02\x0a\x00"


def error_of(path):
    with pytest.raises(AffectkitError) as error:
        read_weights(path)
    message = str(error.value)
    assert "\n" not in message
    assert path.name in message
    return message


@pytest.mark.parametrize("name", ["net.onnx", "net.pth", "net.bin"])
@pytest.mark.parametrize("content", [ONNX, b"\x08\x0a\x3a\x04\x0a\x02\x0a\x00"])
def test_an_onnx_network_is_named(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    message = error_of(tmp_path / name)
    assert "is an ONNX network" in message
    assert "expected the state dict that it was exported from" in message


@pytest.mark.parametrize(
    ("members", "kind", "advice"),
    [
        (
            ("data.pkl", "constants.pkl", "code/__torch__.py"),
            "TorchScript",
            "torch.save(torch.jit.load('FILE').state_dict(), 'OUT.pth')",
        ),
        (
            ("archive_format", "models/model.json"),
            "torch.export",
            "torch.save(torch.export.load('FILE').state_dict, 'OUT.pth')",
        ),
    ],
)
def test_a_program_is_named_with_the_line_that_converts_it(members, kind, advice, tmp_path):
    with zipfile.ZipFile(tmp_path / "net.pt", "w") as archive:
        for member in members:
            archive.writestr(f"net/{member}", b"")
    message = error_of(tmp_path / "net.pt")
    assert f"is a program of {kind}, not a state dict" in message
    assert advice in message


def test_a_pointer_of_git_lfs_is_named_whatever_its_suffix(tmp_path):
    (tmp_path / "net.pth").write_text("version https://git-lfs.github.com/spec/v1")
    assert "run 'git lfs pull'" in error_of(tmp_path / "net.pth")


def test_a_state_dict_whose_layers_have_such_names_is_read(tmp_path):
    state = {"constants.pkl": torch.ones(2), "archive_format": torch.zeros(1)}
    torch.save(state, tmp_path / "net.pth")
    assert read_weights(tmp_path / "net.pth").tensors.keys() == state.keys()
