"""Filled shapes and lines with smooth edges, each blended into a small window of the picture."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

Canvas = NDArray[np.uint8]
Points = NDArray[np.float64]

SHIFT = 4  # points are passed to OpenCV in sixteenths of a pixel


def fill(
    canvas: Canvas, points: Points, colour: ArrayLike, *, blur: float = 0.0, opacity: float = 1.0
) -> None:
    """Fill the polygon `points` (point, axis) with `colour`; `blur` in pixels softens its edge."""
    mask, origin = _window(canvas, points, blur)
    cv2.fillPoly(mask, [_fixed_point(points - origin)], 255, cv2.LINE_AA, SHIFT)
    _blend(canvas, _blurred(mask, blur), origin, colour, opacity)


def stroke(
    canvas: Canvas,
    lines: Points | list[Points],
    colour: ArrayLike,
    width: float,
    *,
    blur: float = 0.0,
    opacity: float = 1.0,
) -> None:
    """Draw one or more open lines (point, axis), `width` pixels wide."""
    lines = lines if isinstance(lines, list) else [lines]
    mask, origin = _window(canvas, np.concatenate(lines), blur + width)
    thickness = max(1, round(width))
    paths = [_fixed_point(line - origin) for line in lines]
    cv2.polylines(mask, paths, False, 255, thickness, cv2.LINE_AA, SHIFT)
    _blend(canvas, _blurred(mask, blur), origin, colour, opacity)


def ellipse(centre: Points, radii: ArrayLike, degrees: float = 0.0) -> Points:
    """Outline (point, axis) of an ellipse with two `radii`, rotated clockwise by `degrees`."""
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    outline = np.stack([np.cos(turn), np.sin(turn)], axis=1) * np.asarray(radii)
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.asarray(outline @ [[cosine, sine], [-sine, cosine]] + centre)


def curve(points: Points, *, closed: bool = False) -> Points:
    """A Catmull-Rom spline (point, axis) through `points`."""
    return np.asarray(_curve_weights(len(points), closed) @ points)


@cache
def _curve_weights(count: int, closed: bool, steps: int = 5) -> NDArray[np.float64]:
    t = np.arange(steps) / steps
    cubic = [-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2]
    segments = count if closed else count - 1
    weights = np.zeros((segments * steps, count))
    for segment in range(segments):
        for offset, weight in zip((-1, 0, 1, 2), cubic, strict=True):
            near = segment + offset
            near = near % count if closed else min(max(near, 0), count - 1)
            weights[segment * steps : (segment + 1) * steps, near] += weight / 2
    return weights if closed else np.vstack([weights, np.eye(count)[-1]])


def _window(canvas: Canvas, points: Points, margin: float) -> tuple[Canvas, NDArray[np.int64]]:
    """An empty mask around the points, clipped to the canvas, and the position of its corner."""
    pad = 3 * margin + 2
    limit = np.array(canvas.shape[1::-1])
    first = np.clip(np.floor(points.min(axis=0) - pad), 0, limit).astype(int)
    last = np.clip(np.ceil(points.max(axis=0) + pad), first, limit).astype(int)
    return np.zeros((last - first)[::-1], np.uint8), first


def _fixed_point(points: Points) -> NDArray[np.int32]:
    return np.asarray(np.round(points * 2**SHIFT), np.int32).reshape(-1, 1, 2)


def _blurred(mask: Canvas, blur: float) -> Canvas:
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), blur)) if blur and mask.size else mask


def _blend(
    canvas: Canvas, mask: Canvas, origin: NDArray[np.int64], colour: ArrayLike, opacity: float
) -> None:
    if not mask.size:
        return
    left, top = origin
    window = canvas[top : top + mask.shape[0], left : left + mask.shape[1]]
    blend(window, np.clip(colour, 0, 255), mask, opacity)


def blend(window: Canvas, over: ArrayLike, mask: Canvas, opacity: float = 1.0) -> None:
    """Blend a colour or a picture `over` the window, weighted by `mask` (row, col)."""
    share = mask[..., None] * np.float32(opacity / 255)
    below = window.astype(np.float32)
    window[:] = below + (np.asarray(over, np.float32) - below) * share
