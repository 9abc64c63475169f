"""TensorFlow checkpoints: a file of TensorFlow itself, and all sizes in files are checked."""

import base64
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from affectkit.errors import AffectkitError
from affectkit.models.backbones import build_backbone
from affectkit.models.pretrained import read_weights
from tests.models import tensorflow_files as files

# written by tf.compat.v1.train.Saver of TensorFlow 2.15 (zlib, base 85)
INDEX = """
c-muNVB=tvV&Y(A;O0(BElD(tFUT)XE#hDlV$fhQt>h3-XJO|xLI^6b0EIm*GR`pY3MS|0mBkzCCuJrUrxpVxS%jE4m=!
oQcub3<I}3SP1@#?M5_91aB0!0*r&FE?F$u;S!bKH;qKhup`mwXimZxT>XOw_U5&%ju0x=U5Gb`w57?@sP7J7$)O*AFHG$
|()D9!;>r4XYbVCo!lMVo<}H$5jmDKRI$xFofJgA?f991RXr#?pI^3@m~fi8*N;!eD!u6iR^pn5=K?%K!w7AVT+2(o#6*z
^8>97#Nu|89JHZVyh%CKJH`Un9an`KoErgZs=Aib-xV&>iR-z
"""
DATA = """
c-qs5@wfk9Q*Y0}&;Y~?4nX8^;f#;ng)?XD=FF6|XAo+(24WkB5@A~gFhHmSvVnL35FY^I2SCi=$iN@~#0o%c;0RHF!5%_
$I509mfd#_>0KwlDyZ
"""
DATA_NAME = "model.ckpt-3.data-00000-of-00001"


def unpack(text):
    return zlib.decompress(base64.b85decode("".join(text.split())))


@pytest.fixture
def checkpoint(tmp_path):
    (tmp_path / "model.ckpt-3.index").write_bytes(unpack(INDEX))
    (tmp_path / DATA_NAME).write_bytes(unpack(DATA))
    return tmp_path / "model.ckpt-3"


@pytest.mark.parametrize("ending", ["", ".index", ".data-00000-of-00001"])
def test_a_checkpoint_of_tensorflow_is_read_by_any_of_its_names(checkpoint, ending):
    tensors = read_weights(f"{checkpoint}{ending}").tensors
    kernel = torch.arange(12.0).reshape(1, 2, 2, 3)  # row, column, input, output
    expected = {
        "conv_1/weights": kernel.permute(3, 2, 0, 1),
        "conv_1/biases": torch.tensor([1.0, 2.0, 3.0]),
        "half": torch.tensor([0.5, -2.0]),
        "double": torch.tensor([[0.25], [3.0]]),
    }
    assert tensors.keys() == expected.keys()  # no global_step, no moments of Adam
    for name, tensor in expected.items():
        torch.testing.assert_close(tensors[name], tensor, rtol=0, atol=0)


def random_arrays(count=90):
    random = np.random.default_rng(0)
    shapes = [(3, 3, 2, 4), (5, 2), (7,)]
    return {
        f"scope_{n // 30}/layer_{n}/weights": random.standard_normal(shapes[n % 3]).astype("f4")
        for n in range(count)
    }


@pytest.mark.parametrize("count_of_files", [1, 3])
def test_many_variables_in_many_blocks_and_files(count_of_files, tmp_path):
    arrays = random_arrays()
    files.write_checkpoint(tmp_path / "many", arrays, files=count_of_files)
    tensors = read_weights(tmp_path / "many").tensors
    assert tensors.keys() == arrays.keys()
    for name, array in arrays.items():
        axes = (2, 3, 1, 0) if array.ndim == 4 else tuple(reversed(range(array.ndim)))
        np.testing.assert_array_equal(tensors[name].permute(axes).numpy(), array)


def read_error(path):
    with pytest.raises(AffectkitError) as error:
        read_weights(path)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_missing_data_file_is_named(checkpoint):
    (checkpoint.parent / DATA_NAME).unlink()
    message = read_error(checkpoint)
    assert f"needs its data file: {DATA_NAME} is missing" in message


def test_a_truncated_data_file_is_an_error_that_names_the_variable(checkpoint):
    (checkpoint.parent / DATA_NAME).write_bytes(unpack(DATA)[:50])
    assert "conv_1/weights: expected 48 bytes at byte 44 of 50" in read_error(checkpoint)
    (checkpoint.parent / DATA_NAME).write_bytes(b"")
    assert "of 0)" in read_error(checkpoint)


def test_a_changed_number_is_a_wrong_checksum(checkpoint):
    data = bytearray(unpack(DATA))
    data[50] ^= 1
    (checkpoint.parent / DATA_NAME).write_bytes(data)
    assert "conv_1/weights: wrong checksum" in read_error(checkpoint)


def test_a_checkpoint_of_format_v1_is_refused(tmp_path):
    (tmp_path / "vgg_16.ckpt").write_bytes(files.make_table({b"": b"", b"conv": b""}))
    assert "format V1; expected V2" in read_error(tmp_path / "vgg_16.ckpt")


def test_a_file_of_another_format_with_the_ending_of_an_index_is_refused(tmp_path):
    for content in (b"", b"text", b"\0" * 100):
        (tmp_path / "w.index").write_bytes(content)
        assert "looks like a TensorFlow file, but is damaged" in read_error(tmp_path / "w.index")


def test_big_endian_and_partitioned_checkpoints_are_refused(tmp_path):
    index = tmp_path / "a.index"
    index.write_bytes(files.make_table({b"": files.field(1, 1) + files.field(2, 1)}))
    assert "big-endian" in read_error(index)
    arrays = {"kernel": np.ones((4, 2), np.float32)}
    part = {"kernel": {"more": files.field(7, b"")}}
    files.write_checkpoint(tmp_path / "b", arrays, changes=part)
    assert "the variable kernel in several parts" in read_error(tmp_path / "b")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"size": 2**60}, "expected 1152921504606846976 bytes"),
        ({"offset": 2**62}, "expected 32 bytes at byte 4611686018427387904 of 32"),
        ({"offset": 2**64 - 8}, "expected 32 bytes"),
        ({"shape": (2**31, 2**31)}, "has 32 bytes"),
        ({"shape": (0, 2**60)}, "has 32 bytes"),
        ({"dtype": 2}, "has 32 bytes"),
    ],
)
def test_sizes_that_a_file_states_are_checked_before_they_are_used(change, reason, tmp_path):
    arrays = {"kernel": np.ones((4, 2), np.float32)}
    files.write_checkpoint(tmp_path / "w", arrays, changes={"kernel": change})
    assert reason in read_error(tmp_path / "w")


def test_a_name_of_several_lines_is_refused(tmp_path):
    files.write_checkpoint(tmp_path / "w", {"a\nb": np.ones(2, np.float32)})
    assert "'a\\nb' is no name of a variable" in read_error(tmp_path / "w")


def test_variables_that_share_bytes_are_refused(tmp_path):
    arrays = {name: np.ones((4, 2), np.float32) for name in "abc"}
    changes = {name: {"offset": 0} for name in arrays}
    files.write_checkpoint(tmp_path / "a", arrays, changes=changes)
    (tmp_path / "a.data-00000-of-00001").write_bytes(arrays["a"].tobytes() * 2)
    assert "c has bytes of another variable" in read_error(tmp_path / "a")


def test_a_data_file_of_a_high_number_is_refused(tmp_path):
    entry = files.make_entry(np.ones(2, np.float32), file=5, offset=0)
    (tmp_path / "w.index").write_bytes(files.make_table({b"": files.field(1, 1), b"x": entry}))
    assert "data file 5 of 1" in read_error(tmp_path / "w")


def rewrite(folder, index, data):
    (folder / "w.index").write_bytes(index)
    (folder / "w.data-00000-of-00001").write_bytes(data)
    message = ""
    try:
        read_weights(folder / "w")
    except AffectkitError as error:
        message = str(error)
    assert "\n" not in message
    return message


@given(st.data())
@settings(max_examples=60)
def test_damaged_bytes_are_an_error_of_one_line(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp()
    contents = [bytearray(unpack(INDEX)), bytearray(unpack(DATA))]
    damaged = contents[data.draw(st.integers(0, 1))]
    for _ in range(data.draw(st.integers(1, 3))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del damaged[data.draw(st.integers(0, len(damaged))) :]
    rewrite(folder, *contents)


def test_the_index_is_damaged_behind_correct_checksums(tmp_path):
    """Each byte of the messages and of the keys is changed, with checksums of the changed bytes."""
    arrays = {"layer/weights": np.ones((2, 3), np.float32), "layer/biases": np.ones(3, np.float32)}
    files.write_checkpoint(tmp_path / "w", arrays)
    data = (tmp_path / "w.data-00000-of-00001").read_bytes()
    items = {b"": files.field(1, 1)}
    items |= {
        name.encode(): files.make_entry(array, file=0, offset=12 * number)
        for number, (name, array) in enumerate(sorted(arrays.items()))
    }
    block, good = files.make_block(sorted(items.items())), 0
    for position in range(len(block)):
        for value in (0, 1, 127, 128, 255):
            changed = bytearray(block)
            changed[position] = value
            good += not rewrite(tmp_path, table_of(bytes(changed)), data)
    assert good < 2 * len(block)


def table_of(block):
    """A table of one block, whatever its content is."""
    body = block + b"\0" + files.masked_checksum(block + b"\0")
    handles = files.make_block([(b"~", files.varint(0) + files.varint(len(block)))])
    at = files.varint(len(body)) + files.varint(len(handles))
    body += handles + b"\0" + files.masked_checksum(handles + b"\0")
    return body + (b"\0\0" + at).ljust(40, b"\0") + bytes.fromhex("57fb808b247547db")


def test_the_cnn_of_a_checkpoint_starts_a_backbone(tmp_path):
    """VGG-Face by the names of AffWildNet; its other layers are ignored."""
    torch.manual_seed(0)
    state = build_backbone("vggface")[0].state_dict()
    arrays, number = {"linear_1/weights": np.ones((4, 2), np.float32)}, 0
    for name, tensor in state.items():
        number += name.endswith("weight")
        kernel = tensor.ndim == 4
        values = (tensor.permute(2, 3, 1, 0) if kernel else tensor).numpy()
        arrays[f"conv_{number}/{'weights' if kernel else 'biases'}"] = values
    files.write_checkpoint(tmp_path / "model.ckpt-0", arrays)
    module, _, _ = build_backbone("vggface", weights=tmp_path / "model.ckpt-0.index")
    for name, tensor in module.state_dict().items():
        torch.testing.assert_close(tensor, state[name], rtol=0, atol=0)


@pytest.mark.parametrize("path", ["", "/", ".."])
def test_a_path_without_a_name_is_no_checkpoint(path):
    assert "is a folder without weights" in read_error(path)


def test_another_file_beside_an_index_is_read_itself(checkpoint):
    torch.save({"layer": torch.ones(2)}, checkpoint)  # model.ckpt-3 beside model.ckpt-3.index
    assert list(read_weights(Path(checkpoint)).tensors) == ["layer"]
