// The demo's guided tour: five steps, each on its own page. Where one is lives in the session.
"use strict";

(() => {
  const tour = document.getElementById("tour");
  if (!tour) return;
  const KEY = "groundswell-tour";
  const steps = [...tour.querySelectorAll("li")];
  const part = tour.querySelector("[data-part]");
  const back = tour.querySelector("[data-back]");
  const again = tour.querySelector("[data-again]");
  const next = tour.querySelector("[data-next]");
  const opener = document.querySelector("[data-tour]");

  function show(at) {
    sessionStorage.setItem(KEY, at);
    steps.forEach((step, number) => { step.hidden = number !== at; });
    part.textContent = part.dataset.part.replace("{}", at + 1);
    back.hidden = at === 0;
    next.hidden = at === steps.length - 1;
    if (at > 0) back.href = steps[at - 1].dataset.path;
    if (at < steps.length - 1) next.href = steps[at + 1].dataset.path;
    // Elsewhere it only says that it goes on: what it speaks of is not there.
    const isThere = location.pathname === steps[at].dataset.path;
    tour.classList.toggle("away", !isThere);
    again.hidden = isThere;
    again.href = steps[at].dataset.path;
    if (!isThere) back.hidden = next.hidden = true;
    tour.hidden = false;
    document.body.classList.add("touring");
    document.querySelectorAll(".tour-target").forEach((el) => el.classList.remove("tour-target"));
    const target = document.querySelector(steps[at].dataset.target);
    if (isThere) tour.focus({ preventScroll: true });
    if (!target || !isThere) return;
    target.classList.add("tour-target");
    // What it speaks of must be seen beside it, on a phone above it.
    const { top, bottom } = target.getBoundingClientRect();
    if (Math.min(bottom, top + 240) > tour.getBoundingClientRect().top) target.scrollIntoView({ block: "start" });
  }

  function end() {
    sessionStorage.removeItem(KEY);
    tour.hidden = true;
    document.body.classList.remove("touring");
    document.querySelectorAll(".tour-target").forEach((el) => el.classList.remove("tour-target"));
    if (opener) opener.focus();
  }

  back.addEventListener("click", () => sessionStorage.setItem(KEY, Number(sessionStorage.getItem(KEY)) - 1));
  next.addEventListener("click", () => sessionStorage.setItem(KEY, Number(sessionStorage.getItem(KEY)) + 1));
  tour.querySelector("[data-close]").addEventListener("click", end);
  tour.addEventListener("keydown", (event) => { if (event.key === "Escape") end(); });
  if (opener) {
    opener.hidden = false;
    opener.addEventListener("click", () => {
      sessionStorage.setItem(KEY, 0);
      if (location.pathname === steps[0].dataset.path) show(0);
      else location.assign(steps[0].dataset.path);
    });
  }

  if (new URLSearchParams(location.search).has("tour")) {
    history.replaceState(null, "", location.pathname);
    sessionStorage.setItem(KEY, 0);
  }
  const kept = sessionStorage.getItem(KEY);
  if (kept !== null && steps[Number(kept)]) show(Number(kept));
})();
