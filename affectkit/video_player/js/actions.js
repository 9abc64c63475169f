// The actions of buttons and keys.

function createActions(player) {
  const { clip, clock, layers, stage, view } = player, { segments } = clip.meta;
  const act = {
    toggle: () => clock.toggle(),
    step: (by) => clock.step(by),
    home: () => clock.seek(0),
    end: () => clock.seek(clip.time.length - 1),
    rate(to) {
      player.rate = stage.video.playbackRate = to;
      player.refresh();
    },
    faster(by) {
      const next = RATES[RATES.findIndex(([value]) => value === player.rate) + by];
      if (next) act.rate(next[0]);
    },
    layer(name, on) {
      layers[name] = on;
      player.redraw();
    },
    toggleLayer(name) {
      if (name === "saliency" && player.reason(layers.target)) return;
      if (name === "landmarks" && !clip.landmark) return;
      act.layer(name, !layers[name]);
    },
    target(to) {
      layers.target = to;
      player.showRegions();
      player.redraw();
    },
    opacity(to) {
      layers.opacity = Math.max(0, Math.min(1, Math.round(100 * to) / 100));
      player.redraw();
    },
    changeOpacity: (by) => act.opacity(layers.opacity + by),
    segment: (n) => clock.seek(nearest(clip.time, (segments[n].start + segments[n].stop) / 2)),
    nextSegment(by) {
      const next = view.segment < 0 && by < 0 ? segments.length - 1 : view.segment + by;
      if (segments.length) act.segment((next + segments.length) % segments.length);
    },
    keys: () => player.toggleKeys(),
  };
  return act;
}
