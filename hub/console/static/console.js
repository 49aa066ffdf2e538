"use strict";
// Theme, keys, and live figures. Pages work without any of it.
(() => {
  const root = document.documentElement;
  const stored = localStorage.getItem("theme");
  if (stored) root.dataset.theme = stored;
  const one = (selector) => document.querySelector(selector);

  one("[data-theme-button]")?.addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.theme);
    document.dispatchEvent(new Event("hub:theme"));
  });
  one("[data-print]")?.addEventListener("click", () => window.print());
  one("[data-menu]")?.addEventListener("click", (event) => {
    const open = one("#nav")?.classList.toggle("open") ?? false;
    event.currentTarget.setAttribute("aria-expanded", String(open));
  });
  document.addEventListener("htmx:configRequest", (event) => {
    const token = document.body.dataset.csrf;
    if (token) event.detail.headers["X-CSRF"] = token;
  });

  // Keys: / finds, ? helps, p pauses, g and a letter jump.
  let jumping = 0;
  const typing = (target) => target.closest("input, textarea, select, [contenteditable]");
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    if (Date.now() - jumping < 1500) {
      jumping = 0;
      document.body.classList.remove("keys-shown");
      const link = one(`#nav a[data-key="${CSS.escape(event.key)}"]`);
      if (link) { event.preventDefault(); link.click(); return; }
    }
    if (event.key === "/") { event.preventDefault(); one("[data-search]")?.focus(); }
    else if (event.key === "?") one("[data-help]")?.showModal();
    else if (event.key === "p") one("[data-pause]")?.click();
    else if (event.key === "g") { jumping = Date.now(); document.body.classList.add("keys-shown"); setTimeout(() => document.body.classList.remove("keys-shown"), 1500); }
  });

  // Live figures: one stream a page. "part" replaces the element of that id, "rows" changes
  // rows of a table in it, "tick" only tells that the sampler is alive. The browser resumes by itself.
  const live = one("[data-live]");
  if (!live) return;
  const STALE_MS = 15000;
  let last = Date.now(), paused = false, held = [];
  const clock = (text) => { const at = one("[data-clock]"); if (at && text) at.textContent = text; };
  const alive = (data) => { last = Date.now(); clock(data.as_of); document.body.classList.toggle("stale", Boolean(data.stale)); };
  const kinds = {
    part(data) {
      const place = document.getElementById(data.id);
      if (!place || place.contains(document.activeElement) && document.activeElement.matches("input, select, textarea")) return;
      place.innerHTML = data.html;
      window.htmx?.process(place);
      document.dispatchEvent(new CustomEvent("hub:part", { detail: data.id }));
    },
    rows(data) {
      const body = document.getElementById(data.id)?.querySelector("tbody");
      if (!body) return;
      for (const html of Object.values(data.made)) body.insertAdjacentHTML("beforeend", html);
      for (const id of data.gone) document.getElementById(id)?.remove();
      if (data.order) body.append(...data.order.map((id) => document.getElementById(id)).filter(Boolean));
      for (const [id, values] of Object.entries(data.cells)) {
        const row = document.getElementById(id);
        if (!row) continue;
        if (values[0] !== null) row.className = values[0];
        for (let at = 1; at < values.length; at++) {
          if (values[at] !== null && row.cells[at - 1]) row.cells[at - 1].innerHTML = values[at];
        }
      }
    },
    series(data) { document.dispatchEvent(new CustomEvent("hub:series", { detail: data })); },
    tick() {},
  };
  const show = (kind, data) => { alive(data); kinds[kind](data); };
  const source = new EventSource(live.dataset.live);
  for (const kind of Object.keys(kinds)) {
    source.addEventListener(kind, (event) => {
      const data = JSON.parse(event.data);
      if (paused && kind !== "tick") { held = held.slice(-200); held.push([kind, data]); last = Date.now(); }
      else show(kind, data);
    });
  }
  setInterval(() => { if (Date.now() - last > STALE_MS) document.body.classList.add("stale"); }, 1000);
  one("[data-pause]")?.addEventListener("click", (event) => {
    paused = !paused;
    event.currentTarget.setAttribute("aria-pressed", String(paused));
    event.currentTarget.textContent = paused ? "▶" : "❚❚";
    document.body.classList.toggle("paused", paused);
    if (!paused) { held.forEach(([kind, data]) => show(kind, data)); held = []; }
  });
  addEventListener("pagehide", () => source.close());
})();
