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
