// The player: clock, stage, plane, series and rail on one frame.
// mount(parent, { media, buffer, fetchChunk, frame, notes, onFrame }) -> { update, destroy }

const WINDOW = 56, REPORT = 300; // seconds first shown of a long recording; ms of rest before a report

function mount(parent, { media, buffer, fetchChunk, frame, notes = {}, onFrame }) {
  const root = make("div", { parent, className: "affectkit", tabindex: "0", role: "region", "aria-label": "Player" });
  const clip = unpack(buffer);
  clip.meta.end = clip.time[clip.time.length - 1];
  const left = make("div", { parent: root, className: "left" });
  const top = make("div", { parent: left, className: "top" });
  const column = make("div", { parent: top, className: "column" }), values = make("div", { parent: top, className: "values" });
  const charts = make("div", { parent: left, className: "charts" }), rail = make("div", { parent: root, className: "rail" });
  const live = make("div", { parent: root, className: "live", "aria-live": "polite" });

  const count = clip.time.length, start = frame === undefined || frame === null ? 0 : nearest(clip.frame, frame);
  const view = { from: clip.time[0], to: Math.max(clip.meta.end, clip.time[0] + 0.1), segment: -1 };
  const layers = { box: true, landmarks: false, saliency: Boolean(clip.meta.saliency), target: "valence", opacity: 0.7 };
  let palette = readPalette(root), rate = 1, report = 0, reported = clip.frame[start];

  const saliency = createSaliency(clip, fetchChunk, () => redraw());
  const stage = createStage(column, clip, saliency);
  const style = () => palette;
  const plane = createPlane(values, clip, style), readout = createReadout(values, clip);
  const series = createSeries(charts, clip, style, view), strip = createStrip(charts, clip, style, view, setView);
  const clock = createClock(media ? stage.video : null, clip, { onShow: (i) => { stage.present(); redraw(); follow(i); settle(); }, onState: () => { refresh(); settle(); } });
  const reason = (target) => (saliency?.has(target) ? "" : notes.saliency ? notes.saliency.replace("TARGET", target) : `No saliency for ${target}.`);

  const act = {
    toggle: () => clock.toggle(), step: (by) => clock.step(by), home: () => clock.seek(0), end: () => clock.seek(count - 1),
    rate(to) { rate = stage.video.playbackRate = to; refresh(); },
    faster(by) {
      const at = RATES.findIndex(([value]) => value === rate) + by;
      if (RATES[at]) act.rate(RATES[at][0]);
    },
    layer(name, on) { layers[name] = on; redraw(); },
    flip(name) {
      if (name === "saliency" && reason(layers.target)) return;
      if (name !== "landmarks" || clip.landmark) act.layer(name, !layers[name]);
    },
    target(to) { layers.target = to; showRegions(); redraw(); },
    opacity(to) { layers.opacity = Math.max(0, Math.min(1, Math.round(100 * to) / 100)); redraw(); },
    fade: (by) => act.opacity(layers.opacity + by),
    segment(n) { clock.seek(nearest(clip.time, (clip.meta.segments[n].start + clip.meta.segments[n].stop) / 2)); },
    worst(by) {
      const { segments } = clip.meta, next = view.segment < 0 && by < 0 ? segments.length - 1 : view.segment + by;
      if (segments.length) act.segment((next + segments.length) % segments.length);
    },
    keys: () => toggleKeys(),
  };
  const showTransport = createTransport(column, clip, act), showLayers = createLayers(column, clip, layers, act, reason);
  const showSegment = createSegments(rail, clip, act.segment), showShares = createRegions(rail, clip), toggleKeys = createKeys(rail);

  function refresh() {
    showTransport(clock, rate);
    showLayers(rate);
    if (clock.failed) stage.say(notes.video || "This video cannot be played. The lines still work.");
  }

  function redraw() {
    const i = clock.index, wait = stage.draw(i, layers);
    if (!clock.failed) stage.say(wait);
    plane.draw(i);
    readout(i);
    series.draw(i);
    strip.draw(i);
    refresh();
  }

  function showRegions() {
    showShares(nearest(clip.time, view.from), nearest(clip.time, view.to) + 1, layers.target);
  }

  function setView(from, to) {
    Object.assign(view, { from, to });
    series.restyle();
    strip.restyle();
    showRegions();
    redraw();
  }

  // The window turns the page when the cursor leaves it; the segment under the cursor is marked.
  function follow(i) {
    const time = clip.time[i], span = view.to - view.from;
    const inside = clip.meta.segments.map((s) => s.start <= time && time <= s.stop);
    const segment = inside[view.segment] ? view.segment : inside.indexOf(true);
    if (segment !== view.segment) {
      view.segment = segment;
      showSegment(segment);
      series.restyle();
      series.draw(i);
    }
    if (time < view.from || time > view.to) strip.window(clock.playing ? time : time - span / 2, clock.playing ? time + span : time + span / 2);
  }

  // At rest: the frame is said once, politely, and reported to Python.
  function settle() {
    clearTimeout(report);
    report = setTimeout(() => {
      if (clock.playing || clock.wanted !== null) return;
      const i = clock.index, at = clip.frame[i];
      const said = clip.meta.affect.map((name, k) => `${name} predicted ${number(clip.prediction[2 * i + k])}${clip.annotation ? `, annotated ${number(clip.annotation[2 * i + k])}` : ""}`);
      live.textContent = `Frame ${at}, ${clockText(clip.time[i], 3)}: ${said.join("; ")}`;
      if (at !== reported) onFrame?.((reported = at));
    }, REPORT);
  }

  function restyle() {
    palette = readPalette(root);
    plane.restyle();
    setView(view.from, view.to);
  }

  const theme = matchMedia("(prefers-color-scheme: dark)"), later = () => setTimeout(restyle, REPORT);
  theme.addEventListener("change", later);
  document.fonts?.ready.then(restyle);
  listenToKeys(root, act);
  series.surface.element.addEventListener("pointerdown", (event) => clock.seek(nearest(clip.time, series.timeAt(event.offsetX))));
  if (clip.meta.end - clip.time[0] > WINDOW * 1.2) {
    const from = Math.max(clip.time[0], Math.min(clip.time[start] - WINDOW / 2, clip.meta.end - WINDOW));
    Object.assign(view, { from, to: from + WINDOW });
  }
  clock.index = start;
  restyle();
  follow(start);
  if (media) {
    clock.wanted = start; // the first picture that comes by itself is the video's first frame
    stage.video.addEventListener("loadeddata", () => clock.seek(clock.wanted ?? start), { once: true });
    stage.video.src = media;
  }

  return {
    update(to) { if (Number.isInteger(to) && to >= 0 && to !== reported) clock.seek(nearest(clip.frame, (reported = to))); },
    destroy() {
      clearTimeout(report);
      theme.removeEventListener("change", later);
      clock.destroy();
      root.remove();
    },
  };
}
