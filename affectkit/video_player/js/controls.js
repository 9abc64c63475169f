// Buttons, checkboxes and keys. They change the state by `act`; the returned functions show the state.

const RATES = [[0.25, "¼×"], [0.5, "½×"], [1, "1×"], [2, "2×"]];
const ICON = {
  play: "M3 0l9 6-9 6z", pause: "M3 1h3v10H3zM8 1h3v10H8z",
  back: "M3 1h2v10H3zM12 1v10L5.5 6z", on: "M9 1h2v10H9zM2 1v10l6.5-5z",
};

function icon(parent) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 14 12");
  svg.append(path);
  parent.append(svg);
  return (name) => path.setAttribute("d", ICON[name]);
}

function createTransport(parent, clip, act) {
  const row = make("div", { parent, className: "row transport" });
  const stepper = (text, title, count) => button(row, text, title, () => act.step(count));
  stepper("−10", "Back 10 frames", -10);
  icon(stepper("", "Back one frame", -1))("back");
  const play = button(row, "", "Play", act.toggle, "button play"), playIcon = icon(play);
  icon(stepper("", "Forward one frame", 1))("on");
  stepper("+10", "Forward 10 frames", 10);
  const number = make("span", { parent: row, className: "number" });
  const frame = make("b", { parent: number });
  make("span", { parent: number, className: "quiet", text: ` of ${clip.frame[clip.frame.length - 1]}` });
  const clockPlace = make("span", { parent: row, className: "clock" });
  const time = make("b", { parent: clockPlace }), note = make("span", { parent: clockPlace, className: "quiet" });

  return (clock, rate) => {
    playIcon(clock.playing ? "pause" : "play");
    play.setAttribute("aria-label", clock.playing ? "Pause" : "Play");
    play.disabled = clock.failed;
    row.classList.toggle("seeking", clock.wanted !== null);
    frame.textContent = String(clip.frame[clock.index]);
    time.textContent = clockText(clip.time[clock.index], 3);
    note.textContent = clock.failed ? " no image" : !clock.exact ? " approximate"
      : clock.playing && rate > 1 ? " to the nearest frame" : " frame-exact";
  };
}

function createLayers(parent, clip, layers, act, reason) {
  const row = make("div", { parent, className: "row" });
  const pressRate = segmented(row, "Speed", RATES, act.rate);
  const switches = make("span", { parent: row, className: "switches" });
  const boxes = { box: checkbox(switches, "Box", layers.box, (on) => act.layer("box", on)) };
  if (clip.landmark) boxes.landmarks = checkbox(switches, "Landmarks", layers.landmarks, (on) => act.layer("landmarks", on));
  boxes.saliency = checkbox(switches, "Saliency", layers.saliency, (on) => act.layer("saliency", on));

  const second = make("div", { parent, className: "row target" });
  const pressTarget = segmented(second, "Target of the saliency", [["valence", "Valence"], ["arousal", "Arousal"]], act.target);
  const missing = make("span", { parent: second, className: "quiet missing" });
  const tools = make("span", { parent: second, className: "tools" });
  make("span", { parent: tools, className: "quiet", text: "opacity" });
  const slider = make("input", { parent: tools, type: "range", min: 0, max: 100, step: 5, "aria-label": "Opacity of the saliency" });
  const share = make("span", { parent: tools, className: "percent" });
  slider.addEventListener("input", () => act.opacity(slider.value / 100));
  const scale = make("span", { parent: tools, className: "scale" });
  scale.title = "Square root of gradient × input, smoothed, on one scale per recording";
  make("span", { parent: scale, className: "quiet", text: "lowers" });
  const bar = make("i", { parent: scale });
  VIK.forEach((colour) => { make("u", { parent: bar }).style.background = colour; });
  make("span", { parent: scale, className: "quiet", text: "raises" });

  return (rate) => {
    pressRate(rate);
    pressTarget(layers.target);
    for (const [name, { input }] of Object.entries(boxes)) input.checked = layers[name];
    const why = reason(layers.target);
    boxes.saliency.input.disabled = Boolean(why);
    boxes.saliency.label.title = why;
    missing.textContent = why;
    tools.hidden = Boolean(why);
    slider.value = Math.round(100 * layers.opacity);
    share.textContent = `${slider.value} %`;
  };
}

// Keys work only while the focus is inside the player; a slider keeps its own arrow keys.
function keyActions(act) {
  return {
    " ": act.toggle, "ArrowLeft": (e) => act.step(e.shiftKey ? -10 : -1), "ArrowRight": (e) => act.step(e.shiftKey ? 10 : 1),
    "Home": act.home, "End": act.end, ",": () => act.faster(-1), ".": () => act.faster(1),
    "v": () => act.target("valence"), "a": () => act.target("arousal"), "s": () => act.toggleLayer("saliency"),
    "b": () => act.toggleLayer("box"), "m": () => act.toggleLayer("landmarks"), "-": () => act.changeOpacity(-0.1), "+": () => act.changeOpacity(0.1),
    "=": () => act.changeOpacity(0.1), "w": (e) => act.nextSegment(e.shiftKey ? -1 : 1), "?": act.keys,
  };
}

function listenToKeys(root, act) {
  const actions = keyActions(act);
  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const from = event.composedPath()[0], kind = from.tagName === "INPUT" ? from.type : from.tagName;
    const own = kind === "range" ? ["ArrowLeft", "ArrowRight", "Home", "End"] : [" ", "Enter"];
    if (from !== root && own.includes(event.key)) return event.stopPropagation();
    const action = actions[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    event.stopPropagation();
    if (!action) return;
    event.preventDefault();
    action(event);
  });
  // A click sets the focus to the player, so that Space still means play.
  root.addEventListener("click", (event) => {
    if (event.detail && event.target.type !== "range") root.focus({ preventScroll: true });
  });
}
