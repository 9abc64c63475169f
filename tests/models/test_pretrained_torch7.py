"""Torch7 files: all sizes and strides in them are checked against their bytes."""

import numpy as np
import pytest
import torch

from affectkit.errors import AffectkitError
from affectkit.models.pretrained import read_weights
from tests.models import weight_files as files


def load_error(tmp_path, write):
    writer = files.Torch7Writer(tmp_path / "w.t7")
    write(writer)
    writer.save()
    with pytest.raises(
        AffectkitError, match=r"w\.t7 looks like a Torch7 file, but is damaged"
    ) as e:
        read_weights(tmp_path / "w.t7")
    return str(e.value)


def begin_net(writer):
    writer.begin(3)
    writer.integer(1)
    writer.write("modules")


@pytest.mark.parametrize("stride", [(1000, 1), (5, 1), (-1, 1)])
def test_a_tensor_that_exceeds_its_storage_is_refused(stride, tmp_path):
    def write(writer):
        begin_net(writer)
        writer.tensor(np.zeros((4, 4)), stride=stride)

    assert "exceeds its storage of 16 numbers" in load_error(tmp_path, write)


def test_a_storage_larger_than_the_file_is_refused(tmp_path):
    def write(writer):
        begin_net(writer)
        writer.tensor(np.zeros(4), stated_size=2**40)

    assert "remain" in load_error(tmp_path, write)


def test_functions_and_endless_nesting_are_refused(tmp_path):
    assert "a function" in load_error(tmp_path, lambda w: (begin_net(w), w.integer(8, 9, 4)))
    assert "recursion" in load_error(tmp_path, lambda w: [w.integer(3, i, 1) for i in range(5000)])


def test_a_repeated_object_is_read_as_a_reference_to_the_first(tmp_path):
    writer = files.Torch7Writer(tmp_path / "w.t7")
    writer.torch_class("nn.Sequential")
    writer.begin(3)
    writer.integer(2)
    writer.write("modules")
    writer.write({1: {"torch": "nn.Linear", "weight": np.eye(2)}})
    writer.write("again")
    writer.integer(3, 3)  # the table of modules
    writer.save()
    tensors = read_weights(tmp_path / "w.t7").tensors
    assert torch.equal(tensors["1.weight"], torch.eye(2))
