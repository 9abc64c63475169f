import numpy as np

from affectkit.faces import load_detector
from affectkit.faces.looks import colours, describe, likeness, see


def test_brighter_light_leaves_the_likeness_and_another_face_does_not(actors):
    pictures = [actors[0].rgb[0], actors[0].rgb[1] // 2, actors[1].rgb[0]]
    points = [actors[0].landmark[0], actors[0].landmark[1], actors[1].landmark[0]]
    like = likeness([colours(*each) for each in zip(pictures, points, strict=True)])
    np.testing.assert_allclose(np.diag(like), 1)
    np.testing.assert_allclose(like, like.T)
    assert like[0, 1] > 0.9 > like[0, 2] + 0.2


def test_a_face_at_the_edge_is_seen_too(actors):
    picture, points = actors[0].rgb[0], actors[0].landmark[0]
    for shift in (-150, 150):
        look = colours(picture, points + shift)
        assert look.shape == (12, 12, 3)
        assert np.isfinite(look).all()
    assert np.isfinite(likeness([np.zeros((12, 12, 3), np.float32)] * 2)).all()


def test_the_net_takes_two_sights_of_a_face_for_one(actors):
    detector = load_detector("dlib")
    seen = []
    for frame in (0, 30):
        picture = actors[0].rgb[frame]
        box, _ = detector.find(picture)
        look = see(picture, detector.fit(picture, box)[0])
        assert look.net is None
        seen.append(describe(look))
    assert seen[0].chip is None
    assert describe(seen[0]) is seen[0]
    assert seen[0].net.shape == (128,)
    assert 0 < np.linalg.norm(seen[0].net - seen[1].net) < 0.6
