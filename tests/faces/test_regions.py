import numpy as np
import pytest

from affectkit.faces import REGION, region_masks

SIZE = 96
BOX = np.float32([[0, 0, SIZE, SIZE]])


def frontal_points() -> np.ndarray:
    """A frontal face of 68 points in a picture of 96 pixels."""
    angle = np.linspace(np.pi, 0, 17)
    jaw = np.stack([48 + 38 * np.cos(angle), 40 + 48 * np.sin(angle)], axis=1)
    brows = [(x, 28 - 3 * np.sin(i / 4 * np.pi)) for i, x in enumerate(np.linspace(18, 40, 5))]
    brows += [(96 - x, y) for x, y in reversed(brows)]
    nose = [(48, y) for y in (36, 43, 50, 56)] + [(x, 60) for x in (42, 45, 48, 51, 54)]
    eye = np.array([(22, 38), (27, 35), (32, 35), (37, 38), (32, 40), (27, 40)])
    other = np.stack([96 - eye[[3, 2, 1, 0, 5, 4], 0], eye[[3, 2, 1, 0, 5, 4], 1]], axis=1)
    turn = np.linspace(np.pi, -np.pi, 13)[:12]
    mouth = np.stack([48 + 14 * np.cos(turn), 72 - 6 * np.sin(turn)], axis=1)
    inner = np.linspace(np.pi, -np.pi, 9)[:8]
    lips = np.stack([48 + 9 * np.cos(inner), 72 - 3 * np.sin(inner)], axis=1)
    return np.concatenate([jaw, brows, nose, eye, other, mouth, lips]).astype(np.float32)[None]


@pytest.mark.parametrize(
    ("region", "place"),
    [
        ("brows", (24, 26)),
        ("brows", (48, 28)),  # between them
        ("eyes", (29, 38)),
        ("eyes", (67, 38)),
        ("nose", (48, 52)),
        ("mouth", (48, 72)),
        ("cheeks", (26, 52)),
        ("cheeks", (70, 52)),
        ("jaw", (48, 84)),
        ("background", (2, 2)),
        ("background", (48, 10)),  # the forehead
    ],
)
def test_each_region_is_at_its_place_in_the_face(region, place):
    masks = region_masks(frontal_points(), BOX, SIZE)
    column, row = place
    assert REGION[int(masks[0, :, row, column].argmax())] == region


def test_each_pixel_belongs_to_exactly_one_region():
    masks = region_masks(frontal_points(), BOX, SIZE)
    assert masks.shape == (1, len(REGION), SIZE, SIZE)
    assert (masks.sum(axis=1) == 1).all()
    assert masks.any(axis=(2, 3)).all()


def test_regions_of_a_symmetric_face_are_symmetric():
    masks = region_masks(frontal_points(), BOX, SIZE)
    differing = (masks != masks[..., ::-1]).any(axis=1).mean()
    assert differing < 0.03


def test_regions_move_with_the_square():
    masks = region_masks(frontal_points() * 3 + 50, BOX * 3 + 50, SIZE)
    np.testing.assert_array_equal(masks, region_masks(frontal_points(), BOX, SIZE))


def test_a_frame_without_landmarks_or_square_has_no_regions():
    points = np.repeat(frontal_points(), 3, axis=0)
    boxes = np.repeat(BOX, 3, axis=0)
    points[0], boxes[1] = np.nan, np.nan
    masks = region_masks(points, boxes, SIZE)
    assert not masks[:2].any()
    assert masks[2].any()


def test_a_face_outside_the_crop_leaves_only_background():
    masks = region_masks(frontal_points() + 500, BOX, SIZE)
    assert masks[0, REGION.index("background")].all()
