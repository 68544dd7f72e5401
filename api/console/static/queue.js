// The queue's own: what is chosen, dialogs for one or many, clocks, who else is here, keys.
"use strict";

(() => {
  const list = document.querySelector("[data-queue]");
  if (!list) return;
  const cards = () => [...list.querySelectorAll(".card.flag")];
  const current = () => list.querySelector(".card.chosen");
  const words = (name, value) => list.dataset[name].replace("{}", value);

  // ---- what is chosen ------------------------------------------------------------------
  const bulk = document.getElementById("bulk");
  let everything = false;
  let last = null;
  const picked = () => cards().filter((card) => card.querySelector("[data-pick]")?.checked);

  function showPicked() {
    if (!bulk) return;
    const found = picked();
    for (const card of cards()) card.classList.toggle("picked", found.includes(card));
    if (!found.length) everything = false;
    bulk.hidden = !found.length;
    bulk.querySelector("[data-chosen]").textContent = everything ? "∞" : found.length;
    bulk.querySelector("[data-all]").hidden = everything;
  }

  function pick(card, on, upTo) {
    const all = cards();
    const from = upTo && last ? all.indexOf(last) : -1;
    const to = all.indexOf(card);
    const range = from >= 0 ? all.slice(Math.min(from, to), Math.max(from, to) + 1) : [card];
    for (const one of range) {
      const box = one.querySelector("[data-pick]");
      if (box) box.checked = on;
    }
    last = card;
    everything = false;
    showPicked();
  }

  const clear = () => { for (const card of picked()) card.querySelector("[data-pick]").checked = false; everything = false; showPicked(); };

  list.addEventListener("click", (event) => {
    const box = event.target.closest("[data-pick]");
    if (box) pick(box.closest(".card"), box.checked, event.shiftKey);
  });
  bulk?.querySelector("[data-none]").addEventListener("click", clear);
  bulk?.querySelector("[data-all]").addEventListener("click", () => {
    for (const card of cards()) card.querySelector("[data-pick]").checked = true;
    everything = true;
    showPicked();
  });

  // ---- dialogs act on what is chosen, else on one card -------------------------------------
  let target = null;

  function fill(form) {
    const place = form.querySelector("[data-targets]");
    const found = form.closest("#bulk") || !target ? picked() : [target];
    const add = (name, value) => {
      const field = document.createElement("input");
      Object.assign(field, { type: "hidden", name, value });
      place.append(field);
    };
    place.replaceChildren();
    if (everything && !target) add("all_of", list.dataset.filters);
    else for (const card of found) { add("ids", card.dataset.id); add("seen", `${card.dataset.id}:${card.dataset.version}`); }
  }

  // forms.js says what did not come.
  const isSaid = () => {};

  // What these offer depends on what is chosen. What was chosen is what was seen, not what comes now.
  const LOADED = new Set(["link", "escalate"]);
  function load(what, dialog) {
    const asked = everything && !target ? `all_of=${encodeURIComponent(list.dataset.filters)}`
      : (target ? [target] : picked()).map((one) => `ids=${one.dataset.id}`).join("&");
    document.getElementById(`${what}-body`).replaceChildren();
    htmx.ajax("GET", `/queue/${what}?${asked}`, { target: `#${what}-body`, swap: "innerHTML" }).then(() => {
      for (const form of dialog.querySelectorAll("[data-on-chosen]")) fill(form);
      dialog.querySelector("[autofocus]")?.focus();
    }).catch(isSaid);
  }

  function open(what, card) {
    target = card;
    const dialog = document.getElementById(`${what}-dialog`);
    if (!dialog) return;
    if (what === "reply") {
      htmx.ajax("GET", `/queue/${card.dataset.id}/reply`, { target: "#reply-body", swap: "innerHTML" })
        .then(() => dialog.querySelector("[autofocus]")?.focus()).catch(isSaid);
    }
    if (LOADED.has(what)) load(what, dialog);
    const about = dialog.querySelector("[data-about]");
    if (about) about.textContent = card ? "" : `(${everything ? "∞" : picked().length})`;
    for (const form of dialog.querySelectorAll("[data-on-chosen]")) fill(form);
    for (const problem of dialog.querySelectorAll(".problem")) problem.replaceChildren();
    dialog.showModal();
    beat();
  }

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-do]");
    if (!opener) return;
    event.preventDefault();
    open(opener.dataset.do, opener.closest(".card"));
  });
  // Before htmx reads the form.
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("#bulk [data-on-chosen]")) return;
    target = null;
    fill(event.target);
  }, true);
  document.addEventListener("change", (event) => {
    const field = event.target.closest("[data-until]");
    if (field) field.form.elements.until.value = field.value ? new Date(field.value).toISOString() : "";
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.detail.elt;
    // A refusal that is shown is no error to htmx.
    if (!form.matches || !form.matches("form") || !event.detail.successful || event.detail.xhr.status >= 400) return;
    if (form.matches("[data-closes-dialog]")) form.closest("dialog").close();
    if (form.matches("[data-on-chosen]") && !target) clear();
  });
  // The problem of a form in a dialog belongs there.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { elt } = event.detail.requestConfig;
    if (event.detail.xhr.status >= 400 && elt.closest("dialog")) event.detail.target = elt.querySelector(".problem") || event.detail.target;
  });
  for (const dialog of document.querySelectorAll("dialog")) dialog.addEventListener("close", () => {
    beat();
    // This comes a moment later: the next key may have put the focus elsewhere by then.
    if (document.activeElement === document.body) current()?.focus({ preventScroll: true });
  });

  // ---- copy and open -----------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const copier = event.target.closest("[data-copies]");
    if (!copier) return;
    const text = document.getElementById(copier.dataset.copies).value;
    navigator.clipboard?.writeText(text).catch(() => {});
    if (copier.href && copier.href.startsWith("https://x.com/intent/")) {
      const address = new URL(copier.href);
      if (text) address.searchParams.set("text", text); else address.searchParams.delete("text");
      copier.href = address.href;
    }
  });

  // ---- what changed in the meantime ---------------------------------------------------------
  document.addEventListener("htmx:afterSwap", (event) => {
    const problem = event.detail.target;
    const card = problem.closest && problem.matches(".problem") && problem.closest(".card[data-id]");
    if (!card || !problem.textContent.trim()) return;
    const button = document.createElement("button");
    button.className = "plain";
    button.type = "button";
    button.textContent = list.dataset.reload;
    button.addEventListener("click", () => reload(card.dataset.id));
    problem.append(button);
  });
  // A look at what changed must not take away a problem that is read, or a button that is pressed.
  const looks = new Set();
  const inUse = (card) => Boolean(card.querySelector(".problem-text, .htmx-request"));
  document.addEventListener("htmx:beforeSwap", (event) => {
    const card = event.detail.target;
    if (looks.delete(event.detail.requestConfig.path) && card.matches?.(".card") && inUse(card)) event.detail.shouldSwap = false;
  });
  function reload(id, isLook = false) {
    looks[isLook ? "add" : "delete"](`/queue/${id}/card`);
    const wasPicked = document.querySelector(`#card-${id} [data-pick]`)?.checked;
    return htmx.ajax("GET", `/queue/${id}/card`, { target: `#card-${id}`, swap: "outerHTML" }).then(() => {
      const box = document.querySelector(`#card-${id} [data-pick]`);
      if (box) box.checked = Boolean(wasPicked);
      showPicked();
    }).catch(isSaid);
  }

  // ---- clocks ------------------------------------------------------------------------------------
  const decimal = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1 });
  function length(seconds) {
    const [size, unit] = seconds >= 86400 ? [86400, "d"] : seconds >= 3600 ? [3600, "h"] : [60, "min"];
    const number = seconds / size;
    return `${decimal.format(number >= 10 || unit === "min" ? Math.floor(number) : Math.floor(10 * number) / 10)} ${unit}`;
  }
  function showClocks() {
    for (const clock of document.querySelectorAll("[data-due]")) {
      const due = Date.parse(clock.dataset.due);
      const left = (due - Date.now()) / 1000;
      const share = Math.min(1, (Date.now() - Date.parse(clock.dataset.from)) / (due - Date.parse(clock.dataset.from)));
      clock.querySelector("[data-due-text]").textContent = words(left > 0 ? "left" : "late", length(Math.abs(left)));
      clock.querySelector("rect").setAttribute("width", Math.round(100 * share));
      clock.classList.toggle("late", left <= 0);
      clock.classList.toggle("soon", left > 0 && share >= 0.75);
      clock.closest(".card")?.classList.toggle("is-late", left <= 0);
    }
  }
  setInterval(showClocks, 15000);

  // ---- who else is here ---------------------------------------------------------------------------
  const PRESENCE = "/api/v1/queue/presence";
  let here = null;

  function beat() {
    const dialog = document.querySelector("dialog[open]:not(#keys-help)");
    const card = (dialog && target) || current();
    const id = card && !document.hidden ? Number(card.dataset.id) : null;
    if (id === null && here === null) return;
    here = id;
    fetch(PRESENCE, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ mention_id: id, is_working: Boolean(dialog) }), keepalive: true }).catch(() => {});
  }
  async function look() {
    const shown = [...list.querySelectorAll(".card[data-id]")].slice(0, 200);
    if (!shown.length || document.hidden) return;
    const answer = await fetch(`${PRESENCE}?${shown.map((card) => `mention_id=${card.dataset.id}`).join("&")}`).catch(() => null);
    if (!answer || !answer.ok) return;
    const { people, versions } = await answer.json();
    for (const card of shown) {
      const version = versions[card.dataset.id];
      if (version && card.isConnected && String(version) !== card.dataset.version && !inUse(card)) reload(card.dataset.id, true);
    }
    for (const place of list.querySelectorAll("[data-with]")) {
      const others = people.filter((one) => String(one.mention_id) === place.dataset.with && one.who !== list.dataset.me);
      const text = others.map((one) => words(one.is_working ? "works" : "looks", one.name));
      if (place.textContent.trim() === text.join("")) continue;
      // Aloud only beside what one looks at oneself.
      if (text.length && place.closest(".card") === current()) sayAloud(text.join(", "));
      place.replaceChildren(...others.map((one, at) => {
        const span = document.createElement("span");
        span.className = one.is_working ? "person working" : "person";
        span.textContent = text[at];
        return span;
      }));
    }
  }
  for (const name of ["live:queue", "live:presence"]) document.body.addEventListener(name, look);
  let chosenId = null;
  new MutationObserver(() => {
    const id = current()?.dataset.id ?? null;
    if (id !== chosenId) { chosenId = id; beat(); }
  }).observe(list, { subtree: true, attributes: true, attributeFilter: ["class"] });
  setInterval(beat, 10000);
  setInterval(look, 20000);
  addEventListener("pagehide", () => {
    if (here !== null) fetch(PRESENCE, { method: "POST", headers: { "Content-Type": "application/json" }, body: '{"mention_id": null}', keepalive: true }).catch(() => {});
  });

  // From the search for a contact down to what is asked and who was found, and up again.
  function findsAmong(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const dialog = document.getElementById("link-dialog");
    if (!step || !dialog?.open) return false;
    const stops = [...dialog.querySelectorAll("[data-finds], [name=expected], [data-found]")];
    const at = stops.indexOf(document.activeElement);
    if (at < 0) return false;
    event.preventDefault();
    event.stopImmediatePropagation();
    stops[Math.max(0, Math.min(stops.length - 1, at + step))].focus();
    return true;
  }

  // ---- keys: before app.js, which has j, k, e, d, o, / and ? -----------------------------------------
  const DIALOGS = { a: "assign", s: "snooze", c: "correct", r: "reply", l: "link", i: "escalate" };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (findsAmong(event)) return;
    if (event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]")) return;
    const dialog = document.querySelector("dialog[open]");
    const key = event.key;
    if (dialog) {
      const copier = key === "c" && dialog.querySelector("[data-copies]");
      if (copier) { event.preventDefault(); copier.click(); }
      return;
    }
    const card = current();
    const many = picked().length > 0;
    let taken = true;
    if (key === "u" && document.querySelector("[data-undo]")) document.querySelector("[data-undo]").click();
    else if (key.toLowerCase() === "x" && card) pick(card, event.shiftKey || !card.querySelector("[data-pick]")?.checked, event.shiftKey);
    else if (key in DIALOGS && (many || card) && !(key === "r" && !card)) open(DIALOGS[key], many && key !== "r" ? null : card);
    else if (many && (key === "e" || key === "d")) bulk.querySelector(`form:has([value="${key === "e" ? "done" : "dismiss"}"]) button`).click();
    else if (key === "w" && card) card.querySelector(".why-link")?.click();
    else if (key === "Escape" && many) clear();
    else taken = false;
    if (!taken) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);

  // After an undo the keyboard is back at the mention that was acted on last.
  let acted = null, undoing = false;
  document.addEventListener("submit", (event) => {
    const card = event.target.closest(".card");
    if (card) acted = card.id;
    else if (event.target.querySelector("[data-undo]")) undoing = true;
  }, true);
  document.addEventListener("htmx:afterSettle", () => {
    showPicked();
    showClocks();
    const back = undoing && acted && document.querySelector(`#${acted}.flag`);
    if (back) { undoing = false; choose(back); return; }
    // What is chosen came anew: mark it again, or go on to the next that is open.
    const card = chosen();
    if (!card || card.classList.contains("chosen") || document.querySelector("dialog[open]")) return;
    const all = [...list.querySelectorAll(".card")];
    const next = all.slice(all.indexOf(card)).find((one) => !("closed" in one.dataset));
    if (next) choose(next);
  });
  showPicked();
  look();
})();
