// The clock: index of the frame on the screen. The browser reports the time of the presented frame
// (requestVideoFrameCallback); its index is that of the nearest time stamp.
// onShow(i): the image of frame i can be drawn. onState(): playing, seeking or failed has changed.

const LATE = 1000; // ms after which a missed callback of the browser is replaced

function createClock(video, clip, { onShow, onState }) {
  const exact = Boolean(video) && "requestVideoFrameCallback" in video;
  const last = clip.time.length - 1;
  const clock = { index: 0, wanted: null, exact, playing: false, failed: !video };
  let handle = 0, timer = 0, aimed = null, presentedIndex = null, presentedSince = false;

  function show(i) {
    clock.index = i;
    if (i === clock.wanted) clock.wanted = null;
    onShow(i);
  }

  // During a seek the callback may come before the image can be drawn: then `seeked` shows it.
  function presented(now, metadata) {
    presentedIndex = nearest(clip.time, metadata.mediaTime);
    presentedSince = true;
    if (video.readyState > 1) show(presentedIndex);
    handle = video.requestVideoFrameCallback(presented);
  }

  function tick() {
    const passed = video.currentTime - 0.5 / clip.meta.fps;
    if (clock.playing && video.readyState > 1) show(nearest(clip.time, passed));
    handle = requestAnimationFrame(tick);
  }

  // One seek at a time: a held key changes the target, and the next seek goes directly to it.
  function aim() {
    aimed = clock.wanted;
    video.currentTime = seekTime(clip, aimed);
  }

  // The new image is ready after its callback, which comes later than this event on a busy machine.
  function seeked() {
    const target = aimed;
    aimed = null;
    if (clock.wanted !== null && clock.wanted !== target) return aim();
    clearTimeout(timer);
    if (target !== null && target === presentedIndex) return show(target);
    presentedSince = false;
    timer = setTimeout(() => {
      if (clock.playing || clock.wanted === null) return;
      show(presentedSince ? presentedIndex : target ?? clock.index);
      clock.wanted = null;
      onState();
    }, exact ? LATE : 0);
  }

  function changed(state) {
    Object.assign(clock, state);
    onState();
  }

  if (video) {
    video.addEventListener("seeked", seeked);
    video.addEventListener("play", () => changed({ playing: true, wanted: null }));
    video.addEventListener("pause", () => changed({ playing: false }));
    video.addEventListener("error", () => {
      const target = clock.wanted ?? clock.index;
      changed({ failed: true, playing: false });
      show(target);
    });
    if (exact) handle = video.requestVideoFrameCallback(presented); else tick();
  }

  return Object.assign(clock, {
    seek(i) {
      const target = Math.max(0, Math.min(last, i));
      if (clock.failed) return show(target);
      clock.wanted = target;
      // a video cannot seek before its first image: `loadeddata` calls this again
      if (aimed === null && video.readyState > 1) aim();
      onState();
    },
    step(count) {
      if (clock.playing) video.pause();
      clock.seek((clock.wanted ?? clock.index) + count);
    },
    toggle() {
      if (clock.failed) return;
      if (video.paused) video.play().catch(onState); else video.pause();
    },
    destroy() {
      clearTimeout(timer);
      if (!video) return;
      if (exact) video.cancelVideoFrameCallback(handle); else cancelAnimationFrame(handle);
      video.pause();
      video.removeAttribute("src");
      video.load();
    },
  });
}
