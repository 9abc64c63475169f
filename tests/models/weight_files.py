"""Writers of weight files in their published formats, and the same networks computed by hand.

All files of one network contain the same small random weights of the true shapes, in the channel
order of each format. The classifiers, which a backbone ignores, have only a few units.
"""

import struct

import h5py
import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from safetensors.torch import save_file
from scipy.io import savemat

WIDTHS = {1: (64, 64), 2: (128, 128), 3: (256,) * 3, 4: (512,) * 3, 5: (512,) * 3}
TORCHVISION = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
LUA = (1, 3, 6, 8, 11, 13, 15, 18, 20, 22, 25, 27, 29, 33, 36, 39)
MEAN = np.array([93.5940, 104.7624, 129.1863], dtype=np.float32)  # blue, green, red


def vgg_names():
    return [f"conv{block}_{i + 1}" for block, widths in WIDTHS.items() for i in range(len(widths))]


def make_vgg(seed=0):
    """(kernel, bias) by Caffe's names; kernels (row, col, in, out) for BGR images."""
    random = np.random.default_rng(seed)
    weights, width_in = {}, 3
    for name, width in zip(vgg_names(), sum(WIDTHS.values(), ()), strict=True):
        std = np.float32(np.sqrt(2 / (9 * width_in)))
        kernel = random.standard_normal((3, 3, width_in, width), dtype=np.float32) * std
        weights[name] = kernel, random.standard_normal(width, dtype=np.float32)
        width_in = width
    for name, shape in {"fc6": (8, 4), "fc7": (4, 4), "fc8": (4, 2622)}.items():
        weights[name] = np.ones(shape, np.float32), np.zeros(shape[1], np.float32)
    return weights


def make_small():
    """Like `make_vgg`, with small shapes, for tests that ignore shapes."""
    names = [*vgg_names(), "fc6", "fc7", "fc8"]
    return {name: (np.ones((3, 3, 3, 2), np.float32), np.zeros(2, np.float32)) for name in names}


def vgg_by_hand(weights, image):
    """Pool5 of one image (row, col, BGR), in numpy, flattened from (channel, row, col)."""
    x = image - MEAN
    for name in vgg_names():
        kernel, bias = weights[name]
        patches = sliding_window_view(np.pad(x, ((1, 1), (1, 1), (0, 0))), (3, 3), (0, 1))
        x = np.maximum(np.tensordot(patches, kernel, ([3, 4, 2], [0, 1, 2])) + bias, 0)
        if name in ("conv1_2", "conv2_2", "conv3_3", "conv4_3", "conv5_3"):
            rows, cols = (side + side % 2 for side in x.shape[:2])  # SAME: pad odd sides by one
            x = np.pad(x, ((0, rows - x.shape[0]), (0, cols - x.shape[1]), (0, 0)))
            x = x.reshape(rows // 2, 2, cols // 2, 2, -1).max((1, 3))
    return x.transpose(2, 0, 1).ravel()


def to_rgb(weights):
    kernel, bias = weights["conv1_1"]
    return weights | {"conv1_1": (kernel[:, :, ::-1], bias)}


def as_torch(weights, rename=str):
    """A state dict: convolutions (out, in, row, col), matrices (out, in)."""
    tensors = {}
    for name, (kernel, bias) in weights.items():
        axes = (3, 2, 0, 1) if kernel.ndim == 4 else (1, 0)
        tensors[f"{rename(name)}.weight"] = torch.tensor(kernel.transpose(axes).copy())
        tensors[f"{rename(name)}.bias"] = torch.tensor(bias)
    return tensors


def write_dag(path, weights):
    """vgg_face_dag.pth: torch.save of 2018, RGB."""
    torch.save(as_torch(to_rgb(weights)), path, _use_new_zipfile_serialization=False)


def write_port(path, weights):
    """A port of the Torch7 file, saved from DataParallel: conv_1_1, BGR."""
    tensors = as_torch(weights, lambda name: name.replace("conv", "conv_"))
    torch.save({"state_dict": {f"module.{k}": v for k, v in tensors.items()}}, path)


def write_safetensors(path, weights):
    """torchvision's names, RGB."""
    numbers = dict(zip(vgg_names(), TORCHVISION, strict=True))
    convolutions = {name: w for name, w in to_rgb(weights).items() if name in numbers}
    save_file(as_torch(convolutions, lambda name: f"features.{numbers[name]}"), path)


def write_keras(path, layers, *, arrays=("{}_W_1:0", "{}_b_1:0"), whole_model=False):
    """Keras' HDF5: layers name -> arrays, kernels (row, col, in, out)."""
    with h5py.File(path, "w") as file:
        root = file.create_group("model_weights") if whole_model else file
        root.attrs["layer_names"] = [name.encode() for name in ["input_1", *layers, "pool5"]]
        for name in ("input_1", "pool5"):
            root.create_group(name).attrs["weight_names"] = np.zeros(0)
        for name, values in layers.items():
            names = [array.format(name) for array in arrays[: len(values)]]
            group = root.create_group(name)
            group.attrs["weight_names"] = [array.encode() for array in names]
            for array, value in zip(names, values, strict=True):
                group[array] = value


def cell(*values):
    out = np.empty((1, len(values)), dtype=object)
    for i, value in enumerate(values):
        out[0, i] = value
    return out


def write_matconvnet(path, weights, *, nested=True, mean=MEAN[::-1], keys=()):
    """vgg_face.mat: kernels (row, col, in, out) for RGB images, biases as columns."""
    layers = []
    for name, (kernel, bias) in to_rgb(weights).items():
        kernel = kernel[None, None] if kernel.ndim == 2 else kernel
        arrays = (kernel, bias[:, None])
        held = dict(zip(keys, arrays, strict=True)) if keys else {"weights": cell(*arrays)}
        layers += [{"name": name, "type": "conv", "pad": [1.0] * 4, **held}]
        layers += [{"name": name.replace("conv", "relu"), "type": "relu"}]
    picture = np.broadcast_to(mean.astype(np.float32), (4, 4, 3))
    net = {"layers": cell(*layers), "meta": {"normalization": {"averageImage": picture}}}
    savemat(path, {"net": net} if nested else net)


class Torch7Writer:
    """Lua Torch's binary serialisation, as torch.save writes a network."""

    def __init__(self, path):
        self.path, self.parts, self.count = path, [], 0

    def integer(self, *values):
        self.parts.append(struct.pack(f"<{len(values)}i", *values))

    def longs(self, *values):
        self.parts.append(struct.pack(f"<{len(values)}q", *values))

    def text(self, value):
        self.integer(len(value))
        self.parts.append(value.encode())

    def begin(self, kind):
        self.count += 1
        self.integer(kind, self.count)

    def torch_class(self, name):
        self.begin(4)
        self.text("V 1")
        self.text(name)

    def write(self, value):
        if value is None:
            self.integer(0)
        elif isinstance(value, bool):
            self.integer(5, int(value))
        elif isinstance(value, int | float):
            self.integer(1)
            self.parts.append(struct.pack("<d", value))
        elif isinstance(value, str):
            self.integer(2)
            self.text(value)
        elif isinstance(value, np.ndarray):
            self.tensor(value)
        else:
            self.table(value)

    def table(self, values):
        fields = dict(values)
        if "torch" in fields:
            self.torch_class(fields.pop("torch"))
        self.begin(3)
        self.integer(len(fields))
        for key, value in fields.items():
            self.write(key)
            self.write(value)

    def tensor(self, array, *, stride=None, stated_size=None):
        array = np.ascontiguousarray(array, dtype=np.float32)
        self.torch_class("torch.FloatTensor")
        self.integer(array.ndim)
        self.longs(*array.shape)
        self.longs(*(stride or [step // 4 for step in array.strides]), 1)
        self.torch_class("torch.FloatStorage")
        self.longs(array.size if stated_size is None else stated_size)
        self.parts.append(array.tobytes())

    def save(self):
        self.path.write_bytes(b"".join(self.parts))


def write_torch7(path, weights):
    """VGG_FACE.t7: nn.Sequential of SpatialConvolutionMM with kernels as rows, numbered from 1."""
    modules = {n: {"torch": "nn.ReLU", "inplace": True} for n in range(1, 41)}
    for number, (kernel, bias) in zip(LUA, weights.values(), strict=True):
        layer = {"weight": kernel.T, "bias": bias, "gradWeight": None, "_type": "torch.FloatTensor"}
        if kernel.ndim == 4:
            rows = kernel.transpose(3, 2, 0, 1).reshape(kernel.shape[3], -1)
            layer |= {"torch": "nn.SpatialConvolutionMM", "weight": rows, "kW": 3, "kH": 3}
        else:
            layer |= {"torch": "nn.Linear"}
        modules[number] = layer
    writer = Torch7Writer(path)
    writer.write({"torch": "nn.Sequential", "train": False, "modules": modules})
    writer.save()


RESNET_BLOCKS = {2: (3, 64), 3: (4, 128), 4: (6, 256), 5: (3, 512)}


def make_resnet(seed=0):
    """VGGFace2's ResNet-50 by Keras' names: arrays of each layer, for BGR images."""
    random = np.random.default_rng(seed)
    layers = {}

    def add(name, side, width_in, width):
        std = np.float32(np.sqrt(2 / (side * side * width_in)))
        shape = (side, side, width_in, width)
        layers[name] = [random.standard_normal(shape, dtype=np.float32) * std]
        gamma, variance = random.uniform(0.5, 1.0, (2, width)).astype(np.float32)
        beta, mean = random.normal(0, 0.1, (2, width)).astype(np.float32)
        layers[f"{name}/bn"] = [gamma, beta, mean, variance]

    add("conv1/7x7_s2", 7, 3, 64)
    width_in = 64
    for stage, (count, width) in RESNET_BLOCKS.items():
        for block in range(1, count + 1):
            name = f"conv{stage}_{block}"
            add(f"{name}_1x1_reduce", 1, width_in, width)
            add(f"{name}_3x3", 3, width, width)
            add(f"{name}_1x1_increase", 1, width, 4 * width)
            if block == 1:
                add(f"{name}_1x1_proj", 1, width_in, 4 * width)
            width_in = 4 * width
    layers["classifier"] = [np.ones((4, 8631), np.float32), np.zeros(8631, np.float32)]
    return layers


def resnet_by_hand(layers, image):
    """Pooled features of one image (row, col, BGR), following the published Caffe description."""
    functional = torch.nn.functional

    def convolve(x, name, stride=1):
        kernel = torch.tensor(layers[name][0].transpose(3, 2, 0, 1).copy())
        x = functional.conv2d(x, kernel, stride=stride, padding=kernel.shape[-1] // 2)
        gamma, beta, mean, variance = map(torch.tensor, layers[f"{name}/bn"])
        return functional.batch_norm(x, mean, variance, gamma, beta)

    x = torch.tensor(image - np.array([91.4953, 103.8827, 131.0912], np.float32))
    x = convolve(x.permute(2, 0, 1)[None], "conv1/7x7_s2", 2).relu()
    x = functional.max_pool2d(x, 3, 2, ceil_mode=True)
    for stage, (count, _) in RESNET_BLOCKS.items():
        for block in range(1, count + 1):
            name, stride = f"conv{stage}_{block}", 2 if stage > 2 and block == 1 else 1
            y = convolve(x, f"{name}_1x1_reduce", stride).relu()
            y = convolve(convolve(y, f"{name}_3x3").relu(), f"{name}_1x1_increase")
            x = (y + (convolve(x, f"{name}_1x1_proj", stride) if block == 1 else x)).relu()
    return x.mean((2, 3))[0].numpy()
