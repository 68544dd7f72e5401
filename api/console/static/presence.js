// On a mention's page: says that the reader is here, and shows who else is.
"use strict";

(() => {
  const work = document.querySelector("[data-work]");
  if (!work) return;
  const PRESENCE = "/api/v1/queue/presence";
  const id = Number(work.dataset.work);
  const place = work.querySelector("[data-with]");

  function say(mention, isWorking) {
    fetch(PRESENCE, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ mention_id: mention, is_working: isWorking }), keepalive: true }).catch(() => {});
  }
  function beat() {
    if (!document.hidden) say(id, Boolean(document.activeElement?.closest(".work form, .correct")));
  }
  async function look() {
    const answer = await fetch(`${PRESENCE}?mention_id=${id}`).catch(() => null);
    if (!answer || !answer.ok) return;
    const others = (await answer.json()).people.filter((one) => one.who !== work.dataset.me);
    place.replaceChildren(...others.map((one) => {
      const span = document.createElement("span");
      span.className = one.is_working ? "person working" : "person";
      span.textContent = work.dataset[one.is_working ? "works" : "looks"].replace("{}", one.name);
      return span;
    }));
  }
  document.body.addEventListener("live:presence", look);
  document.addEventListener("focusin", beat);
  addEventListener("pagehide", () => say(null, false));
  setInterval(beat, 10000);
  setInterval(look, 20000);
  beat();
  look();
})();
