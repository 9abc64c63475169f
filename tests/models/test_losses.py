import numpy as np
import pytest
import torch
import xarray as xr
from scipy.stats import norm
from torchmetrics.functional import concordance_corrcoef

from affectkit.metrics import ccc
from affectkit.models.calibration import fit_calibration
from affectkit.models.losses import (
    LOSSES,
    build_loss,
    ccc_from_moments,
    ccc_loss,
    ccc_moments,
    gaussian_loss,
    mse_loss,
)


def signals(seed=0, count=200):
    random = np.random.default_rng(seed)
    annotation = random.uniform(-1, 1, (count, 2))
    return annotation, 0.6 * annotation + random.normal(0, 0.2, (count, 2)) + 0.1


def test_ccc_loss_is_one_minus_the_mean_ccc_of_the_metrics():
    annotation, prediction = signals()
    labelled = [xr.DataArray(x, dims=("frame", "affect")) for x in (annotation, prediction)]
    expected = 1 - float(ccc(*labelled, "frame").mean())
    loss = ccc_loss(torch.tensor(prediction), torch.tensor(annotation))
    assert float(loss) == pytest.approx(expected, abs=1e-6)


def test_ccc_loss_uses_ddof_zero_unlike_torchmetrics():
    annotation, prediction = (torch.tensor(x[:10]) for x in signals())
    with_ddof_one = 1 - concordance_corrcoef(prediction, annotation).mean()
    assert float(ccc_loss(prediction, annotation)) != pytest.approx(float(with_ddof_one), abs=1e-4)


every_loss = pytest.mark.parametrize(
    "loss",
    [*LOSSES.values(), build_loss("mix", {"ccc": 0.5, "mse": 2.0, "gaussian": 1.0})],
    ids=[*LOSSES, "mix"],
)


def signals_with_std(count=200):
    annotation, prediction = signals(count=count)
    std = np.random.default_rng(1).uniform(0.1, 0.5, (count, 2))
    return torch.tensor(annotation), torch.tensor(np.hstack([prediction, std]))


@every_loss
def test_frames_without_annotation_are_left_out(loss):
    annotation, prediction = signals_with_std()
    masked = annotation.clone()
    masked[50:, 0] = torch.nan
    prediction[100:] = torch.nan  # frames without annotation
    assert float(loss(prediction, masked)) == float(loss(prediction[:50], annotation[:50]))


@every_loss
def test_a_batch_without_annotations_has_loss_and_gradient_zero(loss):
    prediction = torch.ones(5, 4, requires_grad=True)
    value = loss(prediction, torch.full((5, 2), torch.nan))
    value.backward()
    assert value.item() == 0
    assert torch.equal(prediction.grad, torch.zeros(5, 4))


@every_loss
def test_summed_shares_of_a_batch_give_the_loss_and_gradient_of_the_batch(loss):
    annotation, prediction = signals_with_std()
    annotation[30:60, 1] = torch.nan
    prediction.requires_grad_()
    whole = loss(prediction, annotation)
    (expected,) = torch.autograd.grad(whole, prediction)
    shares = [
        slice(0, 20),
        slice(30, 60),
        slice(20, 30),
        slice(60, 200),
    ]  # [1]: no annotations
    recorded: list[torch.Tensor] = []

    def record(sums):
        recorded.append(sums)
        return sums

    for share in shares[1:]:
        loss(prediction[share], annotation[share], record)
    count = len(recorded) // len(shares[1:])  # a mix calls `total` once for each loss
    others = [sum(recorded[i::count]) for i in range(count)]
    remaining = iter(others)
    value = loss(prediction[shares[0]], annotation[shares[0]], lambda sums: sums + next(remaining))
    assert value.item() == pytest.approx(whole.item(), abs=1e-12)
    torch.testing.assert_close(torch.autograd.grad(value, prediction)[0], expected)


def test_a_constant_prediction_has_ccc_zero():
    assert float(ccc_loss(torch.zeros(50, 2), torch.tensor(signals()[0][:50]))) == pytest.approx(1)


def test_mse_is_the_mean_squared_error():
    assert float(mse_loss(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 0.5]]))) == 0.625


def test_summed_moments_of_two_batches_give_the_ccc_of_both():
    annotation, prediction = (torch.tensor(x) for x in signals())
    added = sum(ccc_moments(prediction[s], annotation[s]) for s in (slice(30), slice(30, 200)))
    assert added[0].tolist() == [200, 200]
    expected = 1 - ccc_from_moments(added).mean()
    assert float(ccc_loss(prediction, annotation)) == pytest.approx(float(expected), abs=1e-12)


def test_small_variance_around_a_large_mean_loses_no_precision():
    annotation, prediction = (torch.tensor(x, dtype=torch.float32) for x in signals())
    for x in (annotation, prediction):
        x.mul_(1e-3).add_(0.9)
    p, a = prediction.double(), annotation.double()
    covariance = ((p - p.mean(0)) * (a - a.mean(0))).mean(0)
    denominator = p.var(0, correction=0) + a.var(0, correction=0) + (p.mean(0) - a.mean(0)) ** 2
    expected = 1 - (2 * covariance / (denominator + 1e-8)).mean()
    assert float(ccc_loss(prediction, annotation)) == pytest.approx(float(expected), abs=1e-7)


def test_gaussian_loss_is_the_log_density_of_scipy():
    annotation, prediction = signals_with_std()
    density = norm.logpdf(annotation, prediction[:, :2], prediction[:, 2:])
    expected = -density.mean() - np.log(2 * np.pi) / 2
    assert float(gaussian_loss(prediction, annotation)) == pytest.approx(expected)


def test_a_mix_is_the_weighted_sum_of_its_losses():
    annotation, prediction = signals_with_std()
    mix = build_loss("mix", {"ccc": 0.5, "mse": 2.0, "gaussian": 0.0})
    expected = 0.5 * ccc_loss(prediction, annotation) + 2 * mse_loss(prediction, annotation)
    assert float(mix(prediction, annotation)) == pytest.approx(float(expected))
    assert build_loss("mse", {}) is mse_loss


@pytest.mark.parametrize("coverage", [0.5, 0.9])
def test_calibrated_intervals_have_the_requested_coverage(coverage):
    """Errors twice as large as the predicted std for valence, and half as large for arousal."""
    random = np.random.default_rng(0)
    std = random.uniform(0.1, 0.5, (4000, 2))
    annotation = random.normal(0, std * [2, 0.5])
    annotation[::7] = np.nan
    prediction = torch.tensor(np.hstack([np.zeros((4000, 2)), std]))
    factor = fit_calibration(prediction, torch.tensor(annotation), coverage)
    np.testing.assert_allclose(factor, [2, 0.5], rtol=0.1)
    half = norm.ppf((1 + coverage) / 2) * factor.numpy() * std
    inside = (np.abs(annotation) <= half)[np.isfinite(annotation).all(1)].mean(0)
    np.testing.assert_allclose(inside, coverage, atol=0.002)
    assert (inside >= coverage - 1e-9).all()


def test_the_calibration_of_three_frames_by_hand():
    """Errors of 1, 2 and 3 std: the quantile for a coverage of 0.5 is the second of them."""
    prediction = torch.tensor([[0.0, 0, 1, 2]] * 3)
    annotation = torch.tensor([[1.0, -2], [-2, 4], [3, -6]])
    factor = fit_calibration(prediction, annotation, coverage=0.5)
    np.testing.assert_allclose(factor, 2 / norm.ppf(0.75), rtol=1e-6)


def test_without_annotations_the_calibration_is_one():
    factor = fit_calibration(torch.ones(5, 4), torch.full((5, 2), torch.nan))
    assert factor.tolist() == [1, 1]
