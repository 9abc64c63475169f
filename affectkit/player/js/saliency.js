// Saliency maps of the clip: whole in the payload, or fetched in chunks as the cursor comes near.

const KEPT_CHUNKS = 8;

function createSaliency(clip, fetchChunk, onLoad) {
  const about = clip.meta.saliency;
  if (!about) return null;
  const { size, affect, chunk } = about, cells = size * size;
  const kept = new Map(), asked = new Set();
  if (clip.saliency) kept.set(0, clip.saliency);

  async function ask(number) {
    if (!fetchChunk || number * chunk >= clip.time.length || kept.has(number) || asked.has(number)) return;
    asked.add(number);
    try {
      const first = number * chunk, last = Math.min(clip.time.length, first + chunk);
      kept.set(number, unpack(await fetchChunk(first, last)).saliency);
      while (kept.size > KEPT_CHUNKS) kept.delete(kept.keys().next().value);
      onLoad();
    } finally {
      asked.delete(number);
    }
  }

  return {
    size,
    has: (target) => affect.includes(target),
    // The map of entry i, or null while its chunk is on the way.
    at(i, target) {
      const number = Math.floor(i / chunk), values = kept.get(number);
      if (!values) {
        ask(number).catch(() => {});
        return null;
      }
      if (!kept.has(number + 1) && i % chunk > chunk / 2) ask(number + 1).catch(() => {});
      const start = ((i - number * chunk) * affect.length + affect.indexOf(target)) * cells;
      return values.subarray(start, start + cells);
    },
    range(i) {
      const first = Math.floor(i / chunk) * chunk;
      return [clip.frame[first], clip.frame[Math.min(clip.time.length, first + chunk) - 1]];
    },
  };
}
