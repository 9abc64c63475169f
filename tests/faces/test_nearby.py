from dataclasses import replace

import numpy as np
import pytest

from affectkit.faces import Detector, load_detector
from affectkit.faces.boxes import overlap
from affectkit.faces.nearby import find_near


@pytest.fixture
def large(actors) -> np.ndarray:
    """A picture of 768 x 960 pixels with a face of some 100 pixels and one of 400."""
    picture = np.full((768, 960, 3), 95, np.uint8)
    picture[10:202, 700:892] = actors[0].rgb[0]
    picture[:, :690] = actors[1].rgb[0].repeat(4, axis=0).repeat(4, axis=1)[:, :690]
    return picture


def test_what_is_found_near_is_what_is_found_at_large(large):
    detector = load_detector("dlib")
    boxes, _ = detector.find(large)
    assert len(boxes) == 2
    for box in boxes:
        seen = []
        spied = replace(
            detector, find=lambda rgb, seen=seen: seen.append(rgb) or detector.find(rgb)
        )
        found, sure = find_near(spied, large, box[None] + 10)
        assert sure.any()
        assert overlap(found, box[None]).max() > 0.6  # dlib has boxes in steps of a fifth
        assert seen[0].shape[0] * seen[0].shape[1] < large[..., 0].size / 2


def test_boxes_come_back_to_the_whole_picture_exactly():
    def find(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.float32([[0, 0, picture.shape[1], picture.shape[0]]]), np.array([True])

    picture = np.zeros((1000, 2000, 3), np.uint8)
    detector = Detector(find, lambda picture, boxes: boxes)
    for expected, searched in (
        ([[500, 300, 600, 400]], [400, 200, 700, 500]),  # a width around, not resized
        ([[500, 300, 820, 620]], [180, 0, 1140, 940]),  # halved, and up to the edge
        ([[0, 0, 100, 100], [1900, 900, 2000, 1000]], [0, 0, 2000, 1000]),
        ([[-50, -50, 50, 50]], [0, 0, 150, 150]),
    ):
        box, _ = find_near(detector, picture, np.float32(expected))
        np.testing.assert_allclose(box, [searched], rtol=1e-6)
