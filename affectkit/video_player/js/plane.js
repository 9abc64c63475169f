// The valence-arousal plane with the last seconds of both traces, and the table of values below.

const PLANE = 284, PLANE_LEFT = 24, PLANE_TOP = 2, TRAIL = 6;
const TICKS = [[-1, "−1"], [-0.5, "−.5"], [0, "0"], [0.5, ".5"], [1, "1"]];

function createPlane(parent, clip, palette) {
  const surface = canvas(parent, PLANE_LEFT + PLANE, PLANE_TOP + PLANE + 22, "Valence-arousal plane");
  const X = (valence) => PLANE_LEFT + ((valence + 1) / 2) * PLANE;
  const Y = (arousal) => PLANE_TOP + ((1 - arousal) / 2) * PLANE;
  const edge = PLANE_TOP + PLANE;

  const axes = background(surface, (pen) => {
    const { rule, hair, ink3 } = palette();
    const words = (text, x, y, align) => haloText(pen, palette(), text, x, y, { align });
    pen.lineWidth = 1;
    pen.strokeStyle = hair;
    pen.beginPath();
    pen.arc(X(0), Y(0), PLANE / 2, 0, 2 * Math.PI);
    pen.stroke();
    pen.strokeStyle = rule;
    pen.strokeRect(PLANE_LEFT + 0.5, PLANE_TOP + 0.5, PLANE - 1, PLANE - 1);
    line(pen, ink3, 0.75, [[X(0), PLANE_TOP], [X(0), edge]]);
    line(pen, ink3, 0.75, [[PLANE_LEFT, Y(0)], [X(1), Y(0)]]);
    words("negative", X(-0.97), Y(0) - 5);
    words("positive", X(0.97), Y(0) - 5, "right");
    words("active", X(0) + 5, PLANE_TOP + 14);
    words("calm", X(0) + 5, edge - 6);
    words(`last ${TRAIL} s`, X(0.98), edge - 6, "right");
    for (const [value, text] of TICKS) {
      words(text, X(value), edge + 15, value === -1 ? "left" : value === 1 ? "right" : "center");
      words(text, PLANE_LEFT - 5, Y(value) + (value === 1 ? 9 : value === -1 ? 0 : 4), "right");
    }
  });

  function drawTrail(values, i, colour) {
    const first = nearest(clip.time, clip.time[i] - TRAIL);
    for (let k = first + 1; k <= i; k++) {
      if (!Number.isFinite(values[2 * k]) || !Number.isFinite(values[2 * k - 2])) continue;
      surface.pen.globalAlpha = 0.12 + 0.88 * ((k - first) / (i - first)) ** 1.4;
      line(surface.pen, colour, 1.5, [[X(values[2 * k - 2]), Y(values[2 * k - 1])], [X(values[2 * k]), Y(values[2 * k + 1])]]);
    }
    surface.pen.globalAlpha = 1;
  }

  function point(values, i) {
    const [valence, arousal] = values ? values.subarray(2 * i, 2 * i + 2) : [NaN, NaN];
    return Number.isFinite(valence) && Number.isFinite(arousal) ? [X(valence), Y(arousal)] : null;
  }

  function drawNames(annotated, predicted) {
    const { ink, predtext } = palette();
    const above = !annotated || !predicted || annotated[1] <= predicted[1] ? 1 : -1;
    const name = (text, [x, y], side, colour) => {
      const align = x > PLANE_LEFT + PLANE - 70 ? "right" : x < PLANE_LEFT + 40 ? "left" : "center";
      haloText(surface.pen, palette(), text, x, Math.max(14, Math.min(edge - 20, y - 10 * side + (side < 0 ? 8 : 0))), { colour, align });
    };
    if (annotated) name("annotation", annotated, above, ink);
    if (predicted) name("prediction", predicted, annotated ? -above : 1, predtext);
  }

  return {
    restyle: () => axes.redraw(),
    draw(i) {
      const { annotation, prediction, ink2, paper } = palette();
      const annotated = point(clip.annotation, i), predicted = point(clip.prediction, i);
      axes.copy();
      if (clip.annotation) drawTrail(clip.annotation, i, annotation);
      drawTrail(clip.prediction, i, prediction);
      if (annotated && predicted) {
        surface.pen.setLineDash([2, 3]);
        line(surface.pen, ink2, 1, [annotated, predicted]);
        surface.pen.setLineDash([]);
      }
      if (annotated) dot(surface.pen, annotation, paper, ...annotated, 5);
      if (predicted) dot(surface.pen, prediction, paper, ...predicted, 5);
      drawNames(annotated, predicted);
    },
  };
}

// The values of the current frame. Without annotation there is no error.
function createReadout(parent, clip) {
  const table = make("table", { parent, className: "readout" });
  const columns = clip.annotation ? ["annotation", "prediction", "error"] : ["prediction"];
  const head = make("tr", { parent: make("thead", { parent: table }) });
  for (const name of ["", ...columns]) make("th", { parent: head, text: name, className: name, scope: "col" });
  const body = make("tbody", { parent: table });
  const cells = clip.meta.affect.map((target) => {
    const row = make("tr", { parent: body });
    make("th", { parent: row, text: target, scope: "row" });
    return Object.fromEntries(columns.map((name) => [name, make("td", { parent: row, className: name })]));
  });

  return (i) => {
    cells.forEach((cell, k) => {
      const predicted = clip.prediction[2 * i + k], annotated = clip.annotation ? clip.annotation[2 * i + k] : NaN;
      cell.prediction.textContent = number(predicted);
      if (!clip.annotation) return;
      cell.annotation.textContent = number(annotated);
      cell.error.textContent = number(predicted - annotated, 2, true);
    });
  };
}
