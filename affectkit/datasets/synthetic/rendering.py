"""Rendering of synthetic faces: single pictures, and the frames of a video.

A picture is rendered from back to front: background, head, features. Sizes are in units of the face
and multiplied by `subject.scale`; line widths and blurs are in pixels of a 256-pixel picture and
multiplied by its size.
"""

from collections.abc import Iterator, Mapping

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from affectkit.datasets.synthetic.landmarks import landmarks, project
from affectkit.datasets.synthetic.movement import MOVEMENT
from affectkit.datasets.synthetic.scene import Scene
from affectkit.datasets.synthetic.shapes import blend, curve, ellipse, fill, stroke
from affectkit.datasets.synthetic.subject import (
    BROWS,
    EYES,
    LOWER_LIP,
    NOSTRILS,
    SHADE_REACH,
    UPPER_LIP,
    Subject,
)

Canvas = NDArray[np.uint8]
Points = NDArray[np.float64]
Movement = Mapping[str, float]

SIDES = ((-1, 31, 48), (1, 35, 54))  # sign of x, wing of the nose, corner of the mouth
FRAME = (40, 35, 35)
THROAT, TEETH = (48, 18, 28), (228, 222, 215)


def render_face(subject: Subject, movement: Movement) -> Canvas:
    """The picture (row, col, channel) in red, green and blue, without sensor noise."""
    canvas = subject.background.copy()
    points = landmarks(subject, movement)
    _render_behind(canvas, subject, movement)
    _render_skin(canvas, subject, movement, points)
    _render_nose(canvas, subject, points)
    _render_folds(canvas, subject, movement, points)
    for eye in EYES:
        _render_eye(canvas, subject, points[eye])
    _render_brows(canvas, subject, points)
    _render_mouth(canvas, subject, points)
    _render_hair(canvas, subject, movement)
    if subject.glasses:
        _render_glasses(canvas, subject, points)
    return canvas


def _pixels(subject: Subject, width: float) -> float:
    return width * subject.size / 256


def _dome(subject: Subject, *, wide: float, base: float, high: float, count: int) -> Points:
    """The upper half of an ellipse (point, axis), left to right, in units of the face."""
    turn = np.linspace(np.pi, 0, count)
    return np.stack([np.cos(turn) * wide * subject.width, base - np.sin(turn) * high], axis=1)


def _render_behind(canvas: Canvas, subject: Subject, movement: Movement) -> None:
    _render_shoulders(canvas, subject, movement)
    top = _dome(subject, wide=0.53, base=-0.16, high=0.42 + 0.55 * subject.hair_height, count=13)
    ends = [(0.55, 0.3), (0.47, 0.6), (-0.47, 0.6), (-0.55, 0.3)]
    ends = ends if subject.long_hair else [(0.5, 0), (-0.5, 0)]
    outline = np.vstack([top, np.array(ends) * [subject.width, 1]])
    hair = curve(project(subject, movement, outline, -0.05), closed=True)
    fill(canvas, hair, subject.hair * 0.8, blur=_pixels(subject, 0.8))
    _render_neck(canvas, subject, movement)
    if not subject.long_hair:
        for side in (-1, 1):
            ear = project(subject, movement, [[side * 0.475 * subject.width, -0.02]], 0.0)
            outline = ellipse(ear, np.array([0.05, 0.11]) * subject.scale)
            fill(canvas, outline, subject.skin * 0.8, blur=_pixels(subject, 0.5))


def _render_shoulders(canvas: Canvas, subject: Subject, movement: Movement) -> None:
    """The body follows the head only slightly."""
    still = {name: 0.3 * value for name, value in movement.items()}
    outline = [(-1.1, 1.3), (-0.85, 0.88), (-0.45, 0.74), (0.45, 0.74), (0.85, 0.88), (1.1, 1.3)]
    body = curve(project(subject, still, outline, -0.2))
    fill(canvas, body, subject.clothes, blur=_pixels(subject, 1))


def _render_neck(canvas: Canvas, subject: Subject, movement: Movement) -> None:
    half = np.array([[0.24, 0.3], [0.23, 0.55], [0.25, 0.68], [0.36, 0.76]])
    outline = np.vstack([half * [-1, 1], [(0, 0.84)], half[::-1]])
    neck = project(subject, movement, outline, -0.1)
    fill(canvas, neck, subject.skin * 0.62, blur=_pixels(subject, 0.8))
    for side in (-1, 1):
        edge = project(subject, movement, half * [side * 0.97, 1], -0.1)
        stroke(canvas, curve(edge), subject.skin * 0.4, _pixels(subject, 5),
               blur=_pixels(subject, 3), opacity=0.6)  # fmt: skip


def _render_skin(canvas: Canvas, subject: Subject, movement: Movement, points: Points) -> None:
    brow = project(subject, movement, _forehead(subject), 0.08)
    outline = np.vstack([points[:17], brow])
    shadow = curve(outline + np.array([0, 0.05 * subject.scale]), closed=True)
    fill(canvas, shadow, subject.skin * 0.38, blur=_pixels(subject, 4), opacity=0.55)
    mask = np.zeros(canvas.shape[:2], np.uint8)
    fixed = np.round(curve(outline, closed=True) * 16).astype(np.int32)
    cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, 4)
    mask = cv2.GaussianBlur(mask, (0, 0), _pixels(subject, 0.8))
    left, top, wide, high = cv2.boundingRect(mask)
    window = np.s_[top : top + high, left : left + wide]
    shade = _turned_shade(subject, movement)[window]
    blend(canvas[window], np.clip(shade * np.float32(subject.skin), 0, 255), mask[window])
    jaw = curve(points[2:15])
    stroke(canvas, jaw, subject.skin * 0.42, _pixels(subject, 2),
           blur=_pixels(subject, 1.3), opacity=0.6)  # fmt: skip


def _forehead(subject: Subject) -> Points:
    return _dome(subject, wide=0.45, base=-0.17, high=0.42, count=9)[::-1]


def _turned_shade(subject: Subject, movement: Movement) -> NDArray[np.float32]:
    """The shading, warped with the head: an affine map through the eyes and the chin."""
    anchors = subject.landmark[[36, 45, 8]]
    source = (anchors / SHADE_REACH + 1) / 2 * subject.size
    shown = project(subject, movement, anchors, 0.22)
    turn = cv2.getAffineTransform(source.astype(np.float32), shown.astype(np.float32))
    size = (subject.size, subject.size)
    shade = cv2.warpAffine(subject.shade, turn, size, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(shade, np.float32)


def _render_nose(canvas: Canvas, subject: Subject, points: Points) -> None:
    scale, skin = subject.scale, subject.skin
    stroke(canvas, curve(points[NOSTRILS] + [0, 0.004 * scale]), skin * 0.5, _pixels(subject, 2),
           blur=_pixels(subject, 1), opacity=0.8)  # fmt: skip
    for side, outer, inner in ((-1, 31, 32), (1, 35, 34)):
        centre = (points[outer] + points[inner]) / 2 - [0, 0.004 * scale]
        hole = ellipse(centre, np.array([0.026, 0.013]) * scale, -15 * side)
        fill(canvas, hole, skin * 0.22, blur=_pixels(subject, 0.6), opacity=0.9)
        bends = np.array([[0, 0], [side * 0.022, -0.045], [side * 0.004, -0.09]])
        stroke(canvas, curve(points[outer] + bends * scale), skin * 0.58, _pixels(subject, 2),
               blur=_pixels(subject, 1), opacity=0.55)  # fmt: skip
    stroke(canvas, curve(points[27:31]), skin * 1.15 + 12, _pixels(subject, 2),
           blur=_pixels(subject, 2.2), opacity=0.55)  # fmt: skip


def _render_folds(canvas: Canvas, subject: Subject, movement: Movement, points: Points) -> None:
    """The folds next to the mouth, the raised cheeks, and the furrow between lowered brows."""
    smile, frown, scale = movement["AU12"], movement["AU15"], subject.scale
    for side, wing, corner in SIDES:
        start = points[wing] + np.array([side * 0.03, -0.01]) * scale
        end = points[corner] + np.array([side * 0.045, 0.01]) * scale
        bend = (start + end) / 2 + np.array([side * (0.02 + 0.03 * smile), -0.005]) * scale
        stroke(canvas, curve(np.stack([start, bend, end])), subject.skin * 0.5, _pixels(subject, 2),
               blur=_pixels(subject, 1.3), opacity=0.25 + 0.5 * smile + 0.2 * frown)  # fmt: skip
        cheek = (start + end) / 2 + np.array([side * 0.09, -0.10 - 0.03 * smile]) * scale
        fill(canvas, ellipse(cheek, np.array([0.07, 0.05]) * scale),
             subject.skin * 1.1 + [22, 8, 8], blur=_pixels(subject, 5),
             opacity=0.45 * smile)  # fmt: skip
    furrows = [
        points[brow] + np.array([[side * 0.025, -0.02], [side * 0.03, 0.05]]) * scale
        for side, brow in ((-1, 21), (1, 22))
    ]
    stroke(canvas, furrows, subject.skin * 0.45, _pixels(subject, 2),
           blur=_pixels(subject, 0.9), opacity=0.75 * movement["AU4"])  # fmt: skip


def _render_eye(canvas: Canvas, subject: Subject, eye: Points) -> None:
    scale, skin = subject.scale, subject.skin
    upper, lower = curve(eye[[0, 1, 2, 3]]), curve(eye[[3, 4, 5, 0]])
    low = np.floor(eye.min(axis=0) - 4).astype(int).clip(0)
    high = np.ceil(eye.max(axis=0) + 5).astype(int)
    window = canvas[low[1] : high[1], low[0] : high[0]]
    if window.size:
        opening = np.zeros_like(window)
        fill(opening, np.concatenate([upper, lower]) - low, (255, 255, 255))
        ball = _render_eyeball(window, subject, eye - low, upper - low)
        blend(window, ball, np.ascontiguousarray(opening[..., 0]))
    stroke(canvas, upper, skin * 0.16, _pixels(subject, 2))
    stroke(canvas, lower, skin * 0.55, _pixels(subject, 1))
    openness = (eye[[4, 5], 1] - eye[[1, 2], 1]).mean()
    raised = 0.024 if openness > 0.015 * scale else 0.038
    stroke(canvas, upper - [0, raised * scale], skin * 0.45, _pixels(subject, 1),
           blur=_pixels(subject, 0.7), opacity=0.75)  # fmt: skip


def _render_eyeball(window: Canvas, subject: Subject, eye: Points, upper: Points) -> Canvas:
    scale, ball = subject.scale, np.empty_like(window)
    ball[:] = np.array([230, 226, 222]) * np.clip(0.55 + 0.5 * subject.skin.mean() / 190, 0, 1)
    centre = (eye[0] + eye[3]) / 2 * 0.6 + eye.mean(axis=0) * 0.4
    for radius, colour in (
        (0.036, subject.iris * 0.6),
        (0.029, subject.iris),
        (0.016, (12, 12, 12)),
    ):
        fill(ball, ellipse(centre, [radius * scale] * 2), colour)
    fill(ball, ellipse(centre - 0.0115 * scale, [0.008 * scale] * 2), (245, 245, 245))
    stroke(ball, upper, (30, 25, 25), _pixels(subject, 3), blur=_pixels(subject, 1.2), opacity=0.6)
    return ball


def _render_brows(canvas: Canvas, subject: Subject, points: Points) -> None:
    thickness = subject.brow_thickness * subject.scale * np.array([0.45, 0.8, 1, 1.05, 0.95])
    for brow, thick in zip(BROWS, (thickness, thickness[::-1]), strict=True):
        rise = np.stack([np.zeros(5), thick], axis=1)
        upper, lower = curve(points[brow] - 0.55 * rise), curve(points[brow] + 0.5 * rise)
        fill(canvas, np.concatenate([upper, lower[::-1]]), subject.brow,
             blur=_pixels(subject, 0.9), opacity=0.92)  # fmt: skip


def _render_mouth(canvas: Canvas, subject: Subject, points: Points) -> None:
    scale, lip = subject.scale, subject.lip
    seam = curve(points[[60, 61, 62, 63, 64]])
    gap = points[66, 1] - points[62, 1]
    if gap > 0.005 * scale:
        _render_opening(canvas, subject, points, seam)
    for parts, colour in ((UPPER_LIP, lip * 0.82), (LOWER_LIP, lip)):
        outline = np.concatenate([curve(points[part]) for part in parts])
        fill(canvas, outline, colour, blur=_pixels(subject, 0.7), opacity=0.95)
    shine = (points[[58, 57, 56]] + points[[67, 66, 65]]) / 2
    stroke(canvas, curve(shine), lip * 1.25 + 15, _pixels(subject, 2),
           blur=_pixels(subject, 1.3), opacity=0.5)  # fmt: skip
    stroke(canvas, seam, lip * 0.35, _pixels(subject, 1))
    if gap <= 0.005 * scale:
        stroke(canvas, curve(points[[48, 60, 67, 66, 65, 64, 54]]), lip * 0.25, _pixels(subject, 2),
               blur=_pixels(subject, 0.6), opacity=0.85)  # fmt: skip
    for side, corner in ((-1, 48), (1, 54)):
        dimple = ellipse(points[corner] + [side * 0.006 * scale, 0], [0.014 * scale] * 2)
        fill(canvas, dimple, subject.skin * 0.4, blur=_pixels(subject, 1.2), opacity=0.7)
    stroke(canvas, curve(points[[59, 58, 57, 56, 55]] + [0, 0.035 * scale]), subject.skin * 0.55,
           _pixels(subject, 3), blur=_pixels(subject, 2), opacity=0.5)  # fmt: skip


def _render_opening(canvas: Canvas, subject: Subject, points: Points, seam: Points) -> None:
    """The dark opening between the lips, with the visible part of the upper teeth."""
    floor = curve(points[[64, 65, 66, 67, 60]])[::-1]
    fill(canvas, np.concatenate([seam, floor[::-1]]), THROAT)
    edge = np.minimum(seam[:, 1] + 0.034 * subject.scale, floor[:, 1])
    edge = np.stack([seam[:, 0], np.maximum(edge, seam[:, 1])], axis=1)
    fill(canvas, np.concatenate([seam, edge[::-1]]), TEETH, blur=_pixels(subject, 0.5))


def _render_hair(canvas: Canvas, subject: Subject, movement: Movement) -> None:
    """The hair in front of the skin, with lighter and darker strands."""
    crown = _dome(subject, wide=0.49, base=-0.2, high=0.42 + 0.4 * subject.hair_height, count=11)
    fringe = subject.fringe
    hairline = np.array([(0.47, -0.12), (0.40, -0.3), (0.25, -0.42 + 0.6 * fringe),
                         (0, -0.45 + fringe), (-0.25, -0.44 + 0.5 * fringe), (-0.40, -0.3),
                         (-0.47, -0.12)])  # fmt: skip
    outline = np.vstack([crown, hairline * [subject.width, 1]])
    shape = curve(project(subject, movement, outline, 0.1), closed=True)
    fill(canvas, shape, subject.hair, blur=_pixels(subject, 1.2), opacity=0.97)
    for tone, factor in ((1, 1.3), (-1, 0.7)):
        chosen = subject.strands[np.sign(subject.strands[:, 2]) == tone]
        strands = [_strand(subject, movement, place, bend) for place, bend, _ in chosen]
        stroke(canvas, strands, subject.hair * factor, _pixels(subject, 1),
               blur=_pixels(subject, 0.9), opacity=0.55)  # fmt: skip


def _strand(subject: Subject, movement: Movement, place: float, bend: float) -> Points:
    """One strand, from the crown to the hairline."""
    top = 0.6 + 0.4 * subject.hair_height
    y = np.interp(np.abs(place), [0, 0.6, 1], [-0.43 + 0.7 * subject.fringe, -0.36, -0.16])
    crown = -0.02 - (top - 0.05) * np.sqrt(1 - (0.8 * place) ** 2)
    middle = (0.40 * place + 0.04 * bend, (y + crown) / 2)
    path = np.array([(0.30 * place, crown), middle, (0.45 * place, y)]) * [subject.width, 1]
    return project(subject, movement, path, 0.1)


def _render_glasses(canvas: Canvas, subject: Subject, points: Points) -> None:
    scale = subject.scale
    for eye in EYES:
        centre = points[eye].mean(axis=0) + np.array([0, 0.01]) * scale
        rim = ellipse(centre, np.array([0.125, 0.085]) * scale)
        stroke(canvas, np.concatenate([rim, rim[:1]]), FRAME, _pixels(subject, 1))
    bridge = np.array([points[39] + [0.03 * scale, 0], points[42] - [0.03 * scale, 0]])
    stroke(canvas, bridge, FRAME, _pixels(subject, 1))


SENSOR_NOISE = 3.0  # grey levels
NOISE_PICTURES = 8


def render_video(scene: Scene, fps: float) -> Iterator[tuple[float, NDArray[np.uint8]]]:
    """The frames with sensor noise: time in seconds, and rgb (row, col, channel)."""
    noise = _sensor_noise(scene.noise, scene.subject.size)
    order = scene.noise.integers(len(noise), size=len(scene.movement))
    for frame, values in enumerate(scene.movement):
        picture = render_face(scene.subject, dict(zip(MOVEMENT, values, strict=True)))
        yield frame / fps, np.asarray(cv2.add(picture, noise[order[frame]], dtype=cv2.CV_8U))


def _sensor_noise(rng: Generator, size: int) -> NDArray[np.int16]:
    noise = rng.normal(0, SENSOR_NOISE, (NOISE_PICTURES, size, size, 3))
    return np.clip(noise, -4 * SENSOR_NOISE, 4 * SENSOR_NOISE).astype(np.int16)
