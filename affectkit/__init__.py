"""Continuous emotion (valence and arousal) from face video: training, errors and attribution.

The public names are in `__init__.pyi`. Each is imported when it is first used, so that importing
affectkit does not import torch.
"""

from importlib.metadata import version

import lazy_loader

__version__ = version("affectkit")

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
