"""Published models as runs, which every command takes like a run that was trained here.

To add a model, describe it by a `PublishedModel` and add it to `MODELS` in `create.py`.
"""

from affectkit.published.create import MODELS, create_published_run
from affectkit.published.model import PublishedModel

__all__ = ["MODELS", "PublishedModel", "create_published_run"]
