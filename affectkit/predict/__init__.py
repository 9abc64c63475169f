"""Prediction: valence and arousal of every frame of a recording, by one run or by several."""

from affectkit.predict.ensemble import make_ensemble
from affectkit.predict.how import how_to_predict
from affectkit.predict.one import gather, predict
from affectkit.predict.tune import tune

__all__ = ["gather", "how_to_predict", "make_ensemble", "predict", "tune"]
