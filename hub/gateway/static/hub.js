// Refreshes the overview: the server renders, this only swaps what changed.
"use strict";
(() => {
  const live = document.getElementById("live");
  const main = document.getElementById("main");
  if (!live) return;
  const every = Number(live.dataset.every) * 1000;
  const refresh = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch("/?part=main", { headers: { Accept: "text/html" } });
      if (answer.redirected) { location.reload(); return; }
      if (!answer.ok) throw new Error(String(answer.status));
      main.innerHTML = await answer.text();
      live.classList.remove("lost");
      live.textContent = "";
    } catch {
      live.classList.add("lost");
      live.textContent = live.dataset.lost;
    }
  };
  setInterval(refresh, every);
  document.addEventListener("visibilitychange", refresh);
})();
