"""A synthetic dataset: rendered faces with known affect, for tests, demos and benchmarks.

Scores on it do not show how well a model works on real people, so results must state that the data
are synthetic. But every cause is known: which movement expressed which affect, and how late each
rater responded. Time stamps, loaders, training and attribution can be tested against that.

`write_synthetic` writes it in the layout of any dataset that affectkit reads (`LAYOUTS`), with the
quirks of real copies if requested. `expected_annotations` returns what a loader must read back. The
default layout is that of Aff-Wild2. About one frame in a hundred is not annotated, and
`ratings/NAME.csv` contains the ratings of all raters; the annotation is their mean. The settings
are in `synthetic.json`. `ground_truth` returns the causes of a video, `movement_effect` the pixels
that a movement changes.

Valence moves the corners of the mouth (AU12, AU15) and the brows (AU4). Arousal moves the eyelids
(AU5), the jaw (AU26), the blinks, and mainly the speed of the head, which no single frame shows.
Licence: the written data are free to use.
"""

import pandas as pd
import xarray as xr

from affectkit.datasets.synthetic.ground_truth import (
    expected_annotations,
    ground_truth,
    movement_effect,
)
from affectkit.datasets.synthetic.layouts import LAYOUTS
from affectkit.datasets.synthetic.movement import MOVEMENT
from affectkit.datasets.synthetic.scene import read_settings
from affectkit.datasets.synthetic.writer import write_synthetic
from affectkit.files import StrPath

__all__ = [
    "LAYOUTS",
    "MOVEMENT",
    "annotations",
    "expected_annotations",
    "ground_truth",
    "index",
    "movement_effect",
    "write_synthetic",
]


def index(root: StrPath) -> pd.DataFrame:
    """List the recordings, as the loader of the dataset's layout does.

    Raises:
        AffectkitError: `root` is not a synthetic dataset.
    """
    return LAYOUTS[read_settings(root).layout].index(root)


def annotations(root: StrPath, name: str) -> xr.Dataset:
    """Read the annotation of a recording, as the loader of its layout does, and ratings if any.

    Raises:
        AffectkitError: there is no such recording, or a file is missing or has another format.
    """
    annotation = LAYOUTS[read_settings(root).layout].annotations(root, name)
    return annotation.assign_attrs(dataset="synthetic")
