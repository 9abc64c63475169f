// Entry points for the two hosts. Streamlit calls default(component), anywidget calls default() and
// expects { render }.

const mounted = new WeakMap();

async function fetchBytes(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error((await answer.text()) || `${answer.status} ${answer.statusText}`);
  return answer.arrayBuffer();
}

// Streamlit calls this again on the same element after each change of `data`. The same `revision`
// keeps the player; another one creates a new player.
async function showInStreamlit({ data, parentElement: parent, setStateValue }) {
  const present = mounted.get(parent);
  if (present?.revision === data.revision) {
    present.player?.update(data.frame);
    return present.cleanup;
  }
  present?.cleanup();
  const entry = { revision: data.revision, player: null };
  entry.cleanup = () => {
    entry.player?.destroy();
    if (mounted.get(parent) === entry) mounted.delete(parent);
  };
  mounted.set(parent, entry);
  const status = make("p", { parent, className: "affectkit-status" });
  const slow = setTimeout(() => { status.textContent = "Loading the recording"; }, 300);
  try {
    const buffer = await fetchBytes(data.payload);
    if (mounted.get(parent) !== entry) return entry.cleanup;
    entry.player = new Player(parent, {
      buffer, media: data.media, frame: data.frame, notes: data.notes,
      fetchChunk: (first, last) => fetchBytes(`${data.saliency}?from=${first}&to=${last}`),
      onFrame: (frame) => setStateValue("frame", frame),
    });
  } catch (error) {
    make("p", { parent, className: "affectkit-status", text: `The player could not start: ${error.message}` });
  } finally {
    clearTimeout(slow);
    status.remove();
  }
  return entry.cleanup;
}

function showInNotebook({ model, el }) {
  const bytes = model.get("payload"), video = model.get("video");
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const own = video?.byteLength ? URL.createObjectURL(new Blob([video], { type: model.get("mime") })) : "";
  const player = new Player(el, {
    buffer, media: own || model.get("url"), frame: model.get("frame"), notes: model.get("notes"),
    onFrame: (frame) => { model.set("frame", frame); model.save_changes(); },
  });
  const move = () => player.update(model.get("frame"));
  model.on("change:frame", move);
  return () => {
    model.off("change:frame", move);
    player.destroy();
    if (own) URL.revokeObjectURL(own);
  };
}

export default function (component) {
  return component?.parentElement ? showInStreamlit(component) : { render: showInNotebook };
}
