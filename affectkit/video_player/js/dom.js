// Helpers for elements and canvases. Text is always set as text, never as HTML.

function make(tag, { parent, className, text, title, ...attributes } = {}) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  if (title) element.title = title;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (parent) parent.append(element);
  return element;
}

function button(parent, text, title, onClick, className = "button") {
  const element = make("button", { parent, className, text, title, type: "button" });
  if (title) element.setAttribute("aria-label", title);
  element.addEventListener("click", onClick);
  return element;
}

// A row of buttons, one of them pressed; returns a function that presses the button of a value.
function segmented(parent, label, options, onPick) {
  const group = make("span", { parent, className: "segmented", role: "group", "aria-label": label });
  const buttons = options.map(([value, text]) => [value, button(group, text, "", () => onPick(value), "")]);
  return (picked) => {
    for (const [value, element] of buttons) element.setAttribute("aria-pressed", String(value === picked));
  };
}

function checkbox(parent, text, checked, onChange) {
  const label = make("label", { parent, className: "check" });
  const input = make("input", { parent: label, type: "checkbox" });
  input.checked = checked;
  input.addEventListener("change", () => onChange(input.checked));
  make("span", { parent: label, text });
  return { label, input };
}

// A canvas with CSS pixels as coordinates, and with the resolution of the screen.
function canvas(parent, width, height, label) {
  const element = make("canvas", { parent, role: "img", "aria-label": label });
  return { element, pen: sized(element, width, height), width, height };
}

function sized(element, width, height) {
  const ratio = Math.max(1, globalThis.devicePixelRatio || 1);
  element.width = Math.round(width * ratio);
  element.height = Math.round(height * ratio);
  element.style.width = `${width}px`;
  element.style.height = `${height}px`;
  const pen = element.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  return pen;
}

// A background that is drawn once and copied for each frame.
function background(surface, draw) {
  const layer = document.createElement("canvas");
  const pen = sized(layer, surface.width, surface.height);
  return {
    redraw() {
      pen.clearRect(0, 0, surface.width, surface.height);
      draw(pen);
    },
    copy() {
      surface.pen.clearRect(0, 0, surface.width, surface.height);
      surface.pen.drawImage(layer, 0, 0, surface.width, surface.height);
    },
  };
}
