"""The published expression model on real clips: plausible values, not a measurement of accuracy.

The weights come from the package index, so the tests are skipped without one.
"""

import pytest

import affectkit as ak
from affectkit.errors import AffectkitError
from affectkit.look import METHOD, MODEL
from affectkit.published import create_published_run
from affectkit.results import open_prediction, recording_path
from affectkit.weights import weights_file
from tests.conftest import REAL

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(REAL is None, reason="no real clips next to the project"),
]
CLIPS = (
    "WolfgangLanger_Pexels.mp4",
    "single_face.mp4",
    "head-pose-face-detection-male.gif",
    "head-pose-face-detection-female.gif",
)
FACE = ["mouth", "eyes", "brows", "nose"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The run of the published model, with its predictions of the clips."""
    try:
        weights_file(MODEL)
    except AffectkitError as error:
        pytest.skip(str(error))
    run = tmp_path_factory.mktemp("real") / MODEL
    create_published_run(MODEL, run)
    ak.predict(run, [REAL / name for name in CLIPS])
    return run


def valence(run, name):
    return open_prediction(run, name)["prediction"].sel(affect="valence")


def test_valence_rises_where_she_stops_crying_and_laughs(run):
    values = valence(run, "WolfgangLanger_Pexels")
    crying = values.where((values["time"] >= 1) & (values["time"] < 7)).mean()
    laughing = values.where((values["time"] >= 11) & (values["time"] < 19)).mean()
    assert values.sizes["frame"] == 472
    assert float(laughing - crying) >= 0.8
    assert float(crying) < -0.4
    assert float(laughing) > 0.6


def test_smiling_men_are_positive_and_a_serious_woman_is_not(run):
    assert float(valence(run, "single_face").mean()) > 0.4
    assert float(valence(run, "head-pose-face-detection-male").mean()) > 0.6
    assert -0.5 < float(valence(run, "head-pose-face-detection-female").mean()) < 0.1


def test_the_attribution_is_twice_as_dense_in_mouth_eyes_brows_and_nose(run):
    """These regions, as drawn by `faces.regions`, are a sixth of the crop.

    Seen on this clip: 31 % of |attribution of valence| on 16 % of the crop.
    """
    recording = ak.open_recording(recording_path(run, "WolfgangLanger_Pexels"))
    some = recording.isel(frame=slice(None, None, 20))
    attribution = ak.attribute(ak.load_model(run), some, METHOD, save=False)
    share = (
        attribution["region_share"].sum("direction").sel(region=FACE).sum("region").mean("frame")
    )
    area = attribution["region_area"].sel(region=FACE).sum("region").mean("frame")
    assert 0.1 < float(area) < 0.25
    assert float(share.sel(affect="valence")) >= 1.7 * float(area)
