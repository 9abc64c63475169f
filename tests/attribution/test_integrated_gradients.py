import numpy as np
import pytest
import torch
import xarray as xr
from captum.attr import IntegratedGradients

from affectkit.attribution import attribute
from affectkit.attribution import integrated_gradients as module
from affectkit.attribution.integrated_gradients import STEPS, blur, integrated_gradients
from affectkit.errors import AffectkitError
from affectkit.models.cnn_rnn import CnnRnn
from affectkit.models.inputs import Chunk
from affectkit.models.temporal import TEMPORAL
from affectkit.recording import save_recording
from affectkit.results import open_attribution
from tests.conftest import fake_recording

FRAMES, SIZE = 6, 32


def build_model(temporal, **more):
    torch.manual_seed(0)
    keys = {"fc": [8], "hidden": 8, "layers": 2, "landmarks": True, **more}
    return CnnRnn("test_resnet", temporal, **keys).eval()


def clip():
    """Smooth images, as faces are."""
    torch.manual_seed(1)
    coarse = torch.randn(FRAMES, 3, 6, 6)
    image = torch.nn.functional.interpolate(coarse, (SIZE, SIZE), mode="bicubic")
    return Chunk(image, torch.randn(FRAMES, 68, 2))


def explain(model, *chunks, steps=STEPS):
    found = list(integrated_gradients(model, iter(chunks or [clip()]), steps=steps))
    return [torch.cat(each, dim=1) for each in zip(*found, strict=True)]


@torch.no_grad()
def change_by_the_face(model, image, landmark):
    """Output for the face minus that for its blurred image, with the same past: (2, T)."""
    states, outputs = [()], []
    for frame in range(FRAMES):
        inputs = image[None, frame : frame + 1], landmark[None, frame : frame + 1]
        whole, state = model(*inputs, states[-1])
        blurred, _ = model(blur(inputs[0][0])[None], inputs[1], states[-1])
        outputs.append((whole - blurred)[0, 0, :2])
        states.append(state)
    return torch.stack(outputs, dim=1)


def test_a_linear_model_gives_weight_times_the_difference_from_the_baseline():
    model, (image, _) = build_model("none"), clip()
    weight = torch.randn(3, SIZE, SIZE)
    model.frame_features = lambda image, landmark: (image * weight).sum((1, 2, 3))[:, None]
    model.head = torch.nn.Linear(1, 2, bias=False)
    maps, gap = explain(model)
    for affect in range(2):
        expected = (model.head.weight[affect] * weight * (image - blur(image))).sum(1)
        torch.testing.assert_close(maps[affect], expected)
    torch.testing.assert_close(gap, torch.zeros(2, FRAMES), atol=1e-4, rtol=0)


def test_the_sum_of_a_frame_is_the_change_of_the_output_by_the_face():
    model = build_model("gru", std=True)
    maps, _ = explain(model)
    expected = change_by_the_face(model, *clip())
    gap = (maps.sum((2, 3)) - expected).abs().max() / expected.abs().max()
    assert gap < 0.01


@pytest.mark.parametrize("temporal", TEMPORAL)
def test_the_sum_minus_the_gap_is_exactly_that_change(temporal):
    model = build_model(temporal)
    maps, gap = explain(model, steps=3)
    expected = change_by_the_face(model, *clip())
    torch.testing.assert_close(maps.sum((2, 3)) - gap, expected, atol=1e-6, rtol=1e-4)


def test_a_model_without_a_temporal_module_equals_one_call_of_captum():
    model, (image, landmark) = build_model("none"), clip()
    maps, _ = explain(model)
    direct = IntegratedGradients(lambda image, landmark: model(image[None], landmark[None])[0][0])
    for affect in range(2):
        whole = direct.attribute(
            image, blur(image), affect, (landmark,), n_steps=STEPS, internal_batch_size=FRAMES
        )
        torch.testing.assert_close(maps[affect], whole.sum(1))


def test_the_own_frame_of_a_gru_equals_captum_on_the_whole_clip():
    """The path of one frame in the whole clip: all other frames stay as they are."""
    model, (image, landmark) = build_model("gru"), clip()
    maps, _ = explain(model)
    points = landmark[None].expand(STEPS, -1, -1, -1)
    direct = IntegratedGradients(lambda clips: model(clips, points[: len(clips)])[0])
    for frame in (0, 4):
        baseline = image.clone()
        baseline[frame] = blur(image[frame : frame + 1])[0]
        whole = direct.attribute(image[None], baseline[None], target=(frame, 1), n_steps=STEPS)
        torch.testing.assert_close(maps[1, frame], whole[0, frame].sum(0))


def test_chunks_and_parts_give_the_same_maps_as_the_whole(monkeypatch):
    model, (image, landmark) = build_model("lstm"), clip()
    whole, gap = explain(model, steps=4)
    monkeypatch.setattr(module, "PIXELS", 2 * SIZE**2)  # two frames in each pass
    chunks = [Chunk(image[a:b], landmark[a:b]) for a, b in ((0, 3), (3, 4), (4, 6))]
    maps, gap_of_parts = explain(model, *chunks, steps=4)
    torch.testing.assert_close(maps, whole, atol=1e-6, rtol=1e-4)
    torch.testing.assert_close(gap_of_parts, gap, atol=1e-6, rtol=1e-3)


def test_the_baseline_is_the_mean_over_a_third_of_the_side_with_repeated_edges():
    image = torch.randn(1, 1, 64, 64)
    padded = np.pad(image[0, 0].numpy(), 10, mode="edge")
    expected = [[padded[y : y + 21, x : x + 21].mean() for x in (0, 30, 63)] for y in (0, 31, 63)]
    result = blur(image)[0, 0][[0, 31, 63]][:, [0, 30, 63]]
    torch.testing.assert_close(result, torch.tensor(np.array(expected)))


def test_the_model_is_not_changed():
    model = build_model("gru")
    model.cnn.requires_grad_(False)
    wanted = [p.requires_grad for p in model.parameters()]
    before = {k: v.clone() for k, v in model.state_dict().items()}
    explain(model, steps=2)
    assert [p.requires_grad for p in model.parameters()] == wanted
    assert all(p.grad is None for p in model.parameters())
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
    assert not model.training
    assert torch.backends.cudnn.enabled


def test_a_bidirectional_model_is_an_error():
    with pytest.raises(AffectkitError, match=r"train with model\.bidirectional = false"):
        explain(build_model("gru", bidirectional=True))


def test_the_attribution_of_a_recording_is_stored_with_its_gap(run, tmp_path):
    recording = fake_recording("gap", 20, crop={"size": 16})
    for name in ("box", "crop_box", "landmark"):
        recording[name][10:14] = np.nan
    save_recording(recording, tmp_path / "gap.zarr")
    result = attribute(run, tmp_path / "gap.zarr", "integrated_gradients", steps=4, chunk=9)
    assert result.attrs["steps"] == 4
    assert "blurred" in result.attrs["baseline"]
    empty = ~result["attribution"].any(["affect", "row", "col"])
    assert np.flatnonzero(empty).tolist() == [10, 11, 12, 13]
    assert (result["completeness_gap"].isnull().all("affect") == empty).all()
    assert result.identical(open_attribution(run, "integrated_gradients", "gap"))
    whole = attribute(run, tmp_path / "gap.zarr", "integrated_gradients", steps=4, save=False)
    xr.testing.assert_allclose(result["attribution"], whole["attribution"], atol=1e-4)


def test_more_steps_reduce_the_gap_and_are_stored_with_the_result(run, tmp_path):
    save_recording(fake_recording("one", 5, crop={"size": 16}), tmp_path / "one.zarr")
    few, many = (
        attribute(run, tmp_path / "one.zarr", "integrated_gradients", steps=steps, save=False)
        for steps in (2, 64)
    )
    assert (few.attrs["steps"], many.attrs["steps"]) == (2, 64)
    gaps = [float(abs(each["completeness_gap"]).mean()) for each in (few, many)]
    assert gaps[1] < gaps[0] / 2


@pytest.mark.parametrize(
    ("method", "steps", "expected"),
    [("gradient_x_input", 8, "has no steps"), ("integrated_gradients", 0, "from 1 to 10000")],
)
def test_wrong_steps_are_one_line(method, steps, expected):
    with pytest.raises(AffectkitError, match=expected):
        attribute("run", "recording.zarr", method, steps=steps)
