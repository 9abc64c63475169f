// Both traces over the window, the error below each, and the cursor. The background is drawn once per
// window; each frame copies it and adds the cursor.

const SERIES_WIDTH = 756, LEFT = 40, RIGHT = 682;
const PLOT = 107, ERROR = 24, PLOT_TOP = [20, 20 + PLOT + ERROR + 26];
const PLOT_BOTTOM = PLOT_TOP[1] + PLOT + ERROR, SERIES_HEIGHT = PLOT_BOTTOM + 24;
const ERROR_REACH = 0.6;

function createSeries(parent, clip, palette, view) {
  const surface = canvas(parent, SERIES_WIDTH, SERIES_HEIGHT, "Valence and arousal over time");
  const X = (time) => LEFT + ((time - view.from) / (view.to - view.from)) * (RIGHT - LEFT);
  const Y = (value, k) => PLOT_TOP[k] + PLOT / 2 - (value * PLOT) / 2;
  const zero = (k) => PLOT_TOP[k] + PLOT + ERROR / 2 + 4;
  const count = clip.time.length, faceless = (i) => !clip.detected[i];

  const first = () => Math.max(0, nearest(clip.time, view.from) - 1);
  const last = () => Math.min(count, nearest(clip.time, view.to) + 2);
  const stride = () => Math.max(1, Math.floor((last() - first()) / (2 * (RIGHT - LEFT))));

  // A trace has gaps at missing values, and the prediction also at frames without a face.
  function trace(pen, values, k, colour, skip) {
    pen.strokeStyle = colour;
    pen.lineWidth = 1.5;
    pen.lineJoin = "round";
    pen.beginPath();
    let down = false;
    for (let i = first(), step = stride(); i < last(); i += step) {
      const value = values[2 * i + k];
      if (!Number.isFinite(value) || skip(i)) { down = false; continue; }
      if (down) pen.lineTo(X(clip.time[i]), Y(value, k)); else pen.moveTo(X(clip.time[i]), Y(value, k));
      down = true;
    }
    pen.stroke();
  }

  function errorArea(pen, k) {
    const { error, ink3 } = palette(), scale = ERROR / (2 * ERROR_REACH);
    pen.fillStyle = error;
    pen.beginPath();
    pen.moveTo(X(clip.time[first()]), zero(k));
    for (let i = first(), step = stride(); i < last(); i += step) {
      const value = clip.prediction[2 * i + k] - clip.annotation[2 * i + k];
      const kept = Number.isFinite(value) ? Math.max(-ERROR_REACH, Math.min(ERROR_REACH, value)) : 0;
      pen.lineTo(X(clip.time[i]), zero(k) - kept * scale);
    }
    pen.lineTo(X(clip.time[last() - 1]), zero(k));
    pen.fill();
    line(pen, ink3, 0.75, [[LEFT, zero(k)], [RIGHT, zero(k)]]);
  }

  function hatch(pen, k) {
    for (const [a, b] of runs(first(), last(), faceless)) {
      const left = Math.max(LEFT, X(clip.time[a])), right = Math.min(RIGHT, X(clip.time[Math.min(b, count - 1)]));
      const width = Math.max(1, right - left);
      pen.save();
      pen.beginPath();
      pen.rect(left, PLOT_TOP[k], width, PLOT);
      pen.clip();
      for (let x = left - PLOT; x < left + width; x += 5.6)
        line(pen, palette().ink3, 0.9, [[x, PLOT_TOP[k] + PLOT], [x + PLOT, PLOT_TOP[k]]]);
      pen.restore();
      if (width > 34) haloText(pen, palette(), "no face", left + width / 2, PLOT_TOP[k] + PLOT - 4, { align: "center" });
    }
  }

  function brackets(pen, k) {
    const { ink } = palette();
    clip.meta.segments.forEach(({ start, stop, target, cause }, n) => {
      if (target !== clip.meta.affect[k] || stop < view.from || start > view.to) return;
      const left = Math.max(LEFT, X(start)), right = Math.min(RIGHT, X(stop)), y = PLOT_TOP[k] - 1;
      const strong = view.segment === n;
      line(pen, ink, strong ? 2 : 1, [[left, y + 5], [left, y], [right, y], [right, y + 5]]);
      const label = right - left > 40 ? `${n + 1} ${cause}` : `${n + 1}`;
      haloText(pen, palette(), label, Math.max(LEFT + 78, (left + right) / 2), y - 5, { align: "center", colour: ink, weight: strong ? 600 : 400 });
    });
  }

  function grid(pen, k) {
    const { ink, ink3, hair } = palette();
    for (const [value, text] of TICKS) {
      line(pen, value ? hair : ink3, value ? 1 : 0.75, [[LEFT, Y(value, k)], [RIGHT, Y(value, k)]]);
      haloText(pen, palette(), text, LEFT - 6, Y(value, k) + 4, { align: "right" });
    }
    const name = clip.meta.affect[k];
    haloText(pen, palette(), name[0].toUpperCase() + name.slice(1), LEFT + 4, PLOT_TOP[k] - 4, { colour: ink, weight: 600, size: 12 });
  }

  // Names at the ends of the traces, at least 13 px apart.
  function names(pen, k) {
    const end = (values) => {
      for (let i = last() - 1; values && i >= first(); i--)
        if (Number.isFinite(values[2 * i + k])) return Y(values[2 * i + k], k);
      return null;
    };
    let annotated = end(clip.annotation), predicted = end(clip.prediction);
    if (annotated !== null && predicted !== null && Math.abs(annotated - predicted) < 13) {
      const middle = (annotated + predicted) / 2, side = annotated < predicted ? -6.5 : 6.5;
      [annotated, predicted] = [middle + side, middle - side];
    }
    const { ink, predtext } = palette();
    if (annotated !== null) haloText(pen, palette(), "annotation", RIGHT + 8, annotated + 4, { colour: ink });
    if (predicted !== null) haloText(pen, palette(), "prediction", RIGHT + 8, predicted + 4, { colour: predtext });
    if (!clip.annotation) return;
    haloText(pen, palette(), "error", LEFT - 6, zero(k) + 4, { align: "right" });
    if (k) return;
    haloText(pen, palette(), "too high", RIGHT + 8, zero(k) - 3);
    haloText(pen, palette(), "too low", RIGHT + 8, zero(k) + 11);
  }

  function axis(pen) {
    const span = view.to - view.from, y = PLOT_BOTTOM + 6;
    const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600].find((s) => span / s <= 8) ?? 1200;
    for (let t = Math.ceil(view.from / step - 1e-6) * step; t <= view.to; t += step) {
      line(pen, palette().ink3, 1, [[X(t), y - 4], [X(t), y]]);
      haloText(pen, palette(), clockText(t, step < 1 ? 1 : 0), X(t), y + 12, { align: "center" });
    }
  }

  const plots = background(surface, (pen) => {
    for (const k of [0, 1]) {
      grid(pen, k);
      pen.save();
      pen.beginPath();
      pen.rect(LEFT, 0, RIGHT - LEFT, SERIES_HEIGHT);
      pen.clip();
      trace(pen, clip.prediction, k, palette().prediction, faceless);
      if (clip.annotation) trace(pen, clip.annotation, k, palette().annotation, () => false);
      if (clip.annotation) errorArea(pen, k);
      hatch(pen, k);
      brackets(pen, k);
      pen.restore();
      names(pen, k);
    }
    axis(pen);
  });

  function cursor(i) {
    const { ink, annotation, prediction, paper } = palette(), x = X(clip.time[i]), { pen } = surface;
    if (x < LEFT - 1 || x > RIGHT + 1) return;
    line(pen, ink, 1, [[x, PLOT_TOP[0] - 2], [x, PLOT_BOTTOM + 7]]);
    const text = clockText(clip.time[i], 3), inside = Math.max(LEFT + 14, Math.min(RIGHT - 14, x));
    pen.fillStyle = paper;
    pen.fillRect(inside - 38, PLOT_BOTTOM + 8, 76, 14);
    haloText(pen, palette(), text, inside, PLOT_BOTTOM + 18, { align: "center", colour: ink, weight: 600 });
    for (const k of [0, 1])
      for (const [values, colour] of [[clip.annotation, annotation], [clip.prediction, prediction]])
        if (values && Number.isFinite(values[2 * i + k])) dot(pen, colour, paper, x, Y(values[2 * i + k], k), 3.5);
  }

  return {
    surface,
    restyle: () => plots.redraw(),
    timeAt: (x) => view.from + ((x - LEFT) / (RIGHT - LEFT)) * (view.to - view.from),
    draw(i) {
      plots.copy();
      cursor(i);
    },
  };
}
