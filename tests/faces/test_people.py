from dataclasses import replace

import numpy as np
import pytest

from affectkit.errors import AffectkitError
from affectkit.faces import (
    Person,
    choose_person,
    embedding,
    find_people,
    load_detector,
    track_faces,
)
from tests.faces.scene import FPS, LEFT, RIGHT, WIDTH, batches, blank, paste, sides, to_scene


def people_in(scene: np.ndarray) -> list[Person]:
    return find_people(track_faces(batches(scene), load_detector("dlib")))


@pytest.fixture
def without_network(monkeypatch):
    """As if the weights of the face recognition network were not installed."""
    monkeypatch.setattr(embedding, "_network_file", lambda: None)


def test_two_people_are_told_apart_while_one_is_hidden(subjects):
    scene = blank(60)
    paste(scene, subjects[0].rgb, LEFT)
    paste(scene, subjects[1].rgb, RIGHT)
    scene[20:44, 70:180, RIGHT + 40 : RIGHT + 150] = 95  # two seconds
    people = sorted(people_in(scene), key=lambda person: -person.frames)
    assert len(people) == 2
    assert "".join(sides(people[0])) == "L" * 60
    assert "".join(sides(people[1])) == "R" * 20 + "-" * 24 + "R" * 16
    for person, subject, left in zip(people, subjects[:2], (LEFT, RIGHT), strict=True):
        off = np.linalg.norm(person.landmark - to_scene(subject.landmark, left), axis=2)
        assert np.nanmedian(off) < 3


@pytest.mark.parametrize("network", [True, False])
def test_two_people_are_told_apart_when_a_cut_swaps_their_sides(network, subjects, request):
    if not network:
        request.getfixturevalue("without_network")
    scene = blank(60)
    paste(scene, subjects[0].rgb[:25], LEFT)
    paste(scene, subjects[1].rgb[:25], RIGHT)
    paste(scene, subjects[0].rgb[25:], RIGHT, first=25)
    paste(scene, subjects[1].rgb[25:], LEFT, first=25)
    one, two = people_in(scene)
    swapped = "L" * 25 + "R" * 35, "R" * 25 + "L" * 35
    assert {"".join(sides(one)), "".join(sides(two))} == set(swapped)
    assert one.cuts.tolist() == two.cuts.tolist() == [25]


def test_a_person_is_recognised_after_a_shot_without_a_face(subjects):
    pictures = np.concatenate([subjects[0].rgb[:20], subjects[2].rgb[:20], subjects[0].rgb[40:]])
    scene = blank(len(pictures))
    paste(scene, pictures, LEFT)
    scene[20:40] = 128 + blank(20) // 4
    (person,) = people_in(scene)
    assert "".join(sides(person)) == "L" * 20 + "-" * 20 + "L" * 20
    assert person.cuts.tolist() == [20, 40]


def test_the_viewer_is_preferred_to_smaller_faces_on_a_screen_behind(subjects):
    scene = blank(60)
    paste(scene, subjects[0].rgb, LEFT)
    for first, other in ((0, 1), (20, 2), (40, 1)):
        paste(scene, subjects[other].rgb[first : first + 20], RIGHT, first=first)
    people = people_in(scene)
    viewer = choose_person(people, "", WIDTH)
    assert "".join(sides(viewer)) == "L" * 60
    assert viewer.cuts.size == 0  # the cuts are on the screen only


def person_at(left: float, frames: int, side: float = 50) -> Person:
    box = np.full((100, 4), np.nan, np.float32)
    box[:frames] = [left, 10, left + side, 10 + side]
    landmark = np.full((100, 68, 2), np.nan, np.float32)
    return Person(box, landmark, box[:, 0], np.empty(0, np.int64))


def test_left_and_right_refer_to_the_two_people_in_most_frames():
    brief, right, left = person_at(0, 30), person_at(300, 90), person_at(100, 80)
    people = [brief, right, left]
    assert choose_person(people, "left", 400) is left
    assert choose_person(people, "right", 400) is right
    assert choose_person([right, person_at(0, 4)], "right", 400) is right


def test_a_single_person_is_left_or_right_by_the_half_of_the_picture():
    single = person_at(300, 90)
    assert choose_person([single, person_at(0, 3)], "left", 400) is None
    assert choose_person([single], "right", 400) is single
    assert choose_person([single], "", 400) is single
    assert choose_person([], "left", 400) is None


def test_the_viewer_is_the_person_with_the_largest_face_area_over_all_frames():
    often, large = person_at(0, 90), person_at(200, 50, side=60)
    assert choose_person([large, often], "", 400) is often  # 90 * 50 * 50 > 50 * 60 * 60
    assert often.area == 90 * 50 * 50
    assert (often.frames, large.frames) == (90, 50)


def test_a_number_chooses_by_the_face_area():
    small, large = person_at(0, 90, side=40), person_at(200, 90, side=60)
    assert choose_person([small, large], "1", 400) is large
    assert choose_person([small, large], "2", 400) is small
    assert choose_person([small, large], "3", 400) is None


@pytest.mark.parametrize("person", ["middle", "0", "-1", "1.5", "9999", " left"])
def test_an_unknown_person_is_a_one_line_error(person):
    with pytest.raises(AffectkitError, match="expected 'left', 'right' or a number") as error:
        choose_person([person_at(300, 90)], person, 400)
    assert "\n" not in str(error.value)


def test_people_do_not_depend_on_the_batch_size(subjects):
    scene = blank(3 * FPS)
    paste(scene, subjects[0].rgb, LEFT)
    paste(scene, subjects[1].rgb, RIGHT)
    detector = load_detector("dlib")
    first, *others = (
        find_people(track_faces(batches(scene, size), replace(detector))) for size in (5, 16, 36)
    )
    for other in others:
        for one, two in zip(first, other, strict=True):
            np.testing.assert_array_equal(one.landmark, two.landmark)
