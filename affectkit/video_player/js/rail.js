// The side column: worst segments, attribution by region, and the keys.

const KEYS = [
  ["Space", "play, pause"], ["← →", "one frame"], ["Shift ← →", "10 frames"], ["Home End", "first, last frame"],
  [", .", "slower, faster"], ["V A", "target of the saliency"], ["S", "saliency"], ["− +", "opacity"],
  ["B", "face box"], ["M", "landmarks"], ["W, Shift W", "next, previous worst segment"], ["?", "these keys"],
];

const HINTS = {
  s: "Length in seconds", share: "Share of the squared error of the recording",
  cause: "Correction that removes most of the error: bias, range, delay or jump; other: none of these",
};

function heading(parent, text, small) {
  const element = make("h3", { parent, text });
  return make("small", { parent: element, text: small });
}

function createSegments(parent, clip, onPick) {
  const { segments } = clip.meta;
  const mark = () => {};
  if (!segments.length) return mark;
  heading(parent, "Worst segments", "share of squared error, both targets");
  const table = make("table", { parent, className: "segments" });
  const head = make("tr", { parent: make("thead", { parent: table }) });
  for (const name of ["", "from", "s", "target", "cause", "share"]) make("th", { parent: head, text: name, title: HINTS[name], scope: "col" });
  const body = make("tbody", { parent: table }), largest = Math.max(...segments.map(({ share }) => share));
  const rows = segments.map(({ start, stop, target, cause, share }, n) => {
    const row = make("tr", { parent: body });
    const jump = make("td", { parent: row });
    button(jump, String(n + 1), `Go to worst segment ${n + 1}: ${cause}, ${target}`, (event) => {
      event.stopPropagation();
      onPick(n);
    }, "rank");
    for (const text of [clockText(start, 1), (stop - start).toFixed(1), target]) make("td", { parent: row, text });
    make("td", { parent: row, text: cause, className: "cause" });
    const cell = make("td", { parent: row, className: "share" });
    make("i", { parent: cell }).style.width = `${(46 * share) / largest}px`;
    make("span", { parent: cell, text: `${(100 * share).toFixed(1)} %` });
    row.addEventListener("click", () => onPick(n));
    return row;
  });
  return (picked) => rows.forEach((row, n) => row.classList.toggle("on", n === picked));
}

// Mean share of each region in |attribution| over the window: lowering to the left, raising to the right.
function regionMeans(clip, from, to, k) {
  const { regions, affect } = clip.meta.saliency, wide = regions.length, count = clip.time.length;
  const means = regions.map(() => ({ lowers: 0, raises: 0, area: 0, frames: 0 }));
  for (let i = from; i < to; i++)
    for (let r = 0; r < wide; r++) {
      const at = 2 * ((k * count + i) * wide + r), area = clip.region_area[i * wide + r];
      if (!Number.isFinite(clip.region_share[at]) || !Number.isFinite(area)) continue;
      means[r].lowers += clip.region_share[at];
      means[r].raises += clip.region_share[at + 1];
      means[r].area += area;
      means[r].frames += 1;
    }
  return affect.length ? means.map((m) => ({ lowers: m.lowers / m.frames, raises: m.raises / m.frames, area: m.area / m.frames })) : [];
}

function createRegions(parent, clip) {
  if (!clip.region_share) return () => {};
  const { regions, affect } = clip.meta.saliency;
  const section = make("section", { parent }), title = make("h3", { parent: section });
  const head = make("div", { parent: section, className: "region head" });
  const [, lowers, raises] = ["", "", "", "per area"].map((text) => make("span", { parent: head, text }));
  head.lastChild.title = "Share of the attribution divided by the share of the area: 1 is the mean of all pixels";
  const rows = regions.map((name) => {
    const row = make("div", { parent: section, className: "region" });
    make("span", { parent: row, text: name });
    const [left, right] = ["lowers", "raises"].map((side) => make("i", { parent: make("b", { parent: row }), className: side }));
    return { left, right, ratio: make("span", { parent: row }) };
  });
  const scale = make("div", { parent: section, className: "region scale" });
  const ends = ["", "", "", ""].map((text) => make("span", { parent: scale, text }));

  return (from, to, target) => {
    const k = affect.indexOf(target);
    section.hidden = k < 0;
    if (k < 0) return;
    const means = regionMeans(clip, from, to, k);
    const reach = Math.max(0.05, ...means.flatMap((m) => [m.lowers, m.raises]).filter(Number.isFinite));
    title.textContent = `Attribution by region`;
    make("small", { parent: title, text: `${target}, share in the window` });
    lowers.textContent = `lowers ${target}`;
    raises.textContent = "raises it";
    ends[1].textContent = ends[2].textContent = `${(100 * reach).toFixed(0)} %`;
    means.forEach((m, r) => {
      rows[r].left.style.width = `${(100 * (m.lowers || 0)) / reach}%`;
      rows[r].right.style.width = `${(100 * (m.raises || 0)) / reach}%`;
      rows[r].ratio.textContent = number((m.lowers + m.raises) / m.area, 1);
    });
  };
}

function createKeys(parent) {
  const short = make("div", { parent, className: "keys" });
  const pairs = (list, into) => list.forEach(([keys, meaning]) => {
    const entry = make("span", { parent: into });
    for (const key of keys.split(" ")) make("kbd", { parent: entry, text: key });
    entry.append(` ${meaning}`);
  });
  const all = make("div", { parent, className: "keys all" });
  all.hidden = true;
  pairs(KEYS, all);
  pairs([["Space", "play"], ["← →", "frame"], ["V A", "target"], ["S", "saliency"], ["W", "worst segments"]], short);
  const toggle = () => {
    all.hidden = !all.hidden;
    short.hidden = !all.hidden;
  };
  const entry = button(short, "", "All keys", toggle, "plain");
  make("kbd", { parent: entry, text: "?" });
  entry.append(" all keys");
  button(all, "Close", "Fewer keys", toggle);
  return toggle;
}
