"""Layouts of single pictures: existing files are kept, missing files are written again."""

import cv2
import numpy as np
import pytest

from affectkit.datasets import find_loader, synthetic
from affectkit.datasets.synthetic.layouts.layout import true_landmarks
from affectkit.datasets.synthetic.scene import make_scene, read_settings

LAYOUTS = {"afew_va": "afew_va", "affectnet_2017": "affectnet", "affectnet_2021": "affectnet"}
TINY = {"subjects": (1, 1, 1), "seconds": 1, "fps": 6, "size": 64, "workers": 1, "quirks": True}


def files(root):
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("layout", "picture", "labels"),
    [
        ("afew_va", "01/001/00000.png", "01/001/001.json"),
        ("affectnet_2017", "*/*/1/*.jpg", "*/training.csv"),
        ("affectnet_2021", "train_set/images/0.jpg", "train_set/annotations/0_val.npy"),
    ],
)
def test_interrupted_writing_resumes_and_keeps_existing_files(layout, picture, labels, tmp_path):
    root = synthetic.write_synthetic(tmp_path / "data", layout=layout, **TINY)
    before = files(root)
    for pattern in (picture, labels):
        next(root.glob(pattern)).unlink()
    kept = {path: path.stat().st_mtime_ns for path in root.rglob("*.[jp][pn]g")}
    synthetic.write_synthetic(root, layout=layout, **TINY)
    assert files(root) == before
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


@pytest.mark.parametrize("layout", LAYOUTS)
def test_pictures_show_the_face_at_the_landmarks(layout, tmp_path):
    """The pixels between the landmarks have the skin colour of the subject."""
    root = synthetic.write_synthetic(tmp_path / "data", layout=layout, **TINY)
    row = find_loader(LAYOUTS[layout]).index(root).iloc[0]
    annotation = find_loader(LAYOUTS[layout]).annotations(root, row["recording"]).isel(frame=0)
    picture = cv2.imread(f"{row['video']}/{annotation['still'].item()}")
    scene = make_scene(read_settings(root), 0)
    true = true_landmarks(scene, 2)[0]
    assert picture.shape == (64, 64, 3)
    np.testing.assert_allclose(annotation["landmark"], true, atol=0.051)
    x, y = true[[31, 35, 48, 54]].mean(axis=0).round().astype(int)  # between nose and mouth
    cheek = picture[y - 1 : y + 2, x - 1 : x + 2, ::-1].mean(axis=(0, 1))
    assert np.corrcoef(cheek, scene.subject.skin)[0, 1] > 0.9
