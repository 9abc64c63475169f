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
from affectkit.bench.networks import CNN, NETS, STARTS, TRAILING
from affectkit.bench.over_seeds import ITSELF
from affectkit.bench.pool import Job, do, train_all
from affectkit.cli import main
from affectkit.errors import AffectkitError
from affectkit.evaluation import POOLED
from affectkit.run import HISTORY, SCORES, WEIGHTS, read_scores
from affectkit.training.checkpoint import build_model

TINY = networks.QUICK._replace(
    people=(2, 2, 2), seconds=3, epochs=(1, 1),
    recipe=("model.backbone=test_efficientnet", "windows.input_size=32", "windows.length=20",
            "windows.batch=2"),
    by_itself=("windows.length=10", "windows.batch=4"), nets=tuple(NETS),
)  # fmt: skip


def silent(*state):
    pass


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A whole comparison, too small to mean anything."""
    out = tmp_path_factory.mktemp("networks")
    steps = []
    outcome = networks.compare_networks(
        out, TINY, workers=1, progress=lambda *state: steps.append(state)
    )
    return out, outcome, steps


@pytest.fixture
def recipes(tmp_path):
    return {name: networks.net_recipe(name, 3, networks.QUICK, tmp_path) for name in NETS}


def test_every_net_is_what_its_name_says(recipes):
    for name, recipe in recipes.items():
        model, training = recipe.model, recipe.training
        memory = "gru" if "GRU" in name else "lstm" if "LSTM" in name else "none"
        assert model.temporal == memory, name
        assert model.landmarks == ("landmarks" in name), name
        assert training.loss == ("mse" if "MSE" in name else "ccc"), name
        assert training.frozen == (("cnn",) if "frozen" in name else ()), name
        assert recipe.seed == 3


def test_landmarks_go_into_the_first_fully_connected_layer(recipes):
    def first_layer(name):
        recipe = recipes[name]
        bare = recipe.model.model_copy(update={"weights": ""})
        return build_model(recipe.model_copy(update={"model": bare})).connected[0].in_features

    for name in ("joint CNN-GRU", "joint CNN-LSTM", CNN):
        assert first_layer(f"{name}, landmarks") - first_layer(name) == 68 * 2


@pytest.mark.parametrize("size", [networks.FULL, networks.QUICK, TINY])
def test_all_nets_see_equally_many_frames(size, tmp_path):
    every = [networks.net_recipe(name, 0, size, tmp_path) for name in NETS]
    assert len({(r.windows.length * r.windows.batch, r.training.epochs) for r in every}) <= 2
    with_memory = [r.windows for r in every if r.model.temporal != "none"]
    assert all(windows == with_memory[0] for windows in with_memory)
    assert len({r.training.epochs for r in every}) == 1


def test_a_net_starts_from_the_cnn_of_its_seed_trained_with_the_same_loss_and_landmarks(tmp_path):
    for name, net in NETS.items():
        recipe = networks.net_recipe(name, 1, TINY, tmp_path)
        start = networks.start_recipe(net.start, 1, TINY)
        assert recipe.model.weights == str(tmp_path / f"{net.start}-1")
        assert start.model.temporal == "none"
        assert (start.seed, start.training.loss) == (recipe.seed, recipe.training.loss)
        assert start.model.landmarks == recipe.model.landmarks


def test_the_frozen_cnn_stays_as_it_was_and_the_joint_one_moves(done):
    out, _, _ = done
    start = load_file(out / "starts" / "plain-0" / WEIGHTS)
    cnn = [name for name in start if name.startswith("cnn.")]
    frozen, joint = (
        load_file(networks.run_of(out / "runs", name, 0) / WEIGHTS)
        for name in ("frozen CNN + GRU", "joint CNN-GRU")
    )
    assert all((frozen[name] == start[name]).all() for name in cnn)
    assert not all((joint[name] == start[name]).all() for name in cnn)
    assert not (frozen["connected.0.weight"] == start["connected.0.weight"]).all()


def test_the_table_has_a_row_for_every_net_and_the_trailing_mean(done):
    _, outcome, steps = done
    wide = networks_table.wide_table(outcome)
    assert list(wide.index) == [CNN, TRAILING, *list(NETS)[1:]]
    assert wide.loc[CNN, f"minus {CNN}"] == wide.loc[TRAILING, "minus trailing mean"] == "–"
    assert all("[" in text for text in wide["CCC mean"])
    assert (outcome.subjects, outcome.frames) == (2, pytest.approx(90, abs=6))
    last = {step: (count, total) for step, count, total in steps}
    assert last == {
        "draw people": (6, 6),
        "find and cut faces": (6, 6),
        "train CNNs by themselves, epochs": (2 * len(STARTS),) * 2,
        "train nets from there, epochs": (2 * len(NETS),) * 2,
    }


def test_values_are_the_means_of_the_runs_own_scores(done):
    out, outcome, _ = done
    for name in ("joint CNN-GRU", CNN):
        scores = pd.concat(read_scores(networks.run_of(out / "runs", name, s)) for s in (0, 1))
        own = scores[(scores["recording"] == POOLED) & (scores["metric"] == "ccc")]
        rows = outcome.rows.query("net == @name and minus == '' and metric == 'ccc'")
        expected = own.groupby("affect")["value"].mean()
        for row in rows.to_dict("records"):
            assert row["value"] == pytest.approx(expected[row["affect"]], abs=1e-5)


def test_a_second_call_trains_nothing(done):
    out, outcome, _ = done
    kept = [*out.rglob(HISTORY), *out.rglob(WEIGHTS), *out.rglob(SCORES)]
    before = [path.stat().st_mtime_ns for path in kept]
    again = networks.compare_networks(out, TINY, workers=1, progress=silent)
    assert [path.stat().st_mtime_ns for path in kept] == before
    pd.testing.assert_frame_equal(again.rows, outcome.rows)


def test_nets_trained_in_processes_are_the_same(done, tmp_path, monkeypatch):
    out, _, _ = done
    # sums depend on how many threads share them
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    recipes = [networks.start_recipe(name, 0, TINY) for name in ("plain", "landmarks")]
    seen = []
    for workers in (1, 2):
        runs = tmp_path / str(workers)
        jobs = [Job(r, out / "recordings", runs / r.name, scored=False) for r in recipes]
        train_all(jobs, workers, "train", lambda *state: seen.append(state))
        assert seen[-1] == ("train", 2, 2)
    torch.set_num_threads(before)
    for recipe in recipes:
        one, two = (load_file(tmp_path / n / recipe.name / WEIGHTS) for n in ("1", "2"))
        assert one.keys() == two.keys()
        assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_net_that_cannot_be_trained_says_why(done, tmp_path):
    out, _, _ = done
    job = Job(networks.net_recipe(CNN, 0, TINY, tmp_path), out / "recordings", tmp_path / "a", True)
    with pytest.raises(AffectkitError, match="plain-0"):
        do(job)  # there is no CNN to start from


def test_the_paper_s_figures_are_those_of_its_tables():
    # IJCV 2019 as it is recalled: the main table and the table of CNNs and RNNs
    recalled = {
        CNN: ("VGG-Face CNN", 0.51, 0.33, "recalled, uncertain"),
        "joint CNN-LSTM, landmarks": ("VGG-Face-LSTM", 0.52, 0.38, "recalled, uncertain"),
        "joint CNN-GRU, landmarks": ("AffWildNet", 0.57, 0.43, "recalled"),
    }
    assert {net: tuple(row) for net, row in networks_table.PUBLISHED.items()} == recalled


def test_formats_say_what_stands_beside_and_what_drawn_people_cannot_show(done):
    _, outcome, _ = done
    for form in ("table", "latex"):
        text = " ".join(networks_table.FORMATS[form](outcome).split())
        assert "0.57 / 0.43 (?)" in text
        assert "another dataset" in text
        assert "(?) recalled and not checked" in text
        assert "knows nothing about real people" in text
        assert "2 seeds" in text
        assert "2 test people" in text
    rows = pd.DataFrame(json.loads(networks_table.FORMATS["json"](outcome)))
    beside = rows[rows["aff_wild"].notnull()]
    assert set(beside["net"]) == set(networks_table.PUBLISHED)
    assert (beside["minus"] == ITSELF).all()
    assert len(beside) == 6
    assert "aff_wild_known" in networks_table.FORMATS["csv"](outcome).splitlines()[0]


def test_the_quick_table_says_that_its_settings_have_seen_the_test_people(done):
    _, outcome, _ = done
    assert "no independent evidence" not in networks_table.caption(outcome)
    quick = outcome._replace(size=networks.QUICK)
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


def test_the_trailing_mean_looks_back_only():
    pair = pair_of([0.0, 0.3, 0.6, np.nan, 0.9])
    mean = networks.trailing_mean(pair, 3)["prediction"].sel(affect="valence")
    np.testing.assert_allclose(mean, [0, 0.15, 0.3, np.nan, 0.75])  # NaN counts for nothing
    assert networks.trailing_mean(pair, 1).equals(pair)


def test_the_window_is_the_one_that_fits_the_annotation_best():
    random = np.random.default_rng(0)
    prediction = list(random.normal(0, 0.4, 400))
    annotation = list(pd.Series(prediction).rolling(7, min_periods=1).mean())
    assert networks.pick_window([pair_of(prediction, annotation)]) == 7


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["networks", "--format", "word"], "known are csv, json, latex, table"),
        (["train", "--quick"], "affectkit bench networks"),
        (["network"], "did you mean 'networks'"),
    ],
)
def test_what_bench_cannot_do_is_said_at_once(arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main.app, ["bench", *arguments])
    assert isinstance(result.exception, AffectkitError)
    assert words in str(result.exception)
    assert not list(tmp_path.iterdir())
