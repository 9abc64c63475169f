// The stage: the image and everything drawn on it, on one canvas. The image is copied when the
// browser presents it, so that a later redraw never mixes it with the next frame.

const STAGE_WIDTH = 424, STAGE_HEIGHT = 318;

function stageSize({ width, height }) {
  const scale = Math.min(STAGE_WIDTH / width, STAGE_HEIGHT / height);
  return [Math.round(width * scale), Math.round(height * scale)];
}

function createStage(parent, clip, saliency) {
  const [width, height] = stageSize(clip.meta);
  const frame = make("div", { parent, className: "stage" });
  const video = make("video", { parent: frame, playsinline: "", preload: "auto", "aria-hidden": "true", tabindex: "-1" });
  const surface = canvas(frame, width, height, "Video with face box and saliency");
  const message = make("div", { parent: frame, className: "message" });
  const picture = document.createElement("canvas"), keep = sized(picture, width, height);
  video.style.width = surface.element.style.width;
  video.style.height = surface.element.style.height;

  const colours = saliencyColours(), size = saliency?.size ?? 1;
  const tile = document.createElement("canvas");
  tile.width = tile.height = size;
  const tilePen = tile.getContext("2d"), pixels = tilePen.createImageData(size, size);
  const words = new Uint32Array(pixels.data.buffer);
  const scaleX = width / clip.meta.width, scaleY = height / clip.meta.height;

  function rectangle(edges, i) {
    const [left, top, right, bottom] = edges.subarray(4 * i, 4 * i + 4);
    if (!Number.isFinite(left)) return null;
    return [left * scaleX, top * scaleY, (right - left) * scaleX, (bottom - top) * scaleY];
  }

  function drawSaliency(i, layers) {
    const area = rectangle(clip.crop_box, i), values = saliency.at(i, layers.target);
    if (!values) return `Loading frames ${saliency.range(i).join("–")}`;
    if (!area) return "";
    for (let k = 0; k < values.length; k++) words[k] = colours[values[k] + 128];
    tilePen.putImageData(pixels, 0, 0);
    surface.pen.globalAlpha = layers.opacity;
    surface.pen.imageSmoothingQuality = "high";
    surface.pen.drawImage(tile, ...area);
    surface.pen.globalAlpha = 1;
    return "";
  }

  function drawBox(i) {
    const area = rectangle(clip.box, i);
    if (!area) return;
    for (const [colour, thick] of [["rgba(0,0,0,.65)", 2.5], ["#fff", 1.2]]) {
      surface.pen.strokeStyle = colour;
      surface.pen.lineWidth = thick;
      surface.pen.strokeRect(...area);
    }
  }

  function drawLandmarks(i) {
    for (let p = 0; p < 68; p++) {
      const x = clip.landmark[2 * (68 * i + p)] * scaleX, y = clip.landmark[2 * (68 * i + p) + 1] * scaleY;
      if (Number.isFinite(x)) dot(surface.pen, "#fff", "rgba(0,0,0,.65)", x, y, 1.4);
    }
  }

  return {
    video,
    surface,
    showMessage(text) { message.textContent = text; },
    // Copy the image that the browser has just presented.
    present() {  // a picture of another size than the first is fitted in, as when it was prepared
      const fit = Math.min(width / video.videoWidth, height / video.videoHeight);
      const shown = [video.videoWidth, video.videoHeight].map((side) => Math.ceil(side * fit));
      keep.fillStyle = "#000";
      keep.fillRect(0, 0, width, height);
      keep.drawImage(video, (width - shown[0]) / 2, (height - shown[1]) / 2, ...shown);
    },
    draw(i, layers) {
      surface.pen.drawImage(picture, 0, 0, width, height);
      const wait = layers.saliency && saliency?.has(layers.target) ? drawSaliency(i, layers) : "";
      if (layers.box) drawBox(i);
      if (layers.landmarks && clip.landmark) drawLandmarks(i);
      return wait;
    },
  };
}
