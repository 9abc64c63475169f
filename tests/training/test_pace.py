"""What an epoch takes, from its frames and from steps on noise."""

import pytest

from affectkit.errors import AffectkitError
from affectkit.recording import open_recording, save_recording
from affectkit.training.fit import fit
from affectkit.training.pace import Pace, frames_in_epoch, time_step


def test_frames_pay_for_themselves_and_for_their_steps():
    pace = Pace(frame=0.01, step=0.5, timed=8, device="cpu", devices=1)
    assert pace.seconds(1000, batch=100) == pytest.approx(1000 * 0.01 + 10 * 0.5)
    assert pace._replace(devices=2).seconds(1000, batch=50) == pytest.approx(5 + 10 * 0.5)


@pytest.mark.parametrize("temporal", ["none", "lstm"])
def test_steps_are_timed_up_to_a_whole_batch_and_no_further(recipe, temporal):
    pace = time_step(recipe(model__temporal=temporal))
    assert pace.frame > 0
    assert pace.step >= 0
    assert 2 < pace.timed <= 3 * 20
    assert (pace.device, pace.devices) == ("cpu", 1)


def test_processes_need_not_be_there_to_be_timed(recipe):
    assert time_step(recipe(training__devices=3)).timed <= 20  # a window each


def test_an_epoch_has_the_frames_of_its_full_batches(recordings, recipe):
    # 60, 45, 60 and 50 frames hold 3 + 2 + 3 + 2 windows of 20, which fill 3 batches of 3
    assert frames_in_epoch(recipe(), recordings) == 3 * 3 * 20
    assert frames_in_epoch(recipe(windows__batch=2), recordings) == 5 * 2 * 20


def test_an_epoch_is_as_long_as_the_one_that_is_trained(recordings, recipe, tmp_path):
    settings, steps = recipe(training__epochs=1), []
    fit(settings, recordings, tmp_path / "run", progress=lambda *report: steps.append(report[2]))
    assert frames_in_epoch(settings, recordings) == steps[-1] * 3 * 20


def change(recordings, variable, values):
    """Save every recording with other values of a variable."""
    for path in recordings.glob("*.zarr"):
        recording = open_recording(path).load()
        recording[variable] = values(recording[variable])
        save_recording(recording, path, overwrite=True)
    return recordings


def test_stills_are_no_film(recordings, recipe):
    change(recordings, "time", lambda time: time * 100)
    with pytest.raises(AffectkitError, match="a frame every 4 s: to the gru they would look like"):
        frames_in_epoch(recipe(), recordings)


def test_a_quadrant_without_frames_cannot_have_a_share(recordings, recipe):
    change(recordings, "annotation", abs)
    with pytest.raises(AffectkitError, match=r"wants frames in -V \+A, but no annotated frame"):
        frames_in_epoch(recipe(windows__quadrants=[0.5, 0.5, 0.0, 0.0]), recordings)
