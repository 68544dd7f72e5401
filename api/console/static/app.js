// The console works without this file; it adds times in the reader's zone and the keyboard.
"use strict";

const MINUTE = 60, HOUR = 3600, DAY = 86400;
const ROOT = document.documentElement;
const WORDS = JSON.parse(document.getElementById("words").textContent);

function ago(date) {
  const s = (Date.now() - date.getTime()) / 1000;
  const size = Math.abs(s);
  const text = size >= DAY ? `${Math.floor(size / DAY)} d` : size >= HOUR ? `${Math.floor(size / HOUR)} h`
    : size >= MINUTE ? `${Math.floor(size / MINUTE)} min` : "";
  if (!text) return s >= 0 ? WORDS.now : WORDS.soon;
  return (s >= 0 ? WORDS.ago : WORDS.in).replace("{}", text);
}

// The browser knows the reader's kind of a language (British or American); the page knows which one.
const LOCALE = navigator.language.startsWith(ROOT.lang) ? navigator.language : ROOT.lang;
const BROWSER_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
const ZONE = "asksZone" in ROOT.dataset ? BROWSER_ZONE : ROOT.dataset.zone;
const LOCAL = new Intl.DateTimeFormat(LOCALE, { dateStyle: "medium", timeStyle: "short", timeZone: ZONE });
const SHORT = new Intl.DateTimeFormat(LOCALE, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", timeZone: ZONE });

// The session keeps the browser's zone, so that pages and files come with its times.
if ("asksZone" in ROOT.dataset && ROOT.dataset.zone !== BROWSER_ZONE) {
  fetch("/account/zone", { method: "POST", body: new URLSearchParams({ zone: BROWSER_ZONE }) }).catch(() => {});
}

function showTimes(root) {
  for (const el of root.querySelectorAll("time[datetime]")) {
    const date = new Date(el.dateTime);
    if (Number.isNaN(date.getTime())) continue;
    el.title = LOCAL.format(date);
    const sameYear = date.getFullYear() === new Date().getFullYear();
    el.textContent = "ago" in el.dataset ? ago(date) : (sameYear ? SHORT : LOCAL).format(date);
  }
}

// ---- what this tab keeps belongs to whoever is signed in ------------------------------------------

// Nothing that somebody typed is kept when they sign out, or shown to whoever signs in after them.
const USER = document.body.dataset.user;
if (USER) {
  if ((sessionStorage.getItem("user") || USER) !== USER) sessionStorage.clear();
  sessionStorage.setItem("user", USER);
}
document.addEventListener("submit", (event) => {
  if (event.target.getAttribute("action") === "/sign-out") sessionStorage.clear();
});

// ---- the list that has the keyboard ---------------------------------------------------

const cards = () => [...document.querySelectorAll("[data-list] [data-card]")];
let current = null;

function choose(card, { focus = true } = {}) {
  document.querySelectorAll("[data-card].chosen").forEach((el) => el.classList.remove("chosen"));
  current = card ? card.id || card.dataset.href : null;
  if (!card) return;
  card.classList.add("chosen");
  if (focus) card.focus({ preventScroll: true });
  card.scrollIntoView({ block: "nearest" });
}

const chosen = () => cards().find((card) => (card.id || card.dataset.href) === current) || null;

function move(step) {
  const all = cards();
  if (!all.length) return;
  const at = all.indexOf(chosen());
  let next = at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step;
  while (all[next] && "closed" in all[next].dataset) next += step;
  if (all[next]) choose(all[next]);
}

function press(key) {
  const card = key === "u" ? [...document.querySelectorAll("[data-card][data-closed]")].find((c) => c.id === lastClosed) : chosen();
  const button = card && card.querySelector(`[data-key="${key}"]`);
  if (!button) return false;
  if (key === "u") current = card.id;
  else lastClosed = card.id;
  button.click();
  return true;
}

let lastClosed = null;

// `data-hotkey` names the letter that leads to a stop, or to the first one in a place. It only leads
// there: what cannot be taken back is not done by a letter that somebody hit by mistake.
function leadTo(key) {
  const place = [...document.querySelectorAll("[data-hotkey]")].find((one) => one.dataset.hotkey === key && one.checkVisibility());
  const stop = place && (keyboard.isStop(place) ? place : keyboard.stopsIn(place)[0]);
  if (!stop) return false;
  stop.focus({ preventScroll: true });
  stop.scrollIntoView({ block: "center" });
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const popup = event.key === "Escape" && event.target.closest("details.save-view[open]");
  if (popup) {
    popup.open = false;
    popup.querySelector("summary").focus();
    return;
  }
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (typing) {
    if (event.key === "Escape") typing.blur();
    return;
  }
  if (document.querySelector("dialog[open]")) return;
  const help = document.getElementById("keys-help");
  const search = document.querySelector("[data-search]");
  const card = chosen();
  if (event.key === "j" || (event.key === "ArrowDown" && card)) move(1);
  else if (event.key === "k" || (event.key === "ArrowUp" && card)) move(-1);
  else if (["e", "d", "u"].includes(event.key)) { if (!press(event.key)) return; }
  else if ((event.key === "o" || (event.key === "Enter" && event.target === card)) && card && card.dataset.href) location.assign(card.dataset.href);
  else if (event.key === "/" && search) search.focus();
  else if (event.key === "?" && help) help.showModal();
  else if (!leadTo(event.key)) return;
  event.preventDefault();
});

document.addEventListener("click", (event) => {
  const card = event.target.closest("[data-list] [data-card]");
  if (card && !event.target.closest("a, button, summary")) choose(card, { focus: false });
  const opener = event.target.closest("[data-open]");
  if (opener) document.getElementById(opener.dataset.open).showModal();
  const copier = event.target.closest("[data-copy]");
  if (copier) {
    navigator.clipboard.writeText(document.getElementById(copier.dataset.copy).textContent)
      .then(() => {
        copier.dataset.said ??= copier.textContent;
        copier.textContent = WORDS.copied;
        sayAloud(WORDS.copied);
        setTimeout(() => { copier.textContent = copier.dataset.said; }, 2000);
      });
  }
});

// ---- what a screen reader says by itself ----------------------------------------------------------

// It hears what changes in a place that was there before. `data-aloud="60"` names a place whose
// changes are told, but not more often than once in so many seconds: an attack brings news each second.
const aloud = document.getElementById("aloud");
let speaks = 0;
function sayAloud(text) {
  clearTimeout(speaks);
  aloud.textContent = "";
  speaks = setTimeout(() => { aloud.textContent = text; }, 100);
}

for (const place of document.querySelectorAll("[data-aloud]")) {
  let last = -Infinity;
  new MutationObserver(() => {
    const text = place.checkVisibility() ? place.textContent.trim() : "";
    if (!text || performance.now() - last < 1000 * place.dataset.aloud) return;
    last = performance.now();
    sayAloud(text);
  }).observe(place, { childList: true, characterData: true, subtree: true });
}

const statuses = (root) => [...root.querySelectorAll("main [role=status]:not([data-told])")];
for (const one of statuses(document)) one.dataset.told = ""; // read with the page
document.addEventListener("htmx:afterSettle", () => {
  for (const one of statuses(document)) {
    one.dataset.told = "";
    sayAloud((one.querySelector("span") || one).textContent.trim());
  }
});

// ---- new incidents: said on every page of this tab until read, or taken on by somebody -----------

const menu = document.getElementById("menu-live");
const NEWS = "news:after";
if (menu) {
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt === menu) event.detail.parameters.after = sessionStorage.getItem(NEWS) || menu.dataset.after;
  });
  document.addEventListener("click", (event) => {
    const notice = event.target.closest("[data-read]")?.closest(".news");
    if (!notice) return;
    sessionStorage.setItem(NEWS, notice.dataset.last);
    notice.remove();
  });
  if (!sessionStorage.getItem(NEWS)) sessionStorage.setItem(NEWS, menu.dataset.after);
  else if (sessionStorage.getItem(NEWS) !== menu.dataset.after) addEventListener("load", () => htmx.trigger(menu, "news"));
}

// ---- filters apply themselves ----------------------------------------------------------

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-autosubmit]");
  if (form && event.target.tagName === "SELECT") form.requestSubmit();
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "get") return;
  // Empty filters stay out of the address.
  for (const field of form.elements) if (field.name && !field.value) field.disabled = true;
  setTimeout(() => { for (const field of form.elements) field.disabled = false; });
});

// ---- what came anew ------------------------------------------------------------------------

document.addEventListener("htmx:afterSettle", (event) => {
  const root = event.detail.target && event.detail.target.isConnected ? event.detail.target : document;
  showTimes(document);
  const card = chosen();
  if (!card) return;
  if ("closed" in card.dataset && card.id === lastClosed) {
    const all = cards();
    const next = all.slice(all.indexOf(card)).find((one) => !("closed" in one.dataset));
    // The last one is answered: its undo is what there is left to do.
    if (next) choose(next); else card.querySelector('[data-key="u"]')?.focus();
  } else if (root.contains(card) || document.activeElement === document.body) choose(card);
});

// ---- boxes that scroll: a stop of the keyboard only while there is more in them, and with a name ----

function nameBoxes() {
  for (const box of document.querySelectorAll(":is(.scroll, .scrolled)[tabindex]")) {
    const isMore = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
    box.tabIndex = isMore ? 0 : -1;
    if (box.hasAttribute("role")) continue;
    const around = box.closest("details, article, section");
    const title = box.querySelector("caption") || around?.querySelector("summary, h2, h3");
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", (title?.textContent || around?.getAttribute("aria-label") || document.title).trim());
  }
}
for (const name of ["htmx:afterSettle", "live:refreshed", "toggle"]) document.addEventListener(name, nameBoxes, true);
addEventListener("resize", nameBoxes);
addEventListener("load", nameBoxes);

// On paper nothing can be opened any more.
addEventListener("beforeprint", () => { for (const one of document.querySelectorAll("details[data-print-open]:not([open])")) { one.open = true; one.dataset.printOpen = "now"; } });
addEventListener("afterprint", () => { for (const one of document.querySelectorAll('details[data-print-open="now"]')) { one.open = false; one.dataset.printOpen = ""; } });

// On a phone the menu is a strip: where one is must be seen.
document.querySelector(".side nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
setInterval(() => showTimes(document), 30000);
showTimes(document);
