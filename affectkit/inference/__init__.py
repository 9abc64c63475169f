"""Predict recordings with a run or an ensemble of runs, and tune the filter of the predictions."""

from affectkit.inference.ensemble import make_ensemble
from affectkit.inference.prediction import predict
from affectkit.inference.predictor import predict_settings
from affectkit.inference.tuning import tune

__all__ = ["make_ensemble", "predict", "predict_settings", "tune"]
