"""Continuous emotion (valence and arousal) from face video, and the errors and reasons of a net.

The verbs are loaded when they are first used: importing affectkit imports no torch.
"""

from importlib.metadata import version

import lazy_loader

__version__ = version("affectkit")

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "attribution": ["attribute"],
        "checking": ["check"],
        "datasets": ["DATASETS"],
        "demo": ["demo"],
        "errors": ["AffectkitError"],
        "evaluation": ["compare", "evaluate"],
        "metrics": ["ccc", "pearson", "rmse", "sign_agreement"],
        "predict": ["predict"],
        "prepare": ["prepare", "prepare_video", "prepare_videos"],
        "recording": ["open_recording", "save_recording"],
        "training.fit": ["fit"],
        "training.recipe": ["read_recipe"],
    },
)
