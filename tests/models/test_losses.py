import numpy as np
import pytest
import torch
import xarray as xr
from torchmetrics.functional import concordance_corrcoef

from affectkit.metrics import ccc
from affectkit.models.losses import LOSSES, ccc_loss, mse_loss


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


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_unannotated_frames_do_not_count(loss):
    annotation, prediction = (torch.tensor(x) for x in signals())
    masked = annotation.clone()
    masked[50:, 0] = torch.nan
    assert float(loss(prediction, masked)) == float(loss(prediction[:50], annotation[:50]))


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_a_batch_without_annotations_moves_nothing(loss):
    prediction = torch.ones(5, 2, requires_grad=True)
    loss(prediction, torch.full((5, 2), torch.nan)).backward()
    assert torch.equal(prediction.grad, torch.zeros(5, 2))


def test_constant_prediction_has_concordance_zero():
    assert float(ccc_loss(torch.zeros(50, 2), torch.tensor(signals()[0][:50]))) == pytest.approx(1)


def test_mse_is_the_mean_square():
    assert float(mse_loss(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 0.5]]))) == 0.625
