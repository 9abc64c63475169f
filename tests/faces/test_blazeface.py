from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from affectkit.errors import AffectkitError
from affectkit.faces import Detector, load_detector, track_faces
from affectkit.faces.blazeface import RANGES, letterbox, make_anchors, merge_boxes, split_picture
from affectkit.faces.face_mesh import EYE_CORNERS, LANDMARKS, level_square, square_to_picture
from affectkit.faces.tflite import load_network
from affectkit.video import read_frames
from affectkit.weights import PUBLISHED

REAL = next(
    (p / "shared/real" for p in Path(__file__).parents if (p / "shared/real").is_dir()), None
)
# mean distance from dlib's points over the distance of the outer eye corners, median over frames;
# measured: 0.046, 0.039, 0.075 (turned and tilted in most frames) and 0.038
CLIPS = {
    "WolfgangLanger_Pexels.mp4": 0.06,
    "single_face.mp4": 0.05,
    "head-pose-face-detection-female.gif": 0.09,
    "head-pose-face-detection-male.gif": 0.05,
}
real = pytest.mark.skipif(REAL is None, reason="needs the real clips in shared/real")


def test_anchors_are_the_centres_of_the_cells_row_by_row():
    full, short = (make_anchors(RANGES[name]) for name in ("full", "short"))
    assert full.shape == (48 * 48, 2)
    np.testing.assert_allclose(full[:2] * 192, [[2, 2], [6, 2]], rtol=1e-5)
    np.testing.assert_allclose(full[48] * 192, [2, 6], rtol=1e-5)
    assert short.shape == (16 * 16 * 2 + 8 * 8 * 6, 2)
    np.testing.assert_allclose(short[:3] * 128, [[4, 4], [4, 4], [12, 4]], rtol=1e-5)
    np.testing.assert_allclose(short[[512, 517, 518]] * 128, [[8, 8], [8, 8], [24, 8]], rtol=1e-5)
    np.testing.assert_allclose(short[-1] * 128, [120, 120], rtol=1e-5)


@pytest.mark.parametrize(("width", "height"), [(640, 360), (100, 300), (64, 64), (500, 1)])
def test_a_letterbox_keeps_the_proportions_and_can_be_inverted(width, height):
    picture = np.full((height, width, 3), 200, np.uint8)
    square, scale, corner = letterbox(picture, 192)
    filled = np.argwhere(square[..., 0] == 200)
    low, high = filled.min(axis=0)[::-1], filled.max(axis=0)[::-1] + 1
    np.testing.assert_allclose((np.stack([low, high]) - corner) / scale, [[0, 0], [width, height]])
    assert (square == 200).any(axis=2).sum() == (high - low).prod()
    assert abs(low.sum() * 2 + (high - low).sum() - 2 * 192) <= 2  # in the middle


def test_overlapping_boxes_are_averaged_by_their_scores():
    boxes = np.float32([[50, 0, 60, 10], [0, 0, 10, 10], [2, 0, 12, 10], [9, 0, 19, 10]])
    merged, score = merge_boxes(boxes, np.float32([0.5, 0.9, 0.3, 0.6]))
    # the second and the third share 8 of 12 columns, the second and the last 1 of 19
    np.testing.assert_allclose(merged, [[0.5, 0, 10.5, 10], boxes[3], boxes[0]], rtol=1e-6)
    np.testing.assert_allclose(score, [0.9, 0.6, 0.5])
    merged, score = merge_boxes(boxes[:0], score[:0])
    assert (merged.shape, score.shape) == ((0, 4), (0,))


def test_parts_cover_the_picture_and_overlap():
    assert split_picture(640, 360, 0) == [(0, 0, 640, 360)]
    parts = split_picture(640, 360, 1)
    assert parts[1:4] == [(0, 0, 320, 320), (160, 0, 480, 320), (320, 0, 640, 320)]
    assert parts[4:] == [(left, 40, right, 360) for left, _, right, _ in parts[1:4]]
    assert len(split_picture(1, 1, 3)) == 4


def test_the_square_of_the_mesh_turns_with_the_eyes():
    mesh = np.zeros((468, 2))
    mesh[:] = 100, 50
    left, right = EYE_CORNERS
    mesh[left], mesh[right], mesh[152] = [100, 40], [100, 80], [40, 60]  # turned clockwise by 90
    centre, side, angle = level_square(mesh)
    np.testing.assert_allclose(np.rad2deg(angle), 90)
    np.testing.assert_allclose((*centre, side), (70, 60, 90))
    to_picture = square_to_picture(centre, side, angle)
    corners = np.array([[0, 0, 1], [192, 0, 1], [96, 96, 1]]) @ to_picture.T
    np.testing.assert_allclose(corners, [[115, 15], [115, 105], [70, 60]], atol=1e-9)


def test_both_sides_of_the_face_have_the_same_points():
    assert len(LANDMARKS) == len(set(LANDMARKS)) == 68
    assert (LANDMARKS[36], LANDMARKS[45]) == EYE_CORNERS


def test_unknown_ranges_and_damaged_files_are_named(tmp_path):
    with pytest.raises(AffectkitError, match="did you mean 'full'"):
        load_detector("blazeface", range="fulll")
    pytest.importorskip("ai_edge_litert")
    (tmp_path / "a.tflite").write_bytes(b"no network")
    with pytest.raises(AffectkitError, match=r"a\.tflite is not a network of TensorFlow Lite"):
        load_network(tmp_path / "a.tflite")


def loaded(**options: object) -> Detector:
    pytest.importorskip("ai_edge_litert")
    try:
        return load_detector("blazeface", **options)
    except AffectkitError as error:
        pytest.skip(f"needs the published weights: {error}")


@pytest.fixture(scope="module")
def detector() -> Detector:
    return loaded()


def test_all_weights_are_published():
    assert {grids.weights for grids in RANGES.values()} < PUBLISHED.keys()
    assert "face-mesh" in PUBLISHED


@pytest.mark.parametrize("options", [{}, {"range": "short"}, {"upsample": 1}])
def test_a_synthetic_face_and_its_landmarks_are_found(subjects, options):
    detector = loaded(**options)
    for subject in subjects:
        boxes, score = detector.detect(subject.rgb[0])
        assert (boxes.dtype, score.dtype) == (np.float32, np.float32)
        assert detector.is_confident(score).sum() == 1
        assert (score <= 1).all()
        points, true = detector.landmarks(subject.rgb[0], boxes[:1])[0], subject.landmark[0]
        eyes = np.linalg.norm(true[36] - true[45])
        assert np.linalg.norm(points - true, axis=1).mean() < 0.1 * eyes
        middle = points.mean(axis=0)
        assert ((boxes[0, :2] < middle) & (middle < boxes[0, 2:])).all()


def test_results_do_not_depend_on_earlier_pictures(detector, subjects):
    picture, other = subjects[0].rgb[0], subjects[1].rgb[0]
    boxes, score = detector.detect(picture)
    points = detector.landmarks(picture, np.concatenate([boxes[:1], boxes[:1]]))
    detector.landmarks(other, detector.detect(other)[0])
    again, score_again = detector.detect(picture)
    np.testing.assert_array_equal(boxes, again)
    np.testing.assert_array_equal(score, score_again)
    np.testing.assert_array_equal(points[1], detector.landmarks(picture, boxes[:1])[0])
    np.testing.assert_array_equal(points[0], points[1])


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (300, 400)])
def test_nothing_is_found_without_a_face(detector, shape):
    boxes, score = detector.detect(np.full((*shape, 3), 127, np.uint8))
    assert (boxes.shape, score.shape) == ((0, 4), (0,))
    assert detector.landmarks(np.zeros((*shape, 3), np.uint8), boxes).shape == (0, 68, 2)


def test_points_in_any_box_are_finite(detector):
    noise = np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)
    boxes = np.float32([[0, 0, 0, 0], [-500, -500, -400, -400], [10, 10, 11, 11], [0, 0, 9e3, 1]])
    assert np.isfinite(detector.landmarks(noise, boxes)).all()


def real_face() -> np.ndarray:
    """A frontal face of 200 pixels in a picture of 640 x 360."""
    return np.asarray(next(read_frames(REAL / "single_face.mp4", 1))[1][0])


@real
@pytest.mark.real
def test_a_group_of_thirty_small_faces_is_found_with_upsampling(detector):
    face = cv2.resize(real_face()[:, 140:500], (100, 100), interpolation=cv2.INTER_AREA)
    group = np.tile(face, (5, 6, 1))
    boxes, score = loaded(upsample=1).detect(group)
    assert detector.is_confident(score).sum() == 30
    assert len({(int(x), int(y)) for x, y in (boxes[:, :2] + boxes[:, 2:]) // 200}) == 30
    assert np.isfinite(detector.landmarks(group, boxes)).all()
    detector.detect(cv2.resize(group, None, fx=0.2, fy=0.2, interpolation=cv2.INTER_AREA))


@real
@pytest.mark.real
@pytest.mark.parametrize("angle", range(-180, 180, 30))
def test_the_mesh_turns_with_the_picture(detector, angle):
    picture = real_face()
    boxes, _ = detector.detect(picture)
    points = detector.landmarks(picture, boxes[:1])[0]
    side = 740  # pixels: the diagonal fits
    turn = cv2.getRotationMatrix2D((320, 180), angle, 1)
    turn[:, 2] += side / 2 - np.array([320, 180])
    turned = cv2.warpAffine(picture, turn, (side, side))
    centre = (boxes[0, :2] + boxes[0, 2:]) / 2 @ turn[:, :2].T + turn[:, 2]
    half = (boxes[0, 2:] - boxes[0, :2]).max() / 2
    found = detector.landmarks(turned, np.float32([[*(centre - half), *(centre + half)]]))[0]
    expected = points @ turn[:, :2].T + turn[:, 2]
    eyes = np.linalg.norm(points[36] - points[45])
    assert np.linalg.norm(found - expected, axis=1).mean() < 0.06 * eyes


@real
@pytest.mark.real
@pytest.mark.parametrize("name", CLIPS)
def test_a_real_face_is_found_and_its_points_agree_with_those_of_dlib(detector, name):
    dlib, distances = load_detector("dlib"), []
    for _, rgb in islice(read_frames(REAL / name, 4), 0, None, 4 if name.endswith("mp4") else 1):
        boxes, score = detector.detect(rgb[0])
        assert detector.is_confident(score).sum() == 1
        points = detector.landmarks(rgb[0], boxes[:1])[0]
        others, _ = dlib.detect(rgb[0])
        theirs = dlib.landmarks(rgb[0], others[:1])[0]
        eyes = np.linalg.norm(theirs[36] - theirs[45])
        distances.append(np.linalg.norm(points - theirs, axis=1).mean() / eyes)
    assert np.median(distances) < CLIPS[name]


@real
@pytest.mark.real
def test_a_real_face_is_tracked_in_every_frame(detector):
    tracked = track_faces(islice(read_frames(REAL / "single_face.mp4"), 2), detector)
    assert [track.frame for track in tracked.tracks] == [list(range(len(tracked.time)))]
    score = tracked.tracks[0].score
    assert np.flatnonzero(np.isfinite(score)).tolist() == [0, 16, 32, 48, 63]
    assert (score[::16] > 0.5).all()
