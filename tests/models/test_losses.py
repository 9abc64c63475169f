import numpy as np
import pytest
import torch
import xarray as xr
from scipy.stats import norm
from torchmetrics.functional import concordance_corrcoef

from affectkit.metrics import ccc
from affectkit.models.losses import (
    LOSSES,
    build_loss,
    ccc_from_moments,
    ccc_loss,
    ccc_moments,
    gaussian_loss,
    mse_loss,
)
from affectkit.models.spread import fit_calibration


def signals(seed=0, count=200):
    random = np.random.default_rng(seed)
    annotation = random.uniform(-1, 1, (count, 2))
    return annotation, 0.6 * annotation + random.normal(0, 0.2, (count, 2)) + 0.1


def test_loss_is_one_minus_the_mean_ccc_of_the_metrics():
    annotation, prediction = signals()
    labelled = [xr.DataArray(x, dims=("frame", "affect")) for x in (annotation, prediction)]
    expected = 1 - float(ccc(*labelled, "frame").mean())
    loss = ccc_loss(torch.tensor(prediction), torch.tensor(annotation))
    assert float(loss) == pytest.approx(expected, abs=1e-6)


def test_ddof_zero_tells_it_from_torchmetrics():
    annotation, prediction = (torch.tensor(x[:10]) for x in signals())
    with_ddof_one = 1 - concordance_corrcoef(prediction, annotation).mean()
    assert float(ccc_loss(prediction, annotation)) != pytest.approx(float(with_ddof_one), abs=1e-4)


every_loss = pytest.mark.parametrize(
    "loss",
    [*LOSSES.values(), build_loss("mix", {"ccc": 0.5, "mse": 2.0, "gaussian": 1.0})],
    ids=[*LOSSES, "mix"],
)


def with_spreads(count=200):
    annotation, prediction = signals(count=count)
    spread = np.random.default_rng(1).uniform(0.1, 0.5, (count, 2))
    return torch.tensor(annotation), torch.tensor(np.hstack([prediction, spread]))


@every_loss
def test_unannotated_frames_do_not_count(loss):
    annotation, prediction = with_spreads()
    masked = annotation.clone()
    masked[50:, 0] = torch.nan
    prediction[100:] = torch.nan  # where nobody looks
    assert float(loss(prediction, masked)) == float(loss(prediction[:50], annotation[:50]))


@every_loss
def test_a_batch_without_annotations_moves_nothing(loss):
    prediction = torch.ones(5, 4, requires_grad=True)
    value = loss(prediction, torch.full((5, 2), torch.nan))
    value.backward()
    assert value.item() == 0
    assert torch.equal(prediction.grad, torch.zeros(5, 4))


@every_loss
def test_shares_of_a_batch_that_are_added_up_give_the_batch(loss):
    annotation, prediction = with_spreads()
    annotation[30:60, 1] = torch.nan
    prediction.requires_grad_()
    whole = loss(prediction, annotation)
    (expected,) = torch.autograd.grad(whole, prediction)
    shares = [slice(0, 20), slice(30, 60), slice(20, 30), slice(60, 200)]  # one has no annotation
    seen: list[torch.Tensor] = []

    def listen(sums):
        seen.append(sums)
        return sums

    for share in shares[1:]:
        loss(prediction[share], annotation[share], listen)
    count = len(seen) // len(shares[1:])  # a mix adds up once for each of its losses
    others = [sum(seen[i::count]) for i in range(count)]
    turn = iter(others)
    value = loss(prediction[shares[0]], annotation[shares[0]], lambda sums: sums + next(turn))
    assert value.item() == pytest.approx(whole.item(), abs=1e-12)
    torch.testing.assert_close(torch.autograd.grad(value, prediction)[0], expected)


def test_constant_prediction_has_concordance_zero():
    assert float(ccc_loss(torch.zeros(50, 2), torch.tensor(signals()[0][:50]))) == pytest.approx(1)


def test_mse_is_the_mean_square():
    assert float(mse_loss(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 0.5]]))) == 0.625


def test_moments_of_two_batches_add_up_to_the_ccc_of_both():
    annotation, prediction = (torch.tensor(x) for x in signals())
    added = sum(ccc_moments(prediction[s], annotation[s]) for s in (slice(30), slice(30, 200)))
    assert added[0].tolist() == [200, 200]
    expected = 1 - ccc_from_moments(added).mean()
    assert float(ccc_loss(prediction, annotation)) == pytest.approx(float(expected), abs=1e-12)


def test_a_prediction_that_hardly_moves_far_from_zero_loses_no_digits():
    annotation, prediction = (torch.tensor(x, dtype=torch.float32) for x in signals())
    for x in (annotation, prediction):
        x.mul_(1e-3).add_(0.9)
    p, a = prediction.double(), annotation.double()
    covariance = ((p - p.mean(0)) * (a - a.mean(0))).mean(0)
    spread = p.var(0, correction=0) + a.var(0, correction=0) + (p.mean(0) - a.mean(0)) ** 2
    expected = 1 - (2 * covariance / (spread + 1e-8)).mean()
    assert float(ccc_loss(prediction, annotation)) == pytest.approx(float(expected), abs=1e-7)


def test_gaussian_loss_is_the_log_density_of_scipy():
    annotation, prediction = with_spreads()
    density = norm.logpdf(annotation, prediction[:, :2], prediction[:, 2:])
    expected = -density.mean() - np.log(2 * np.pi) / 2
    assert float(gaussian_loss(prediction, annotation)) == pytest.approx(expected)


def test_a_mix_adds_its_losses_up():
    annotation, prediction = with_spreads()
    mix = build_loss("mix", {"ccc": 0.5, "mse": 2.0, "gaussian": 0.0})
    expected = 0.5 * ccc_loss(prediction, annotation) + 2 * mse_loss(prediction, annotation)
    assert float(mix(prediction, annotation)) == pytest.approx(float(expected))
    assert build_loss("mse", {}) is mse_loss


@pytest.mark.parametrize("coverage", [0.5, 0.9])
def test_calibrated_intervals_hold_what_they_promise(coverage):
    """Errors twice as wide as valence's spreads say, and half as wide as arousal's."""
    random = np.random.default_rng(0)
    spread = random.uniform(0.1, 0.5, (4000, 2))
    annotation = random.normal(0, spread * [2, 0.5])
    annotation[::7] = np.nan
    prediction = torch.tensor(np.hstack([np.zeros((4000, 2)), spread]))
    factor = fit_calibration(prediction, torch.tensor(annotation), coverage)
    np.testing.assert_allclose(factor, [2, 0.5], rtol=0.1)
    half = norm.ppf((1 + coverage) / 2) * factor.numpy() * spread
    held = (np.abs(annotation) <= half)[np.isfinite(annotation).all(1)].mean(0)
    np.testing.assert_allclose(held, coverage, atol=0.002)
    assert (held >= coverage - 1e-9).all()


def test_the_calibration_of_three_frames_by_hand():
    """Errors of 1, 2 and 3 spreads: with so few, 0.5 of them means the second."""
    prediction = torch.tensor([[0.0, 0, 1, 2]] * 3)
    annotation = torch.tensor([[1.0, -2], [-2, 4], [3, -6]])
    factor = fit_calibration(prediction, annotation, coverage=0.5)
    np.testing.assert_allclose(factor, 2 / norm.ppf(0.75), rtol=1e-6)


def test_without_annotations_spreads_stay_as_they_are():
    factor = fit_calibration(torch.ones(5, 4), torch.full((5, 2), torch.nan))
    assert factor.tolist() == [1, 1]
