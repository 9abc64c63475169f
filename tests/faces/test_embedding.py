import numpy as np

from affectkit.faces import load_detector
from affectkit.faces.embedding import add_descriptor, embed_face, face_thumbnail, similarity


def test_similarity_does_not_depend_on_brightness_and_is_lower_for_another_face(subjects):
    pictures = [subjects[0].rgb[0], subjects[0].rgb[1] // 2, subjects[1].rgb[0]]
    points = [subjects[0].landmark[0], subjects[0].landmark[1], subjects[1].landmark[0]]
    matrix = similarity([face_thumbnail(*each) for each in zip(pictures, points, strict=True)])
    np.testing.assert_allclose(np.diag(matrix), 1)
    np.testing.assert_allclose(matrix, matrix.T)
    assert matrix[0, 1] > 0.9 > matrix[0, 2] + 0.2


def test_a_face_at_the_edge_of_the_picture_has_a_thumbnail(subjects):
    picture, points = subjects[0].rgb[0], subjects[0].landmark[0]
    for shift in (-150, 150):
        thumbnail = face_thumbnail(picture, points + shift)
        assert thumbnail.shape == (12, 12, 3)
        assert np.isfinite(thumbnail).all()
    assert np.isfinite(similarity([np.zeros((12, 12, 3), np.float32)] * 2)).all()


def test_the_network_recognises_a_face_in_two_frames(subjects):
    detector = load_detector("dlib")
    embeddings = []
    for frame in (0, 30):
        picture = subjects[0].rgb[frame]
        box, _ = detector.detect(picture)
        embedding = embed_face(picture, detector.landmarks(picture, box)[0])
        assert embedding.descriptor is None
        embeddings.append(add_descriptor(embedding))
    assert embeddings[0].chip is None
    assert add_descriptor(embeddings[0]) is embeddings[0]
    assert embeddings[0].descriptor.shape == (128,)
    assert 0 < np.linalg.norm(embeddings[0].descriptor - embeddings[1].descriptor) < 0.6
