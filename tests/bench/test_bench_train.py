import re

import numpy as np
import pytest
import torch

from affectkit.bench import train
from affectkit.models.normalisation import IMAGENET, normalise
from affectkit.training.checkpoint import TrainingState
from affectkit.training.learner import build_learner
from affectkit.training.recipe import read_recipe
from affectkit.training.sampling import plan_epoch
from affectkit.training.windows import read_batches


def test_both_ways_of_reading_give_the_same_images(tmp_path):
    (faces,) = train.synthetic_faces(tmp_path, (1, 0, 0), seconds=0.4)
    assert faces.shape == (10, 96, 96, 3)
    read = train.read_jpegs(train.write_jpegs(tmp_path / "jpeg", faces))
    stored = normalise(torch.from_numpy(faces), IMAGENET)
    assert read.shape == stored.shape
    assert (read - stored).abs().mean() < 0.05  # JPEG is lossy


@pytest.fixture
def faces():
    return [np.random.default_rng(n).integers(0, 256, (160, 96, 96, 3), np.uint8) for n in (0, 1)]


@pytest.fixture
def sources(faces, tmp_path):
    return [train.store_faces(tmp_path, number, each) for number, each in enumerate(faces)]


def test_steps_from_disk_and_from_memory_give_the_same_weights(sources):
    recipe = read_recipe("quick", model={"backbone": "test_resnet"}, windows={"length": 20})
    planned = plan_epoch(sources, recipe.windows, (recipe.seed, 0))
    assert len(planned) > 3
    stored, memory = build_learner(recipe, 100), build_learner(recipe, 100)
    train.train_epoch(stored, recipe, sources, TrainingState())
    train.train_on_tensors(memory, recipe, list(read_batches(sources, planned, 20)))
    for name, weight in stored.model.state_dict().items():
        assert torch.equal(weight, memory.model.state_dict()[name]), name


def test_the_number_of_threads_is_restored():
    before = torch.get_num_threads()
    with train.one_thread():
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


def test_steps_and_reading_are_compared_with_their_baselines(sources, faces, tmp_path):
    recipe = read_recipe("quick", model={"backbone": "test_resnet"}, windows={"length": 20})
    rows = [
        train.measure_steps(sources, recipe, turns=1),
        train.measure_reading(sources, faces, tmp_path, turns=1),
    ]
    assert [row["target"] for row in rows] == ["at most 1.05", "at least 10"]
    for row, unit in zip(rows, ("ms", "frames/s"), strict=True):
        values = [
            float(re.search(rf"([\d.]+) {unit}", row[key])[1])
            for key in ("measurement", "baseline")
        ]
        assert float(row["ratio"]) == pytest.approx(values[0] / values[1], rel=0.1)
