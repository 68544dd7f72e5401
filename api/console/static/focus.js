// The keyboard stays where it was when a part of the page comes anew: at the same button or link,
// else at the next one that is still there. `data-then="#place"` of a form names where it goes on once
// the form was accepted: to the first stop in that place.
"use strict";

const keyboard = (() => {
  const STOPS = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
  const stopsIn = (root) => [...root.querySelectorAll(STOPS)].filter((one) => !one.disabled && one.checkVisibility());

  // What tells a stop from the others, also in the page that comes next.
  function sign(one) {
    if (one.id) return one.id;
    const labelled = one.getAttribute("aria-labelledby");
    if (labelled) return `${one.localName} ${labelled}`;
    const where = one.closest("form")?.getAttribute("action") || one.getAttribute("href") || one.closest("details[id]")?.id || "";
    const said = one.getAttribute("aria-label") || (one.matches("input, select, textarea") ? "" : one.textContent.trim());
    const which = one.type === "radio" || one.type === "checkbox" ? one.value : "";
    return [one.localName, where, one.name || "", which, said].join(" ");
  }

  // Several may look alike: the third of them is told from the second.
  function signed(stops) {
    const seen = new Map();
    return stops.map((one) => {
      const name = sign(one), number = seen.get(name) || 0;
      seen.set(name, number + 1);
      return `${name} ${number}`;
    });
  }

  function put(one) {
    one.focus({ preventScroll: true });
    // Whoever uses a mouse looks at where they clicked.
    if (one.matches(":focus-visible")) one.scrollIntoView({ block: "nearest" });
  }

  // Where the keyboard is in a part of the page; null where it is elsewhere.
  function remember(root, at = document.activeElement) {
    if (!root || !root.contains(at) || at === root) return null;
    const stops = stopsIn(root);
    const place = stops.indexOf(at);
    if (place < 0) return null;
    const signs = signed(stops);
    const around = at.closest("details")?.querySelector("summary");
    return { signs, place, around: signs[stops.indexOf(around)] };
  }

  function restore(kept, root) {
    if (!kept || !root) return false;
    const stops = stopsIn(root);
    const found = new Map(signed(stops).map((name, at) => [name, stops[at]]));
    // Of what was folded away again, the summary is what can be seen.
    const nearest = [kept.signs[kept.place], kept.around, ...kept.signs.slice(kept.place), ...kept.signs.slice(0, kept.place).reverse()];
    const there = nearest.find((name) => found.has(name));
    if (there === undefined) return false;
    put(found.get(there));
    return true;
  }

  // ---- what a form or a list that follows by itself brings ----------------------------------------
  const main = () => document.getElementById("main");
  const before = new WeakMap(); // by request: several may be on their way
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { requestConfig, target, xhr } = event.detail;
    const { elt } = requestConfig;
    const isSent = xhr.status < 400 && Boolean(elt.dataset?.sent);
    const form = isSent ? { action: elt.getAttribute("action"), then: elt.dataset.then } : null;
    const at = document.activeElement === document.body && isSent ? requestConfig.triggeringEvent?.submitter : document.activeElement;
    const kept = at && target?.contains(at) ? remember(main(), at) : null;
    if (form || kept) before.set(xhr, { form, kept });
  });

  document.addEventListener("htmx:afterSettle", (event) => {
    const { xhr } = event.detail;
    if (!before.has(xhr)) return;
    const { form, kept } = before.get(xhr);
    before.delete(xhr);
    if (document.activeElement !== document.body || document.querySelector("dialog[open]")) return;
    const then = form?.then && document.querySelector(form.then);
    const [first] = then && then !== main() ? stopsIn(then) : [];
    if (first) { put(first); return; }
    // Another page altogether: it is read from its beginning.
    if (then && then === main()) { then.focus(); return; }
    const same = form && document.querySelector(`main form[action="${CSS.escape(form.action)}"]`);
    const field = same?.querySelector("input:not([type=hidden]), textarea, select, button");
    if (field?.checkVisibility()) { put(field); return; }
    if (!restore(kept, main()) && form) main()?.focus({ preventScroll: true });
  });

  return { isStop: (one) => one.matches(STOPS), stopsIn, remember, restore };
})();
