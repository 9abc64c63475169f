from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from affectkit.errors import AffectkitError
from affectkit.faces import Crop, crop_boxes, extract_crops
from affectkit.faces.crop import stored_crop
from affectkit.recording import to_crop_coordinates

TIME = np.arange(200) / 25
CROP = Crop(size=32)


def face_points(size: float = 40.0) -> np.ndarray:
    """68 points around (0, 0) with the bridge of the nose `size` above the chin."""
    points = np.random.default_rng(0).uniform(-size / 2, size / 2, (68, 2))
    points[27], points[8] = (0, -size / 2), (0, size / 2)
    return points - points.mean(axis=0)


def moving(x: np.ndarray | float = 100.0, y: np.ndarray | float = 80.0) -> np.ndarray:
    middle = np.stack(np.broadcast_arrays(x, y, TIME)[:2], axis=1)
    return face_points() + middle[:, None]


def middles(boxes: np.ndarray) -> np.ndarray:
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def test_the_square_of_a_still_face_follows_from_the_settings():
    boxes = crop_boxes(moving(), TIME, CROP)
    side = CROP.margin * 40
    expected = [100 - side / 2, 80 + CROP.shift * side - side / 2]
    np.testing.assert_allclose(boxes[:, :2], np.tile(expected, (200, 1)), atol=1e-3)
    np.testing.assert_allclose(boxes[:, 2:] - boxes[:, :2], side, atol=1e-3)


def test_the_square_follows_a_walk_but_not_a_nod():
    nod = 10 * np.sin(2 * np.pi * 1.0 * TIME)
    walk = 20 * TIME
    boxes = middles(crop_boxes(moving(100 + walk, 80 + nod), TIME, CROP))
    inner = slice(50, 150)
    assert np.ptp(boxes[inner, 1]) < 0.1 * np.ptp(nod)
    np.testing.assert_allclose(boxes[inner, 0], 100 + walk[inner], atol=1)


def test_an_opening_jaw_does_not_change_the_scale():
    landmark = moving()
    landmark[80:120, 8, 1] += 15
    side = np.ptp(crop_boxes(landmark, TIME, CROP)[:, [0, 2]], axis=1)
    assert side.max() / side.min() < 1.02


def test_the_square_grows_with_a_person_who_comes_closer():
    time = np.arange(0, 120, 0.2)
    growth = 1 + time / 120
    landmark = face_points() * growth[:, None, None] + 100
    side = np.ptp(crop_boxes(landmark, time, CROP)[:, [0, 2]], axis=1)
    np.testing.assert_allclose(side[150:450], 40 * CROP.margin * growth[150:450], rtol=0.02)


def test_short_gaps_are_interpolated_and_long_ones_have_no_square():
    landmark = moving(100 + 10 * TIME)
    landmark[20:30] = np.nan
    landmark[100:150] = np.nan
    boxes = crop_boxes(landmark, TIME, CROP)
    assert boxes.dtype == np.float32
    assert np.isnan(boxes[100:150]).all()
    assert np.isfinite(np.delete(boxes, np.arange(100, 150), axis=0)).all()


def test_a_video_without_a_face_has_no_squares():
    assert np.isnan(crop_boxes(np.full((200, 68, 2), np.nan), TIME, CROP)).all()


def test_a_square_of_the_crop_size_is_copied_exactly():
    rgb = np.random.default_rng(0).integers(0, 255, (2, 60, 70, 3), np.uint8)
    face = extract_crops(rgb, np.tile(np.float32([7, 11, 39, 43]), (2, 1)), CROP)
    np.testing.assert_array_equal(face, rgb[:, 11:43, 7:39])


@pytest.mark.parametrize("factor", [2, 3, 5])
def test_shrinking_averages_every_pixel_of_the_square(factor):
    side = 32 * factor
    rgb = np.random.default_rng(0).integers(0, 255, (1, side + 9, side + 9, 3), np.uint8)
    face = extract_crops(rgb, np.float32([[4, 5, 4 + side, 5 + side]]), CROP)
    blocks = rgb[0, 5 : 5 + side, 4 : 4 + side].reshape(32, factor, 32, factor, 3)
    np.testing.assert_allclose(face[0], blocks.mean(axis=(1, 3)), atol=1)


def test_a_gradient_is_sampled_at_subpixel_positions():
    rgb = np.empty((1, 200, 200, 3), np.uint8)
    rgb[:] = np.arange(200, dtype=np.uint8)[:, None, None]  # row k has the value k
    face = extract_crops(rgb, np.float32([[30.3, 20.7, 110.3, 100.7]]), CROP)
    expected = 20.7 + (np.arange(32) + 0.5) * 80 / 32 - 0.5
    np.testing.assert_allclose(face[0, :, 5, 0], expected, atol=0.55)  # rounding


def test_edge_pixels_are_repeated_outside_the_picture():
    rgb = np.full((1, 40, 40, 3), 90, np.uint8)
    assert (extract_crops(rgb, np.float32([[-20, -20, 60, 60]]), CROP) == 90).all()


def test_a_frame_without_a_square_has_a_black_crop():
    rgb = np.full((2, 40, 40, 3), 90, np.uint8)
    face = extract_crops(rgb, np.array([[np.nan] * 4, [0, 0, 32, 32]]), CROP)
    assert (face[0] == 0).all()
    assert (face[1] == 90).all()


@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(1, 200))
def test_corners_of_the_square_map_to_corners_of_the_crop(left, top, side):
    box = np.array([[left, top, left + side, top + side]])
    corners = np.array([[[left, top], [left + side, top + side]]])
    np.testing.assert_allclose(
        to_crop_coordinates(corners, box, 32)[0], [[0, 0], [32, 32]], atol=1e-3
    )


def test_settings_can_be_stored_as_a_dict():
    assert Crop(**asdict(replace(CROP, margin=2.0))) == Crop(size=32, margin=2.0)


@pytest.mark.parametrize(
    "fault",
    [
        {"size": 2},
        {"size": 10**6},
        {"size": 96.5},
        {"size": "96"},
        {"margin": 0},
        {"margin": float("nan")},
        {"margin": 1e300},
        {"shift": None},
        {"smoothing": -1},
        {"max_gap": float("inf")},
        {"alignment": "eyes"},
        {"interpolation": "x"},
    ],
)
def test_invalid_settings_are_refused(fault):
    with pytest.raises(AffectkitError, match=next(iter(fault))):
        Crop(**fault)


def test_stored_settings_of_another_version_are_refused():
    assert stored_crop(asdict(CROP)) == CROP
    with pytest.raises(AffectkitError, match="unknown crop settings rotation: they are damaged"):
        stored_crop(asdict(CROP) | {"rotation": 3})


def test_nothing_is_interpolated_or_smoothed_across_a_cut():
    landmark = np.concatenate([moving()[:100], moving(300, 200)[100:]])
    lost = np.arange(90, 105)  # both sides of the cut at 100
    landmark[lost] = np.nan
    boxes = crop_boxes(landmark, TIME, CROP, [100])
    first = crop_boxes(landmark[:100], TIME[:100], CROP)
    second = crop_boxes(landmark[100:], TIME[100:], CROP)
    np.testing.assert_array_equal(boxes, np.concatenate([first, second]))
    assert middles(boxes)[99, 0] < 150 < 250 < middles(boxes)[100, 0]
    np.testing.assert_array_equal(crop_boxes(landmark, TIME, CROP, [0, 100, 100]), boxes)
