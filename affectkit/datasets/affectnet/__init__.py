"""AffectNet: single pictures from the web, each with valence and arousal.

Layouts, below the root (or one or two folders further down):
    training.csv, validation.csv                                        release of 2017
    Manually_Annotated_Images/FOLDER/HASH.jpg
    {train_set,val_set}/images/17.jpg                                   release of 2021, 8 labels
    {train_set,val_set}/annotations/17_{exp,val,aro,lnd}.npy

A recording is a group of up to 1,000 pictures of one split, in the order of the file or of their
numbers: `train_0000`, `train_0001`, ... One recording per picture would give 440,000 folders. The
frames of a recording are 100 seconds apart, to prevent smoothing and interpolation across pictures.

Quirks:
- Valence and arousal are -2 for a picture without annotation (no face, uncertain, some without
  emotion).
- Landmarks of 2017 are 136 numbers separated by `;`: x and y of each point. In some copies
  `validation.csv` has no header line.
- Values of 2021 are arrays without dimensions, often of text. Arrays of Python objects are refused,
  since unpickling them runs code. The suffix of a file names the value in it.
- Pictures of 2021 are sorted by number, not as text: 2 before 10.
- A listed picture that is missing stays a frame without picture. A picture without annotation stays
  a frame with NaN.
- Subjects are not named, and one person may be in several pictures. Each recording counts as one
  subject, so folds by subject separate recordings, not people.
- The test set is not published; papers report results on the validation set.
- The "cleaned" lists that come with EmoNet are pickles. They are never loaded.
- Automatically annotated pictures are not listed, since no human checked them.

Citation: Mollahosseini, Hasani and Mahoor, "AffectNet: A Database for Facial Expression, Valence,
and Arousal Computing in the Wild", IEEE Transactions on Affective Computing 10(1), 2019.
Licence: for academic, non-commercial research, on request.
"""

from pathlib import Path

import pandas as pd
import xarray as xr

from affectkit.datasets.affectnet import release_2017, release_2021
from affectkit.datasets.affectnet.grouping import grouped_row, parse_group_name
from affectkit.datasets.annotation import add_pictures, make_annotation
from affectkit.datasets.index import make_index, not_found
from affectkit.errors import unknown
from affectkit.files import StrPath

RELEASES = (release_2017, release_2021)


def index(root: StrPath) -> pd.DataFrame:
    """List the recordings under `root`, one row each, training before validation.

    Raises:
        AffectkitError: `root` has neither layout.
    """
    root = Path(root)
    for release in RELEASES:
        if found := release.find(root):
            return make_index(
                grouped_row(split, number, files.pictures, files.annotation, count)
                for split, files in found.items()
                for number, count in enumerate(release.counts(files))
            )
    wanted = " or ".join(release.WANTED for release in RELEASES)
    raise not_found("AffectNet", root, f"{wanted} here or up to two folders further down")


def annotations(root: StrPath, name: str) -> xr.Dataset:
    """Read a recording: `annotation` (frame, affect), `landmark`, `box`, and `still`.

    Raises:
        AffectkitError: there is no such recording, or a file has another format; names the line.
    """
    root = Path(root)
    split, number = parse_group_name(name)
    for release in RELEASES:
        files = release.find(root).get(split)
        if files and number < len(release.counts(files)):
            stills = release.read(files, number)
            annotation = make_annotation(
                stills.values, dataset="affectnet", recording=name, alignment=release.ALIGNMENT
            )
            return add_pictures(
                annotation, still=stills.still, landmark=stills.landmark, box=stills.box
            )
    raise unknown("recording", name, index(root)["recording"])
