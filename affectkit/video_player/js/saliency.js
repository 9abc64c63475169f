// Saliency maps: all in the payload, or fetched in chunks before the cursor reaches them.

const KEPT_CHUNKS = 8;

function createSaliency(clip, fetchChunk, onLoad) {
  const about = clip.meta.saliency;
  if (!about) return null;
  const { size, affect, chunk } = about, cells = size * size;
  const kept = new Map(), requested = new Set();
  if (clip.saliency) kept.set(0, clip.saliency);

  async function request(number) {
    if (!fetchChunk || number * chunk >= clip.time.length || kept.has(number) || requested.has(number)) return;
    requested.add(number);
    try {
      const first = number * chunk, last = Math.min(clip.time.length, first + chunk);
      kept.set(number, unpack(await fetchChunk(first, last)).saliency);
      while (kept.size > KEPT_CHUNKS) kept.delete(kept.keys().next().value);
      onLoad();
    } finally {
      requested.delete(number);
    }
  }

  return {
    size,
    has: (target) => affect.includes(target),
    // The map of frame i, or null while its chunk is loading.
    at(i, target) {
      const number = Math.floor(i / chunk), values = kept.get(number);
      if (!values) {
        request(number).catch(() => {});
        return null;
      }
      if (!kept.has(number + 1) && i % chunk > chunk / 2) request(number + 1).catch(() => {});
      const start = ((i - number * chunk) * affect.length + affect.indexOf(target)) * cells;
      return values.subarray(start, start + cells);
    },
    range(i) {
      const first = Math.floor(i / chunk) * chunk;
      return [clip.frame[first], clip.frame[Math.min(clip.time.length, first + chunk) - 1]];
    },
  };
}
