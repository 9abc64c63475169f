from dataclasses import replace

import numpy as np
import pytest

from affectkit.errors import AffectkitError
from affectkit.faces import load_detector, looks
from affectkit.faces.people import Person, choose_person, find_people
from affectkit.faces.tracking import follow
from tests.faces.stage import FPS, LEFT, RIGHT, WIDTH, batches, empty, places, put, truth


def people_on(stage: np.ndarray) -> list[Person]:
    return find_people(follow(batches(stage), load_detector("dlib")))


@pytest.fixture
def without_net(monkeypatch):
    """As where the package of the net's weights is not installed."""
    monkeypatch.setattr(looks, "_net_file", lambda: None)


def test_two_people_keep_who_they_are_while_one_is_hidden(actors):
    stage = empty(60)
    put(stage, actors[0].rgb, LEFT)
    put(stage, actors[1].rgb, RIGHT)
    stage[20:44, 70:180, RIGHT + 40 : RIGHT + 150] = 95  # two seconds
    people = sorted(people_on(stage), key=lambda person: -person.frames)
    assert len(people) == 2
    assert "".join(places(people[0])) == "L" * 60
    assert "".join(places(people[1])) == "R" * 20 + "-" * 24 + "R" * 16
    for person, actor, left in zip(people, actors[:2], (LEFT, RIGHT), strict=True):
        off = np.linalg.norm(person.landmark - truth(actor.landmark, left), axis=2)
        assert np.nanmedian(off) < 3


@pytest.mark.parametrize("net", [True, False])
def test_two_people_keep_who_they_are_when_a_cut_swaps_them(net, actors, request):
    if not net:
        request.getfixturevalue("without_net")
    stage = empty(60)
    put(stage, actors[0].rgb[:25], LEFT)
    put(stage, actors[1].rgb[:25], RIGHT)
    put(stage, actors[0].rgb[25:], RIGHT, first=25)
    put(stage, actors[1].rgb[25:], LEFT, first=25)
    one, two = people_on(stage)
    swapped = "L" * 25 + "R" * 35, "R" * 25 + "L" * 35
    assert {"".join(places(one)), "".join(places(two))} == set(swapped)
    assert one.cuts.tolist() == two.cuts.tolist() == [25]


def test_a_person_is_known_again_after_a_shot_without_any_face(actors):
    film = np.concatenate([actors[0].rgb[:20], actors[2].rgb[:20], actors[0].rgb[40:]])
    stage = empty(len(film))
    put(stage, film, LEFT)
    stage[20:40] = 128 + empty(20) // 4
    (person,) = people_on(stage)
    assert "".join(places(person)) == "L" * 20 + "-" * 20 + "L" * 20
    assert person.cuts.tolist() == [20, 40]


def test_the_viewer_wins_over_smaller_faces_that_change_with_the_cuts_behind(actors):
    stage = empty(60)
    put(stage, actors[0].rgb, LEFT)
    for first, actor in ((0, 1), (20, 2), (40, 1)):
        put(stage, actors[actor].rgb[first : first + 20, ::1], RIGHT, first=first)
    people = people_on(stage)
    viewer = choose_person(people, "", WIDTH)
    assert "".join(places(viewer)) == "L" * 60
    assert viewer.cuts.size == 0  # what is cut is not the viewer


def standing(left: float, frames: int, side: float = 50) -> Person:
    box = np.full((100, 4), np.nan, np.float32)
    box[:frames] = [left, 10, left + side, 10 + side]
    return Person(box, np.full((100, 68, 2), np.nan, np.float32), np.empty(0, np.int64))


def test_left_and_right_are_places_of_the_two_most_present():
    brief, right, left = standing(0, 30), standing(300, 90), standing(100, 80)
    people = [brief, right, left]
    assert choose_person(people, "left", 400) is left
    assert choose_person(people, "right", 400) is right
    assert choose_person([right, standing(0, 4)], "right", 400) is right


def test_a_lone_person_is_on_the_half_of_the_picture_where_the_face_is():
    lone = standing(300, 90)
    assert choose_person([lone, standing(0, 3)], "left", 400) is None
    assert choose_person([lone], "right", 400) is lone
    assert choose_person([lone], "", 400) is lone
    assert choose_person([], "left", 400) is None
    with pytest.raises(AffectkitError, match="expected 'left', 'right' or ''"):
        choose_person([lone], "middle", 400)


def test_the_viewer_has_the_largest_area_over_all_frames():
    often, large = standing(0, 90), standing(200, 50, side=60)
    assert choose_person([large, often], "", 400) is often  # 90 * 50 * 50 > 50 * 60 * 60
    assert often.area == 90 * 50 * 50
    assert (often.frames, large.frames) == (90, 50)


def test_people_do_not_depend_on_batches(actors):
    stage = empty(3 * FPS)
    put(stage, actors[0].rgb, LEFT)
    put(stage, actors[1].rgb, RIGHT)
    detector = load_detector("dlib")
    first, *others = (
        find_people(follow(batches(stage, size), replace(detector))) for size in (5, 16, 36)
    )
    for other in others:
        for one, two in zip(first, other, strict=True):
            np.testing.assert_array_equal(one.landmark, two.landmark)
