"""The expression model as a run: the read-out by hand, and the files of the run."""

import numpy as np
import pytest
import torch

import affectkit as ak
from affectkit.errors import AffectkitError
from affectkit.models.backbones import build_backbone
from affectkit.models.mini_xception import EXPRESSIONS
from affectkit.models.normalisation import normalise
from affectkit.published import create_published_run
from affectkit.published.circumplex import PLACES
from affectkit.run import read_metadata, warning
from affectkit.training.model import load_model
from tests.conftest import fake_recording
from tests.models.test_mini_xception import write_keras

NAME = "expression-circumplex"


@pytest.fixture
def run(tmp_path):
    write_keras(tmp_path / "net.hdf5")
    create_published_run(NAME, tmp_path / "run", file=tmp_path / "net.hdf5")
    return tmp_path / "run"


def test_the_prediction_is_the_mean_of_the_places_weighted_by_the_probabilities(run, tmp_path):
    recording = fake_recording("one", 5)
    recording.attrs["crop"] = read_metadata(run)["crop"]
    ak.save_recording(recording, tmp_path / "one.zarr")
    prediction = ak.predict(run, tmp_path / "one.zarr")["prediction"]
    net, _, settings = build_backbone(
        "mini_xception_expressions", weights=tmp_path / "net.hdf5", size=64
    )
    faces = torch.nn.functional.interpolate(
        torch.from_numpy(recording["face"].values).permute(0, 3, 1, 2).float(),
        size=64, mode="bilinear", antialias=True,
    ).round().byte().permute(0, 2, 3, 1)  # fmt: skip
    with torch.no_grad():
        probabilities = net.eval()(normalise(faces.contiguous(), settings)).numpy()
    places = np.array([PLACES[each] for each in EXPRESSIONS])
    np.testing.assert_allclose(prediction, probabilities @ places, atol=0.02)


def test_the_run_warns_on_the_card_and_in_its_metadata(run):
    assert "a baseline, not a measurement" in warning(read_metadata(run))
    card = (run / "card.md").read_text()
    assert "never on valence or arousal" in card
    assert "FER2013" in card
    assert load_model(run).metadata["published"] == NAME


def test_a_second_call_keeps_the_run_and_another_run_is_refused(run, tmp_path):
    before = (run / "model.safetensors").stat().st_mtime_ns
    create_published_run(NAME, run, file=tmp_path / "gone")
    assert (run / "model.safetensors").stat().st_mtime_ns == before
    metadata = (run / "run.json").read_text().replace(f'"published": "{NAME}"', '"published": "x"')
    (run / "run.json").write_text(metadata)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "card.md").write_text("of the user")
    (tmp_path / "file").write_text("of the user")
    for path in (run, tmp_path / "mine", tmp_path / "file"):
        with pytest.raises(AffectkitError, match="exists and is not a run of the published model"):
            create_published_run(NAME, path, file=tmp_path / "net.hdf5")
    assert (tmp_path / "mine" / "card.md").read_text() == "of the user"


def test_an_unknown_model_lists_the_known_ones(tmp_path):
    with pytest.raises(AffectkitError, match="did you mean 'expression-circumplex'"):
        create_published_run("expression-circumplexes", tmp_path / "run")
