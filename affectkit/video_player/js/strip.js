// The whole recording in one strip: its error, the frames without a face, and the window. Dragging
// the window moves it, dragging an edge zooms, dragging elsewhere makes a new window.

const STRIP_HEIGHT = 32, STRIP_TOP = 4, STRIP = 20, SHORTEST = 1;

function createStrip(parent, clip, palette, view, onView) {
  const surface = canvas(parent, SERIES_WIDTH, STRIP_HEIGHT, "Whole recording with the window shown above");
  const start = clip.time[0], end = clip.meta.end, count = clip.time.length;
  const X = (time) => LEFT + ((time - start) / (end - start)) * (RIGHT - LEFT);
  const T = (x) => start + ((x - LEFT) / (RIGHT - LEFT)) * (end - start);
  const base = STRIP_TOP + STRIP;

  // Mean distance between prediction and annotation in the plane, one value per pixel.
  function heights() {
    const sums = new Float64Array(RIGHT - LEFT + 1), counts = new Float64Array(RIGHT - LEFT + 1);
    for (let i = 0; i < count && clip.annotation; i++) {
      const at = Math.round(X(clip.time[i]) - LEFT);
      const error = Math.hypot(...[0, 1].map((k) => clip.prediction[2 * i + k] - clip.annotation[2 * i + k]));
      if (Number.isFinite(error)) { sums[at] += error; counts[at] += 1; }
    }
    return sums.map((sum, at) => (counts[at] ? sum / counts[at] : 0));
  }
  const errors = heights(), wide = Math.max(1, Math.ceil((RIGHT - LEFT) / count));

  const whole = background(surface, (pen) => {
    const { error, ink2, ink3, selection } = palette();
    pen.fillStyle = selection;
    pen.fillRect(X(view.from), STRIP_TOP - 2, X(view.to) - X(view.from), STRIP + 4);
    pen.fillStyle = error;
    errors.forEach((value, at) => {
      const height = Math.min(1, value / 0.75) * STRIP;
      if (height) pen.fillRect(LEFT + at, base - height, Math.min(wide, RIGHT - LEFT - at), height);
    });
    line(pen, ink3, 1, [[LEFT, base + 0.5], [RIGHT, base + 0.5]]);
    pen.fillStyle = ink2;
    for (const [a, b] of runs(0, count, (i) => !clip.detected[i]))
      pen.fillRect(X(clip.time[a]), base + 2, Math.max(2, X(clip.time[Math.min(b, count - 1)]) - X(clip.time[a])), 3);
    haloText(pen, palette(), "whole", LEFT - 6, base, { align: "right" });
    haloText(pen, palette(), clockText(end), RIGHT + 8, base);
    pen.strokeStyle = palette().ink;
    pen.lineWidth = 1;
    pen.strokeRect(X(view.from) + 0.5, STRIP_TOP - 1.5, Math.max(2, X(view.to) - X(view.from) - 1), STRIP + 3);
  });

  function window(from, to) {
    const span = Math.max(SHORTEST, Math.min(to - from, end - start));
    const kept = Math.max(start, Math.min(from, end - span));
    onView(kept, Math.min(end, kept + span));
  }

  function drag(event) {
    const timeAt = (e) => T(e.offsetX), grab = timeAt(event), { from, to } = view, near = T(LEFT + 5) - T(LEFT);
    const onEdge = Math.abs(grab - from) < near ? "from" : Math.abs(grab - to) < near ? "to" : "";
    const inside = grab > from && grab < to && to - from < end - start;
    const move = (e) => {
      const now = Math.max(start, Math.min(end, timeAt(e)));
      if (onEdge === "from") window(Math.min(now, to - SHORTEST), to);
      else if (onEdge === "to") window(from, Math.max(now, from + SHORTEST));
      else if (inside) window(from + now - grab, to + now - grab);
      else if (Math.abs(now - grab) > near) window(Math.min(now, grab), Math.max(now, grab));
    };
    surface.element.setPointerCapture(event.pointerId);
    surface.element.addEventListener("pointermove", move);
    surface.element.addEventListener("pointerup", () => surface.element.removeEventListener("pointermove", move), { once: true });
  }

  surface.element.addEventListener("pointerdown", drag);
  surface.element.addEventListener("dblclick", () => window(start, end));
  surface.element.title = "Drag to move or zoom the window, double-click to show the whole recording";

  return {
    window,
    restyle: () => whole.redraw(),
    draw(i) {
      whole.copy();
      line(surface.pen, palette().ink, 1, [[X(clip.time[i]), STRIP_TOP - 2], [X(clip.time[i]), base + 2]]);
    },
  };
}
