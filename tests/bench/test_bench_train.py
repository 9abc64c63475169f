import numpy as np
import torch

from affectkit.bench import train
from affectkit.models.backbones import IMAGENET, normalise
from affectkit.training.recipe import read_recipe


def test_both_ways_of_reading_give_the_same_pictures(tmp_path):
    (faces,) = train.draw_faces(tmp_path, (1, 0, 0), seconds=0.4)
    assert faces.shape == (10, 96, 96, 3)
    read = train.read_jpegs(train.write_jpegs(tmp_path / "jpeg", faces))
    stored = normalise(torch.from_numpy(faces), IMAGENET)
    assert read.shape == stored.shape
    assert (read - stored).abs().mean() < 0.05  # JPEG loses a little


def test_steps_and_reading_are_measured_beside_the_plain_ways(tmp_path):
    faces = [np.random.default_rng(n).integers(0, 256, (160, 96, 96, 3), np.uint8) for n in (0, 1)]
    sources = [train.store_faces(tmp_path, number, each) for number, each in enumerate(faces)]
    recipe = read_recipe("quick", ["model.backbone=test_resnet", "windows.length=20"])
    rows = [
        train.steps(sources, recipe, epochs=1, turns=1),
        train.reading(sources, faces, tmp_path, turns=1),
    ]
    assert [row["aim"] for row in rows] == ["at most 1.05", "at least 10"]
    assert all(0 < float(row["ratio"]) < 1000 for row in rows)
