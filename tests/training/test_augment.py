import numpy as np
import pytest
import torch

from affectkit.training.augment import MIRROR, augment, mirror
from affectkit.training.windows import Batch


def test_mirroring_twice_gives_the_original():
    assert np.array_equal(np.array(MIRROR)[MIRROR], np.arange(68))
    pairs = {0: 16, 17: 26, 31: 35, 36: 45, 41: 46, 48: 54, 60: 64, 27: 27, 8: 8}
    assert {left: MIRROR[left] for left in pairs} == pairs


def test_a_mirrored_face_known_by_hand():
    """Two rows of four pixels; the outer corners of the eyes, a mouth corner, the nose."""
    picture = torch.arange(8, dtype=torch.uint8).view(1, 2, 4, 1)
    landmark = torch.zeros(1, 68, 2)
    landmark[0, 36], landmark[0, 45] = torch.tensor([-0.5, -0.3]), torch.tensor([0.4, -0.2])
    landmark[0, 48], landmark[0, 30] = torch.tensor([-0.2, 0.5]), torch.tensor([0.1, 0.0])
    mirrored, moved = mirror(picture, landmark)
    assert mirrored.flatten().tolist() == [3, 2, 1, 0, 7, 6, 5, 4]
    expected = torch.zeros(1, 68, 2)
    expected[0, 45], expected[0, 36] = torch.tensor([0.5, -0.3]), torch.tensor([-0.4, -0.2])
    expected[0, 54], expected[0, 30] = torch.tensor([0.2, 0.5]), torch.tensor([-0.1, 0.0])
    assert torch.equal(moved, expected)


def batch_of(face):
    """One window; all landmarks and annotations are 0."""
    return Batch(face[None], torch.zeros(1, len(face), 68, 2), torch.zeros(1, len(face), 2))


def test_augmentation_is_the_same_in_all_frames_of_a_window():
    face = torch.randint(0, 256, (1, 48, 48, 3), dtype=torch.uint8).repeat(6, 1, 1, 1)
    torch.manual_seed(0)
    augmented = augment(batch_of(face), 32).face[0]
    assert augmented.shape == (6, 32, 32, 3)
    assert (augmented == augmented[0]).all()


def test_augmentation_differs_between_windows_and_keeps_annotations():
    face = torch.randint(0, 256, (1, 1, 48, 48, 3), dtype=torch.uint8).repeat(3, 2, 1, 1, 1)
    batch = Batch(face, torch.zeros(3, 2, 68, 2), torch.rand(3, 2, 2))
    torch.manual_seed(0)
    augmented = augment(batch, 32)
    first, second, third = augmented.face.float()
    assert min((first - second).abs().mean(), (second - third).abs().mean()) > 5
    assert torch.equal(augmented.annotation, batch.annotation)
    assert not augmented.landmark.any()


@pytest.mark.parametrize("seed", range(6))
def test_all_landmarks_have_the_same_affine_transform(seed):
    """Also one outside the picture, one that moves, and those exactly on a centre line."""
    batch = batch_of(torch.zeros(2, 48, 48, 3, dtype=torch.uint8))
    nose = torch.tensor([[0.1, 0.2], [0.6, 0.1], [-0.3, 0.5], [1.3, -1.2]])  # own mirror images
    chin = torch.tensor([[0.0, 0.3], [-0.4, 0.0]])
    batch.landmark[0, 0, 27:31], batch.landmark[0, :, 8] = nose, chin
    torch.manual_seed(seed)
    augmented = augment(batch, 32).landmark
    ones = torch.ones(4, 1)
    transform = torch.linalg.solve(torch.cat([nose, ones], 1)[:3], augmented[0, 0, 27:30])
    given = torch.cat([torch.cat([nose[3:], chin]), ones[:3]], 1)
    expected = augmented[0, [0, 0, 1], [30, 8, 8]]
    torch.testing.assert_close(given @ transform, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("seed", range(6))
def test_landmarks_move_with_the_picture(seed):
    face = torch.zeros(1, 64, 64, 3, dtype=torch.uint8)
    face[0, 22:26, 40:44] = 255
    batch = batch_of(face)
    batch.landmark[0, 0, 36] = torch.tensor([42 / 32 - 1, 24 / 32 - 1])
    torch.manual_seed(seed)
    augmented = augment(batch, 64)
    light = augmented.face[0, 0].float().sum(2)
    light = light * (light > light.max() / 2)
    rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    centre = torch.stack([(columns * light).sum(), (rows * light).sum()]) / light.sum() + 0.5
    points = augmented.landmark[0, 0][[36, MIRROR[36]]]
    point = points[points.abs().sum(1).argmax()]
    assert (centre - (point + 1) * 32).abs().max() < 1.5


def test_cutout_is_at_the_same_place_in_all_frames_and_keeps_landmarks():
    face = torch.randint(128, 256, (1, 48, 48, 3), dtype=torch.uint8).repeat(6, 1, 1, 1)
    torch.manual_seed(1)
    plain = augment(batch_of(face), 32)
    torch.manual_seed(1)
    cut = augment(batch_of(face), 32, cutout=1.0)
    hole = (cut.face[0] != plain.face[0]).any(-1)
    assert (hole == hole[0]).all()
    assert 0.02 <= hole[0].float().mean() <= 0.2
    assert (cut.face[0][hole] == 0).all()
    assert torch.equal(cut.landmark, plain.landmark)
