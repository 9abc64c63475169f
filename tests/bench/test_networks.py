import json
import os

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr
from safetensors.torch import load_file
from typer.testing import CliRunner

from affectkit.bench import networks, networks_table
from affectkit.bench.networks import CNN, NETWORKS, STARTS, TRAILING_MEAN
from affectkit.bench.networks_training import NetworkTask, train_network, train_networks
from affectkit.bench.seed_intervals import NO_BASELINE
from affectkit.cli import main
from affectkit.errors import AffectkitError
from affectkit.evaluation import POOLED
from affectkit.run import HISTORY, SCORES, WEIGHTS, read_scores
from affectkit.training.model import build_model

TINY = networks.QUICK._replace(
    subjects=(2, 2, 2), seconds=3, epochs=(1, 1),
    recipe=("model.backbone=test_efficientnet", "windows.input_size=32", "windows.length=20",
            "windows.batch=2"),
    frame_windows=("windows.length=10", "windows.batch=4"), networks=tuple(NETWORKS),
)  # fmt: skip


def silent(*step):
    pass


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A complete comparison, too small for meaningful scores."""
    out = tmp_path_factory.mktemp("networks")
    steps = []
    comparison = networks.compare_networks(
        out, TINY, workers=1, progress=lambda *step: steps.append(step)
    )
    return out, comparison, steps


@pytest.fixture
def recipes(tmp_path):
    return {name: networks.network_recipe(name, 3, networks.QUICK, tmp_path) for name in NETWORKS}


def test_the_recipe_of_each_network_matches_its_name(recipes):
    for name, recipe in recipes.items():
        model, training = recipe.model, recipe.training
        temporal = "gru" if "GRU" in name else "lstm" if "LSTM" in name else "none"
        assert model.temporal == temporal, name
        assert model.landmarks == ("landmarks" in name), name
        assert training.loss == ("mse" if "MSE" in name else "ccc"), name
        assert training.frozen == (("cnn",) if "frozen" in name else ()), name
        assert recipe.seed == 3


def test_landmarks_go_into_the_first_fully_connected_layer(recipes):
    def first_layer(name):
        recipe = recipes[name]
        without_weights = recipe.model.model_copy(update={"weights": ""})
        return build_model(recipe.model_copy(update={"model": without_weights})).fc[0].in_features

    for name in ("joint CNN-GRU", "joint CNN-LSTM", CNN):
        assert first_layer(f"{name}, landmarks") - first_layer(name) == 68 * 2


@pytest.mark.parametrize("size", [networks.FULL, networks.QUICK, TINY])
def test_all_networks_are_trained_on_the_same_number_of_frames(size, tmp_path):
    recipes = [networks.network_recipe(name, 0, size, tmp_path) for name in NETWORKS]
    assert len({(r.windows.length * r.windows.batch, r.training.epochs) for r in recipes}) <= 2
    with_rnn = [r.windows for r in recipes if r.model.temporal != "none"]
    assert all(windows == with_rnn[0] for windows in with_rnn)
    assert len({r.training.epochs for r in recipes}) == 1


def test_networks_start_from_a_cnn_with_the_same_seed_loss_and_landmarks(tmp_path):
    for name, network in NETWORKS.items():
        recipe = networks.network_recipe(name, 1, TINY, tmp_path)
        start = networks.start_recipe(network.start, 1, TINY)
        assert recipe.model.weights == str(tmp_path / f"{network.start}-1")
        assert start.model.temporal == "none"
        assert (start.seed, start.training.loss) == (recipe.seed, recipe.training.loss)
        assert start.model.landmarks == recipe.model.landmarks


def test_a_frozen_cnn_does_not_change_and_a_joint_one_does(done):
    out, _, _ = done
    start = load_file(out / "starts" / "plain-0" / WEIGHTS)
    cnn = [name for name in start if name.startswith("cnn.")]
    frozen, joint = (
        load_file(networks.run_folder(out / "runs", name, 0) / WEIGHTS)
        for name in ("frozen CNN + GRU", "joint CNN-GRU")
    )
    assert all((frozen[name] == start[name]).all() for name in cnn)
    assert not all((joint[name] == start[name]).all() for name in cnn)
    assert not (frozen["fc.0.weight"] == start["fc.0.weight"]).all()


def test_the_table_has_a_row_for_each_network_and_the_trailing_mean(done):
    _, comparison, steps = done
    wide = networks_table.wide_table(comparison)
    assert list(wide.index) == [CNN, TRAILING_MEAN, *list(NETWORKS)[1:]]
    assert wide.loc[CNN, f"minus {CNN}"] == wide.loc[TRAILING_MEAN, "minus trailing mean"] == "–"
    assert all("[" in text for text in wide["CCC mean"])
    assert (comparison.subjects, comparison.frames) == (2, pytest.approx(90, abs=6))
    last = {step: (count, total) for step, count, total in steps}
    assert last == {
        "write synthetic videos": (6, 6),
        "prepare recordings": (6, 6),
        "train CNNs without RNN, epochs": (2 * len(STARTS),) * 2,
        "train networks from these CNNs, epochs": (2 * len(NETWORKS),) * 2,
    }


def test_values_are_the_means_of_the_scores_of_the_runs(done):
    out, comparison, _ = done
    for name in ("joint CNN-GRU", CNN):
        scores = pd.concat(read_scores(networks.run_folder(out / "runs", name, s)) for s in (0, 1))
        pooled = scores[(scores["recording"] == POOLED) & (scores["metric"] == "ccc")]
        rows = comparison.rows.query("network == @name and minus == '' and metric == 'ccc'")
        expected = pooled.groupby("affect")["value"].mean()
        for row in rows.to_dict("records"):
            assert row["value"] == pytest.approx(expected[row["affect"]], abs=1e-5)


def test_a_second_call_trains_nothing(done):
    out, comparison, _ = done
    files = [*out.rglob(HISTORY), *out.rglob(WEIGHTS), *out.rglob(SCORES)]
    before = [path.stat().st_mtime_ns for path in files]
    again = networks.compare_networks(out, TINY, workers=1, progress=silent)
    assert [path.stat().st_mtime_ns for path in files] == before
    pd.testing.assert_frame_equal(again.rows, comparison.rows)


def test_networks_trained_in_worker_processes_are_the_same(done, tmp_path, monkeypatch):
    out, _, _ = done
    # rounding depends on the number of threads
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    recipes = [networks.start_recipe(name, 0, TINY) for name in ("plain", "landmarks")]
    steps = []
    for workers in (1, 2):
        runs = tmp_path / str(workers)
        tasks = [NetworkTask(r, out / "recordings", runs / r.name, scored=False) for r in recipes]
        train_networks(tasks, workers=workers, progress=lambda *step: steps.append(step))
        assert steps[-1] == ("train", 2, 2)
    torch.set_num_threads(before)
    for recipe in recipes:
        one, two = (load_file(tmp_path / n / recipe.name / WEIGHTS) for n in ("1", "2"))
        assert one.keys() == two.keys()
        assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_missing_start_network_is_named_in_the_error(done, tmp_path):
    out, _, _ = done
    task = NetworkTask(
        networks.network_recipe(CNN, 0, TINY, tmp_path), out / "recordings", tmp_path / "a", True
    )
    with pytest.raises(AffectkitError, match="plain-0"):
        train_network(task)  # the CNN was not trained


def test_the_published_scores_are_those_of_the_paper():
    # IJCV 2019 as recalled: the main table and the table of CNNs and RNNs
    recalled = {
        CNN: ("VGG-Face CNN", 0.51, 0.33, "recalled, uncertain"),
        "joint CNN-LSTM, landmarks": ("VGG-Face-LSTM", 0.52, 0.38, "recalled, uncertain"),
        "joint CNN-GRU, landmarks": ("AffWildNet", 0.57, 0.43, "recalled"),
    }
    assert {name: tuple(row) for name, row in networks_table.PUBLISHED.items()} == recalled


def test_all_formats_explain_the_published_scores_and_the_limits_of_synthetic_data(done):
    _, comparison, _ = done
    for form in ("table", "latex"):
        text = " ".join(networks_table.FORMATS[form](comparison).split())
        assert "0.57 / 0.43 (?)" in text
        assert "other data, networks and scores" in text
        assert "(?) recalled and not checked" in text
        assert "knows nothing about real people" in text
        assert "2 seeds" in text
        assert "2 held-out synthetic subjects" in text
    rows = pd.DataFrame(json.loads(networks_table.FORMATS["json"](comparison)))
    published = rows[rows["aff_wild"].notnull()]
    assert set(published["network"]) == set(networks_table.PUBLISHED)
    assert (published["minus"] == NO_BASELINE).all()
    assert len(published) == 6
    assert "aff_wild_certainty" in networks_table.FORMATS["csv"](comparison).splitlines()[0]


def test_the_quick_caption_says_that_test_scores_were_seen_before(done):
    _, comparison, _ = done
    assert "no independent evidence" not in networks_table.caption(comparison)
    quick = comparison._replace(size=networks.QUICK)
    assert "no independent evidence" in networks_table.caption(quick)


def pair_of(prediction, annotation=None):
    count = len(prediction)
    both = [np.tile(np.array(v, float)[:, None], 2) for v in (annotation or prediction, prediction)]
    frames = {"frame": np.arange(count), "affect": ["valence", "arousal"]}
    arrays = {
        name: (("frame", "affect"), values)
        for name, values in zip(("annotation", "prediction"), both, strict=True)
    }
    return xr.Dataset(arrays, frames).assign_coords(time=("frame", np.arange(count) / 15.0))


def test_the_trailing_mean_uses_past_frames_only():
    pair = pair_of([0.0, 0.3, 0.6, np.nan, 0.9])
    mean = networks.trailing_mean(pair, 3)["prediction"].sel(affect="valence")
    np.testing.assert_allclose(mean, [0, 0.15, 0.3, np.nan, 0.75])  # NaN is left out
    assert networks.trailing_mean(pair, 1).equals(pair)


def test_the_window_with_the_highest_ccc_is_selected():
    random = np.random.default_rng(0)
    prediction = list(random.normal(0, 0.4, 400))
    annotation = list(pd.Series(prediction).rolling(7, min_periods=1).mean())
    assert networks.select_window([pair_of(prediction, annotation)]) == 7


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["networks", "--format", "word"], "expected one of csv, json, latex, table"),
        (["train", "--quick"], "affectkit bench networks"),
        (["network"], "did you mean 'networks'"),
    ],
)
def test_wrong_arguments_are_refused_before_any_work(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main.app, ["bench", *arguments])
    assert isinstance(result.exception, AffectkitError)
    assert message in str(result.exception)
    assert not list(tmp_path.iterdir())
