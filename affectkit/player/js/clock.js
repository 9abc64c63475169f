// The one clock: which entry of the time table is on the screen. The browser says which frame it
// presented (requestVideoFrameCallback), the table says which entry that is.
// onShow(i): the picture of entry i is there, draw. onState(): playing, seeking or failed changed.

const LATE = 1000; // ms after which a callback that the browser missed is made up for

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

  // During a seek the callback may come before the picture can be drawn: then `seeked` shows it.
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

  // One seek at a time: a held key moves the goal, and the next seek goes straight there.
  function aim() {
    aimed = clock.wanted;
    video.currentTime = seekTime(clip, aimed);
  }

  // The new picture is there once its callback has come, which on a busy machine is later than this.
  function seeked() {
    const goal = aimed;
    aimed = null;
    if (clock.wanted !== null && clock.wanted !== goal) return aim();
    clearTimeout(timer);
    if (goal !== null && goal === presentedIndex) return show(goal);
    presentedSince = false;
    timer = setTimeout(() => {
      if (clock.playing || clock.wanted === null) return;
      show(presentedSince ? presentedIndex : goal ?? clock.index);
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
      const goal = clock.wanted ?? clock.index;
      changed({ failed: true, playing: false });
      show(goal);
    });
    if (exact) handle = video.requestVideoFrameCallback(presented); else tick();
  }

  return Object.assign(clock, {
    seek(i) {
      const goal = Math.max(0, Math.min(last, i));
      if (clock.failed) return show(goal);
      clock.wanted = goal;
      // a video without its first picture takes no seek: `loadeddata` comes back here
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
