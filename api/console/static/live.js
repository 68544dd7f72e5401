// Pages follow what happens elsewhere. `/events` names what changed; each name becomes the event
// `live:NAME` on the body, so that a part of a page refreshes itself with
//   hx-get="/queue" hx-trigger="live:queue from:body" hx-select="#list" hx-swap="outerHTML"
// One tab holds the line for all tabs: browsers allow six connections to a server.
"use strict";

(() => {
  const frame = document.querySelector("[data-live]");
  if (!frame) return;
  const AGAIN_MS = 700, SILENT_MS = 40000, ALONE_MS = 15000;
  const tab = Math.random().toString(36).slice(2);
  const channel = "BroadcastChannel" in window ? new BroadcastChannel("groundswell-live") : null;
  const waiting = new Set();
  let seen = frame.dataset.live, heard = Date.now(), source = null, timer = 0, told = 0;

  // ---- names become events of the page ---------------------------------------------------
  function names() {
    const found = new Set();
    for (const el of document.querySelectorAll("[data-follow]")) found.add(el.dataset.follow);
    for (const el of document.querySelectorAll("[hx-trigger*='live:']")) {
      for (const [, name] of el.getAttribute("hx-trigger").matchAll(/live:([^\s,[]+)/g)) found.add(name);
    }
    return found;
  }

  function flush() {
    timer = 0;
    if (document.hidden || !waiting.size) return;
    told = Date.now();
    const all = waiting.has("resync") ? names() : [...waiting];
    waiting.clear();
    for (const name of all) document.body.dispatchEvent(new CustomEvent(`live:${name}`));
  }

  function tell(name) {
    heard = Date.now();
    document.documentElement.dataset.line = "on";
    if (name === "beat") return;
    waiting.add(name);
    if (!timer) timer = setTimeout(flush, Math.max(0, told + AGAIN_MS - Date.now()));
  }

  // ---- one tab listens, the others hear it ------------------------------------------------
  function listen() {
    if (source) source.close();
    source = new EventSource(`/events?after=${encodeURIComponent(seen)}`);
    source.onopen = () => tell("beat");
    source.onmessage = (event) => {
      seen = event.lastEventId;
      tell(event.data);
      if (channel) channel.postMessage({ name: event.data, seen });
    };
    source.onerror = () => { document.documentElement.dataset.line = "off"; };
  }

  if (channel) {
    channel.onmessage = ({ data }) => {
      // Who comes later says where it stands; it has missed something if that is elsewhere.
      if (data.asks) { if (source && data.seen !== seen) channel.postMessage({ name: "resync", seen, to: data.asks }); return; }
      if (data.to && data.to !== tab) return;
      if (!source) seen = data.seen;
      tell(data.name);
    };
  }
  if (channel && navigator.locks) {
    navigator.locks.request("groundswell-live", () => { listen(); return new Promise(() => {}); });
    channel.postMessage({ asks: tab, seen });
  } else listen();

  // Nothing was heard, not even a beat: listen oneself; and without any line ask now and then.
  setInterval(() => {
    if (Date.now() - heard > SILENT_MS) {
      heard = Date.now() - SILENT_MS + ALONE_MS;
      document.documentElement.dataset.line = "off";
      waiting.add("resync");
      flush();
      listen();
    }
  }, 5000);
  document.addEventListener("visibilitychange", flush);

  // ---- parts that follow together: one answer for all of them -------------------------------
  // <div data-follow="incident:12"> with parts <section data-part id="...">: the page is asked for
  // again, and what became another one is put in; a part in which somebody writes stays as it is.
  const main = () => document.getElementById("main"); // a form may have brought a new one
  const fields = "input, textarea, select";
  const isTouched = (field) => field === document.activeElement
    || (field.matches("[type=checkbox], [type=radio]") ? field.checked !== field.defaultChecked
      : field.matches("select") ? [...field.options].some((one) => one.defaultSelected !== one.selected && (one.defaultSelected || one.index > 0))
        : field.value !== field.defaultValue);
  let asking = false, again = false;

  // What is pressed must still be there when it is let go: nothing is put in meanwhile.
  let isDown = false, letGo = [];
  for (const name of ["keydown", "pointerdown"]) document.addEventListener(name, () => { isDown = true; }, true);
  for (const name of ["keyup", "pointerup", "pointercancel", "blur"]) {
    window.addEventListener(name, (event) => {
      if (name === "blur" && event.target !== window) return;
      isDown = false;
      // After the click that a released key or pointer brings.
      for (const go of letGo) setTimeout(go);
      letGo = [];
    }, true);
  }
  const untilLetGo = () => isDown ? new Promise((go) => letGo.push(go)) : null;

  async function refresh() {
    if (asking) { again = true; return; }
    asking = true;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok || answer.redirected) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      await untilLetGo();
      for (const part of document.querySelectorAll("[data-follow] [data-part][id]")) put(part, fresh.getElementById(part.id));
      document.dispatchEvent(new CustomEvent("live:refreshed"));
    } catch { /* the line says so */ } finally {
      asking = false;
      if (again) { again = false; refresh(); }
    }
  }

  // What a part says, without what the page itself did to it: an unchanged button stays the same
  // one, so that a click on it is not lost.
  function said(part) {
    const copy = part.cloneNode(true);
    for (const el of copy.querySelectorAll("time")) { el.textContent = ""; el.removeAttribute("title"); }
    for (const el of copy.querySelectorAll("details")) el.removeAttribute("open");
    for (const el of copy.querySelectorAll("[data-drafted], [aria-busy]")) for (const name of ["data-drafted", "aria-busy"]) el.removeAttribute(name);
    for (const el of copy.querySelectorAll(".scroll, .scrolled")) for (const name of ["role", "aria-label", "tabindex"]) el.removeAttribute(name);
    for (const el of copy.querySelectorAll("[data-said]")) { el.textContent = el.dataset.said; el.removeAttribute("data-said"); }
    for (const el of copy.querySelectorAll(".htmx-request")) el.classList.remove("htmx-request");
    for (const el of copy.querySelectorAll("form")) for (const name of ["hx-post", "hx-target", "hx-select", "hx-swap", "hx-disinherit", "data-sent"]) el.removeAttribute(name);
    return copy.innerHTML;
  }

  function put(part, fresh) {
    if (!fresh || said(part) === said(fresh)) return;
    if ([...part.querySelectorAll(fields)].some(isTouched)) return;
    const opened = [...part.querySelectorAll("details[id]")].map((el) => [el.id, el.open]);
    const kept = part.contains(document.activeElement) ? keyboard.remember(main()) : null;
    const scrolled = part.scrollTop;
    part.replaceWith(fresh);
    for (const [id, open] of opened) { const el = document.getElementById(id); if (el) el.open = open; }
    fresh.scrollTop = scrolled;
    keyboard.restore(kept, main());
    enhance(fresh);
    htmx.process(fresh);
    showTimes(fresh);
  }

  for (const el of document.querySelectorAll("[data-follow]")) document.body.addEventListener(`live:${el.dataset.follow}`, refresh);

  // ---- what somebody is doing is left alone -----------------------------------------------
  const isLive = (event) => (event.detail.requestConfig?.triggeringEvent?.type || "").startsWith("live:");
  const held = new Set();

  document.addEventListener("htmx:beforeRequest", (event) => {
    const { target } = event.detail;
    const busy = document.activeElement;
    if (!isLive(event) || !target || !target.contains(busy) || !busy.matches("input:not([type=checkbox], [type=radio]), textarea, select")) return;
    event.preventDefault();
    held.add(event.detail.requestConfig.triggeringEvent.type.slice(5));
  });
  document.addEventListener("focusout", () => {
    for (const name of held) tell(name);
    held.clear();
  });

  let open = [];
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (isLive(event)) open = [...document.querySelectorAll("details[id][open]")].map((el) => el.id);
  });
  document.addEventListener("htmx:afterSettle", () => {
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    open = [];
  });
})();
