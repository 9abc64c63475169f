"""AffectNet: single pictures from the web, valence and arousal for each of them.

Layouts, below the root (or one or two folders further down):
    training.csv, validation.csv                                        release of 2017
    Manually_Annotated_Images/FOLDER/HASH.jpg
    {train_set,val_set}/images/17.jpg                                   release of 2021, 8 labels
    {train_set,val_set}/annotations/17_{exp,val,aro,lnd}.npy

A recording is up to 1,000 pictures of one split, in the order of the file or of their numbers:
`train_0000`, `train_0001`, ...; 440,000 folders of one picture would serve nobody. Its frames come
100 seconds apart, so that nothing smooths or bridges from one picture to the next.

Traps:
- Valence and arousal are -2 where a picture has none (no face, uncertain, some of no emotion).
- Landmarks of 2017 are 136 numbers joined by `;`, x and y in turn. `validation.csv` comes without
  header line in some copies.
- Values of 2021 are arrays without dimensions, often of text. Those of Python objects would have
  to be unpickled, which runs code: they are refused. Which value a file holds, its suffix says.
- Pictures of 2021 are ordered by number, not as text: 2 before 10.
- A picture that is listed but missing stays a frame, as does one without annotation: no picture,
  or NaN.
- Nobody says who is seen, and the same person may be in several pictures: a recording stands for
  its people, so folds by subject keep recordings together, not people apart.
- The test set is not handed out; the validation set is what papers report on.
- The "cleaned" lists that go with EmoNet are pickles. They are never loaded.
- Automatically annotated pictures are not listed: nobody looked at them.

Citation: Mollahosseini, Hasani and Mahoor, "AffectNet: A Database for Facial Expression, Valence,
and Arousal Computing in the Wild", IEEE Transactions on Affective Computing 10(1), 2019.
Licence: for academic, non-commercial research, on request.
"""

from pathlib import Path

import pandas as pd
import xarray as xr

from affectkit.datasets.affectnet import release_2017, release_2021
from affectkit.datasets.affectnet.grouping import group, grouped_row
from affectkit.datasets.listing import make_index, not_found
from affectkit.datasets.pictures import bring_pictures
from affectkit.datasets.placing import annotate
from affectkit.errors import unknown

RELEASES = (release_2017, release_2021)


def index(root: Path) -> pd.DataFrame:
    """List the recordings under `root`, one row each, training before validation.

    Raises:
        AffectkitError: `root` is in neither layout.
    """
    root = Path(root)
    for release in RELEASES:
        if parts := release.find(root):
            return make_index(
                grouped_row(split, number, part.pictures, part.annotation, count)
                for split, part in parts.items()
                for number, count in enumerate(release.counts(part))
            )
    wanted = " or ".join(release.WANTED for release in RELEASES)
    raise not_found("AffectNet", root, f"{wanted} here and up to two folders down")


def annotations(root: Path, name: str) -> xr.Dataset:
    """Read a recording: `annotation` (frame, affect), `landmark`, `box`, and `still`.

    Raises:
        AffectkitError: there is no such recording, or a file is not in the format; names the line.
    """
    root = Path(root)
    split, number = group(name)
    for release in RELEASES:
        part = release.find(root).get(split)
        if part and number < len(release.counts(part)):
            stills = release.read(part, number)
            known = annotate(
                stills.values, dataset="affectnet", recording=name, alignment=release.ALIGNMENT
            )
            return bring_pictures(
                known, still=stills.still, landmark=stills.landmark, box=stills.box
            )
    raise unknown("recording", name, index(root)["recording"])
