(() => {
  "use strict";
  const FRESH_MS = 1600;
  const badge = document.getElementById("live"), input = document.querySelector("input[type=search]");
  const changedAt = new Map();  // part and key of a row -> when it changed
  const held = new Map();  // parts that are not swapped while text is selected in them
  let source;

  const inLocalTime = (root) => root.querySelectorAll("time").forEach((time) => {
    const moment = new Date(time.dateTime);
    const clock = moment.toLocaleTimeString("en-GB"), day = moment.toLocaleDateString("sv-SE");  // 2026-11-22
    time.textContent = moment.toDateString() === new Date().toDateString() ? clock : `${day} ${clock}`;
    time.title = moment.toString();
  });

  const rowsOf = (root) => [...root.querySelectorAll("[data-key]")];

  const selectionIn = (element) => {
    const selection = getSelection();
    return selection.type === "Range" && element.contains(selection.anchorNode);
  };

  const swap = (part) => {
    const element = document.getElementById(part.name);
    if (element.dataset.version === part.version) return;
    if (selectionIn(element)) { held.set(part.name, part); return; }
    held.delete(part.name);
    const before = new Map(rowsOf(element).map((row) => [row.dataset.key, row.textContent]));
    const scrolled = element.querySelector(".long")?.scrollTop;
    element.innerHTML = part.html;
    element.dataset.version = part.version;
    inLocalTime(element);
    if (scrolled) element.querySelector(".long")?.scrollTo(0, scrolled);
    const now = performance.now();
    for (const row of rowsOf(element)) {
      const key = part.name + " " + row.dataset.key;
      if (before.get(row.dataset.key) !== row.textContent) changedAt.set(key, now);
      const age = now - (changedAt.get(key) ?? -FRESH_MS);
      if (age < FRESH_MS) {
        row.style.animationDelay = `-${age}ms`;
        row.classList.add("fresh");
      } else changedAt.delete(key);
    }
  };

  const tell = (state) => {
    badge.hidden = false;
    badge.className = state;
    badge.lastElementChild.textContent = state === "on" ? "live" : "waiting for the emulator";
  };

  const look = () => {
    source?.close();
    if (document.hidden) return;  // nobody looks
    source = new EventSource(document.body.dataset.live + "?search=" + encodeURIComponent(input.value.trim()));
    source.onopen = () => tell("on");
    source.onerror = () => tell("off");
    source.addEventListener("part", (message) => swap(JSON.parse(message.data)));
  };

  let pause;
  input.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(() => {
      const search = input.value.trim();
      history.replaceState(null, "", search ? "?search=" + encodeURIComponent(search) : location.pathname);
      look();
    }, 250);
  });
  document.addEventListener("selectionchange", () => [...held.values()].forEach(swap));
  document.addEventListener("visibilitychange", look);
  addEventListener("pagehide", () => source?.close());
  inLocalTime(document);
  look();
})();
