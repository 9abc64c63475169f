// The palette (from player.css) and the diverging colour map of the saliency (vik, 10 steps).

const VIK = ["#001261", "#033e7d", "#1e6f9d", "#71a8c4", "#c9dde7", "#eacebd", "#d39774", "#be6533", "#8b2706", "#590008"];
const ROLES = ["paper", "panel", "ink", "ink2", "ink3", "rule", "hair", "selection", "annotation", "prediction", "predtext", "error", "lowers", "raises"];

function rgb(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

// Light or dark like the surrounding page, from the CSS variables of Streamlit and Jupyter.
function isDark(root) {
  const style = getComputedStyle(root);
  const paper = style.getPropertyValue("--st-background-color") || style.getPropertyValue("--jp-layout-color0");
  const probe = make("span", { parent: root });
  probe.style.color = paper.trim();
  const channels = paper.trim() ? getComputedStyle(probe).color.match(/[\d.]+/g) : null;
  probe.remove();
  if (!channels) return matchMedia("(prefers-color-scheme: dark)").matches;
  const [red, green, blue] = channels.map(Number);
  return 0.299 * red + 0.587 * green + 0.114 * blue < 128;
}

function readPalette(root) {
  root.dataset.theme = isDark(root) ? "dark" : "light";
  const style = getComputedStyle(root);
  const palette = { font: style.fontFamily };
  for (const role of ROLES) palette[role] = style.getPropertyValue(`--${role}`).trim();
  return palette;
}

function vik(value) {
  const position = Math.min(8.999, Math.max(0, ((value + 1) / 2) * 9)), step = Math.floor(position);
  const low = rgb(VIK[step]), high = rgb(VIK[step + 1]);
  return low.map((channel, c) => Math.round(channel + (high[c] - channel) * (position - step)));
}

// 256 colours for int8 + 128 (square roots of the values). Small values are transparent.
function saliencyColours() {
  const bytes = new Uint8ClampedArray(4 * 256);
  for (let code = 0; code < 256; code++) {
    const value = Math.max(-1, (code - 128) / 127);
    bytes.set([...vik(value), 255 * Math.min(1, Math.max(0, Math.abs(value) - 0.2) / 0.6)], 4 * code);
  }
  return new Uint32Array(bytes.buffer);
}

// Text with a halo in the colour of the background, readable over lines.
function haloText(pen, palette, text, x, y, { colour = palette.ink2, align = "left", weight = 400, size = 11.5 } = {}) {
  pen.font = `${weight} ${size}px ${palette.font}`;
  pen.textAlign = align;
  pen.lineJoin = "round";
  pen.lineWidth = 3;
  pen.strokeStyle = palette.paper;
  pen.strokeText(text, x, y);
  pen.fillStyle = colour;
  pen.fillText(text, x, y);
}

function line(pen, colour, width, points) {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.beginPath();
  points.forEach(([x, y], n) => (n ? pen.lineTo(x, y) : pen.moveTo(x, y)));
  pen.stroke();
}

function dot(pen, colour, rim, x, y, radius) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fillStyle = colour;
  pen.fill();
  pen.strokeStyle = rim;
  pen.lineWidth = 1.5;
  pen.stroke();
}
