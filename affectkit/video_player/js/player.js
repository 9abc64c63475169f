// The player: clock, image, plane, traces and side column, all on the same frame.
// new Player(parent, { media, buffer, fetchChunk, frame, notes, onFrame }): update(frame), destroy()

const WINDOW = 56, REPORT = 300; // seconds shown of a long recording; ms between stop and report

class Player {
  constructor(parent, { media, buffer, fetchChunk, frame, notes = {}, onFrame }) {
    Object.assign(this, { media, notes, onFrame, rate: 1, timer: 0 });
    this.clip = unpack(buffer);
    const { time, frame: numbers, meta } = this.clip;
    meta.end = time[time.length - 1];
    this.start = Number.isInteger(frame) ? nearest(numbers, frame) : 0;
    this.reported = numbers[this.start];
    this.layers = { box: true, landmarks: false, saliency: Boolean(meta.saliency), target: "valence", opacity: 0.7 };
    this.view = { ...firstWindow(this.clip, this.start), segment: -1 };
    this.root = make("div", { parent, className: "affectkit", tabindex: "0", role: "region", "aria-label": "Player" });
    this.root.dataset.lmSuppressShortcuts = "true"; // JupyterLab does not handle keys inside the player
    this.palette = readPalette(this.root);
    this.build(fetchChunk);
    this.listen();
    this.clock.index = this.start;
    this.restyle();
    this.follow(this.start);
    if (media) this.load();
  }

  build(fetchChunk) {
    const { root, clip, view, layers } = this, style = () => this.palette;
    const left = make("div", { parent: root, className: "left" }), top = make("div", { parent: left, className: "top" });
    const column = make("div", { parent: top, className: "column" }), values = make("div", { parent: top, className: "values" });
    const charts = make("div", { parent: left, className: "charts" }), rail = make("div", { parent: root, className: "rail" });
    this.saliency = createSaliency(clip, fetchChunk, () => this.redraw());
    this.stage = createStage(column, clip, this.saliency);
    this.clock = createClock(this.media ? this.stage.video : null, clip, {
      onShow: (i) => this.show(i),
      onState: () => { this.refresh(); this.settle(); },
    });
    this.act = createActions(this);
    this.showTransport = createTransport(column, clip, this.act);
    this.showLayers = createLayers(column, clip, layers, this.act, (target) => this.reason(target));
    this.plane = createPlane(values, clip, style);
    this.readout = createReadout(values, clip);
    this.series = createSeries(charts, clip, style, view);
    this.strip = createStrip(charts, clip, style, view, (from, to) => this.setView(from, to));
    this.markSegment = createSegments(rail, clip, this.act.segment);
    this.showShares = createRegions(rail, clip);
    this.toggleKeys = createKeys(rail);
    this.live = make("div", { parent: root, className: "live", "aria-live": "polite" });
  }

  listen() {
    const { element } = this.series.surface;
    element.addEventListener("pointerdown", (event) =>
      this.clock.seek(nearest(this.clip.time, this.series.timeAt(event.offsetX))));
    listenToKeys(this.root, this.act);
    this.theme = matchMedia("(prefers-color-scheme: dark)");
    this.later = () => setTimeout(() => this.restyle(), REPORT);
    this.theme.addEventListener("change", this.later);
    // a notebook adds the player to the page after creating it: only then are the colours known
    this.observer = new ResizeObserver(() => this.restyle());
    this.observer.observe(this.root);
    document.fonts?.ready.then(() => this.restyle());
  }

  load() {
    const { clock, start, stage } = this;
    clock.wanted = start; // without a seek, the browser shows the first frame of the video
    stage.video.addEventListener("loadeddata", () => clock.seek(clock.wanted ?? clock.index), { once: true });
    stage.video.src = this.media;
  }

  reason(target) {
    if (this.saliency?.has(target)) return "";
    return this.notes.saliency?.replace("TARGET", target) ?? `No saliency for ${target}.`;
  }

  show(i) {
    this.stage.present();
    this.redraw();
    this.follow(i);
    this.settle();
  }

  redraw() {
    const i = this.clock.index, wait = this.stage.draw(i, this.layers);
    if (!this.clock.failed) this.stage.showMessage(wait);
    this.plane.draw(i);
    this.readout(i);
    this.series.draw(i);
    this.strip.draw(i);
    this.refresh();
  }

  refresh() {
    this.showTransport(this.clock, this.rate);
    this.showLayers(this.rate);
    if (this.clock.failed) this.stage.showMessage(this.notes.video || "The browser cannot play this video. The traces still work.");
  }

  setView(from, to) {
    Object.assign(this.view, { from, to });
    this.series.restyle();
    this.strip.restyle();
    this.showRegions();
    this.redraw();
  }

  showRegions() {
    const { time } = this.clip, { from, to } = this.view;
    this.showShares(nearest(time, from), nearest(time, to) + 1, this.layers.target);
  }

  // Moves the window when the cursor leaves it, and marks the segment at the cursor.
  follow(i) {
    const { clip, view } = this, time = clip.time[i], span = view.to - view.from;
    const inside = clip.meta.segments.map(({ start, stop }) => start <= time && time <= stop);
    const segment = inside[view.segment] ? view.segment : inside.indexOf(true);
    if (segment !== view.segment) {
      view.segment = segment;
      this.markSegment(segment);
      this.series.restyle();
      this.series.draw(i);
    }
    const lead = this.clock.playing ? 0 : span / 2;
    if (time < view.from || time > view.to) this.strip.window(time - lead, time - lead + span);
  }

  // When the player has stopped: announce the frame to screen readers and report it to Python.
  settle() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.clock.playing || this.clock.wanted !== null) return;
      const frame = this.clip.frame[this.clock.index];
      this.live.textContent = spoken(this.clip, this.clock.index);
      if (frame === this.reported) return;
      this.reported = frame;
      this.onFrame?.(frame);
    }, REPORT);
  }

  restyle() {
    this.palette = readPalette(this.root);
    this.plane.restyle();
    this.setView(this.view.from, this.view.to);
  }

  // Python sets a frame; a frame that was reported to Python comes back and is ignored.
  update(frame) {
    if (!Number.isInteger(frame) || frame < 0 || frame === this.reported) return;
    this.reported = frame;
    this.clock.seek(nearest(this.clip.frame, frame));
  }

  destroy() {
    clearTimeout(this.timer);
    this.theme.removeEventListener("change", this.later);
    this.observer.disconnect();
    this.clock.destroy();
    this.root.remove();
  }
}

function firstWindow({ time, meta }, start) {
  const begin = time[0], whole = Math.max(meta.end - begin, 0.1);
  if (whole <= WINDOW * 1.2) return { from: begin, to: begin + whole };
  const from = Math.max(begin, Math.min(time[start] - WINDOW / 2, meta.end - WINDOW));
  return { from, to: from + WINDOW };
}

function spoken(clip, i) {
  const values = clip.meta.affect.map((name, k) => {
    const annotated = clip.annotation ? `, annotated ${number(clip.annotation[2 * i + k])}` : "";
    return `${name} predicted ${number(clip.prediction[2 * i + k])}${annotated}`;
  });
  return `Frame ${clip.frame[i]}, ${clockText(clip.time[i], 3)}: ${values.join("; ")}`;
}
