// Forms that change something are sent by script: once however often somebody presses, with a word
// while they wait, and what goes wrong is said where it happened with what was typed still there.
// `data-inline` answers in place; any other form leads where the server says (X-Form, X-Go-To:
// see api/form_answers.py). What a link or button asks htmx for is held to the same.
"use strict";

const enhance = (() => {
  const SAYS_MS = 700;
  const SENT = "X-Form", GO_TO = "X-Go-To";
  const byUser = (event) => ["submit", "click"].includes(event?.type);
  const typeOf = (detail) => detail.requestConfig?.triggeringEvent?.type || "";
  const isBackground = (detail) => /^(live:|news$)/.test(typeOf(detail));

  // What is said must be seen and heard beside an open dialog, which makes all else inert.
  function sayIn(id, text) {
    const place = document.getElementById(id);
    const home = document.querySelector("dialog[open]") || document.body;
    if (text && place.parentElement !== home) home.append(place);
    place.textContent = text;
  }
  document.addEventListener("close", (event) => {
    for (const id of ["problems", "working"]) {
      const place = document.getElementById(id);
      if (event.target.contains(place)) document.body.append(place);
    }
  }, true);

  // ---- once, and with a word while it takes its time -------------------------------------------------
  const sending = new Map();

  function begin(elt, button) {
    const says = setTimeout(() => {
      button?.setAttribute("aria-busy", "true");
      sayIn("working", WORDS.working);
    }, SAYS_MS);
    sending.set(elt, { button, says });
  }

  function settle(elt) {
    const one = sending.get(elt);
    if (!one || one.leaves) return;
    clearTimeout(one.says);
    one.button?.removeAttribute("aria-busy");
    sending.delete(elt);
    if (!sending.size) sayIn("working", "");
  }

  const stop = (event) => { event.preventDefault(); event.stopImmediatePropagation(); };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || "downloads" in form.dataset) return;
    if (sending.has(form)) { stop(event); return; }
    form.querySelector(".problem")?.replaceChildren();
    begin(form, event.submitter);
  }, true);
  document.addEventListener("click", (event) => {
    const asker = event.target.closest("[hx-get]");
    if (asker && sending.has(asker)) stop(event);
  }, true);
  document.addEventListener("htmx:beforeRequest", (event) => {
    const { elt, target, requestConfig } = event.detail;
    const isByUser = byUser(requestConfig.triggeringEvent);
    if (isByUser) sayIn("problems", "");
    if (elt.matches("form") || sending.has(elt)) return;
    if (isByUser || target?.closest("dialog")) begin(elt, elt.matches("button, a") ? elt : null);
  });
  document.addEventListener("htmx:afterRequest", (event) => settle(event.detail.requestConfig?.elt || event.detail.elt));
  // A page that comes back from the browser's memory sends nothing any more.
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const one of sending.values()) one.leaves = false;
    [...sending.keys()].forEach(settle);
  });

  // ---- how they are sent --------------------------------------------------------------------------
  function enhance(root) {
    for (const form of root.querySelectorAll("form[method=post]:not([hx-post], [data-downloads])")) {
      form.setAttribute("hx-post", form.getAttribute("action"));
      form.setAttribute("hx-target", "#main");
      form.setAttribute("hx-select", "#main");
      form.setAttribute("hx-swap", "outerHTML show:none");
      // What a field of it asks for by itself goes where the field says.
      form.setAttribute("hx-disinherit", "*");
      form.dataset.sent = "inline" in form.dataset ? "inline" : "whole";
      htmx.process(form);
    }
  }

  document.addEventListener("htmx:configRequest", (event) => {
    const how = event.detail.elt.dataset?.sent;
    if (!how) return;
    event.detail.headers[SENT] = how;
    // What a button of the form names as another address is sent there (`formaction`).
    const to = event.detail.triggeringEvent?.submitter?.getAttribute("formaction");
    if (to) event.detail.path = to;
    // Such a form gets the page that a browser would get.
    if (how === "whole") delete event.detail.headers["HX-Request"];
  });

  function go(path) {
    const to = new URL(path, location.href);
    if (to.origin !== location.origin) return;
    if (to.pathname + to.search !== location.pathname + location.search) { location.assign(to); return; }
    history.replaceState(null, "", to);
    location.reload();
  }

  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const { xhr, requestConfig } = event.detail;
    const to = xhr.getResponseHeader(GO_TO);
    if (!to) return;
    event.preventDefault();
    const one = sending.get(requestConfig.elt);
    if (one) one.leaves = true;
    if (!to.startsWith("/sign-in")) requestConfig.elt.dispatchEvent(new CustomEvent("form:done", { bubbles: true }));
    go(to);
  });

  // ---- what went wrong, where it happened -------------------------------------------------------------
  function placeOf(elt, target) {
    const form = elt.closest("form[method=post]");
    const near = form?.querySelector(".problem") || elt.closest("[data-card]")?.querySelector(".problem");
    if (near) return near;
    const asksItself = /\b(load|near|every)\b/.test(elt.getAttribute("hx-trigger") || "") || target?.closest("dialog[open]");
    if (!form && !asksItself) return null;
    const place = document.createElement("div");
    place.className = "problem";
    place.setAttribute("role", "alert");
    if (form) form.append(place); else (target?.isConnected ? target : elt).replaceChildren(place);
    return place;
  }

  function tell(detail, text) {
    const elt = detail.requestConfig?.elt || detail.elt;
    const place = isBackground(detail) ? null : placeOf(elt, detail.target);
    if (!place) { sayIn("problems", text); return; }
    const said = document.createElement("p");
    said.className = "problem-text";
    said.textContent = text;
    place.replaceChildren(said);
    const { verb, path } = detail.requestConfig;
    if (verb !== "get" || elt.closest("form")) return;
    // What a page asks for by itself can be asked for again.
    const again = document.createElement("button");
    again.type = "button";
    again.className = "plain";
    again.textContent = WORDS.again;
    again.addEventListener("click", () => {
      place.replaceChildren();
      const swap = elt === detail.target ? elt.getAttribute("hx-swap") || "innerHTML" : "innerHTML";
      htmx.ajax("GET", path, { source: elt, target: detail.target, swap }).catch(() => {});
    });
    place.append(again);
  }

  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, (event) => {
      tell(event.detail, event.detail.requestConfig?.verb === "post" ? WORDS.unsure : WORDS.away);
    });
  }
  document.addEventListener("htmx:afterOnLoad", () => {
    if (document.getElementById("problems").textContent === WORDS.away) sayIn("problems", "");
  });

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, requestConfig, target } = event.detail;
    if (xhr.status < 400) return;
    event.detail.isError = false;
    // Somebody between us and the browser may answer, too.
    if (!xhr.responseText.includes("problem-text")) {
      event.detail.shouldSwap = false;
      tell(event.detail, WORDS.failed.replace("{}", xhr.status));
      return;
    }
    const place = isBackground(event.detail) ? null : placeOf(requestConfig.elt, target);
    if (!place) sayIn("problems", " ");
    event.detail.target = place || document.getElementById("problems");
    event.detail.selectOverride = ".problem-text";
    event.detail.swapOverride = "innerHTML";
    event.detail.shouldSwap = true;
  });

  // A page that asks by itself does not lead to the sign-in: somebody may be typing.
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    if (event.detail.xhr.status !== 401 || !isBackground(event.detail)) return;
    event.preventDefault();
    sayIn("problems", WORDS.ended);
  });

  document.addEventListener("htmx:afterSettle", () => enhance(document));
  enhance(document);
  return enhance;
})();
