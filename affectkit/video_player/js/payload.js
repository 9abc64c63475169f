// The payload: "AFK1", u32 length of the header, JSON header, then arrays at 8-byte offsets.

const MAGIC = 0x314b4641; // "AFK1" read as a little-endian number
const ARRAY = { f4: Float32Array, f8: Float64Array, i1: Int8Array, i4: Int32Array, u1: Uint8Array };

// Returns { meta, NAME: typed array, ... }; NaN means that a value is missing on this frame.
function unpack(buffer) {
  const view = new DataView(buffer);
  if (buffer.byteLength < 8 || view.getUint32(0, true) !== MAGIC) throw new Error("the data are not a payload of affectkit");
  const text = new TextDecoder().decode(new Uint8Array(buffer, 8, view.getUint32(4, true)));
  const header = JSON.parse(text);
  const clip = { meta: header.meta };
  for (const [name, { dtype, shape, offset }] of Object.entries(header.arrays))
    clip[name] = new ARRAY[dtype](buffer, offset, shape.reduce((a, b) => a * b, 1));
  return clip;
}

// Index of the nearest value in an increasing array: media times may be rounded (webm: 1 ms).
function nearest(table, value) {
  let low = 0, high = table.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (table[middle] <= value) low = middle; else high = middle - 1;
  }
  return low + 1 < table.length && table[low + 1] - value < value - table[low] ? low + 1 : low;
}

// The time to seek to for frame i: half a frame after its time stamp, since the time stamp itself may
// show the previous frame. Frames that are missing in the recording divide the interval into equal parts.
function seekTime(clip, i) {
  if (i + 1 >= clip.time.length) return clip.time[i] + 0.5 / clip.meta.fps;
  const frames = clip.frame[i + 1] - clip.frame[i];
  return clip.time[i] + (clip.time[i + 1] - clip.time[i]) / (2 * frames);
}

// Ranges [first, last) of indices within [from, to) where test(i) is true.
function runs(from, to, test) {
  const found = [];
  for (let i = from; i < to; i++) {
    if (!test(i)) continue;
    const first = i;
    while (i < to && test(i)) i++;
    found.push([first, i]);
  }
  return found;
}

// -- numbers as text: minus sign, no zero before the decimal point, a dash for NaN -------------------

function signless(value, digits) {
  return Math.abs(value).toFixed(digits).replace(/^0\./, ".");
}

function number(value, digits = 2, plus = false) {
  if (!Number.isFinite(value)) return "–";
  const text = signless(value, digits);
  const sign = Number(text) === 0 ? "" : value < 0 ? "−" : plus ? "+" : "";
  return sign + text;
}

function clockText(seconds, digits = 0) {
  const unit = 10 ** digits, ticks = Math.round(seconds * unit);
  const minutes = Math.floor(ticks / (60 * unit));
  const rest = ((ticks - minutes * 60 * unit) / unit).toFixed(digits);
  return `${minutes}:${rest.padStart(digits ? 3 + digits : 2, "0")}`;
}
