// What is half typed survives a reload, a lost session and the sign-in that leads back: text fields
// of forms that change something are kept in this tab until their form was sent and answered.
// `data-draft="name"` names a field that is in no such form; `data-no-draft` leaves a form out. A
// field that somebody else changed on the server meanwhile is shown as it is there.
"use strict";

(() => {
  const KEY = "draft:";
  const KINDS = "textarea, input:not([type]), input[type=text], input[type=email], input[type=url], input[type=number], input[type=date], input[type=datetime-local]";
  const isAlone = document.body.classList.contains("alone");

  function nameOf(field) {
    if (field.dataset.draft) return `${KEY}${location.pathname}:${field.dataset.draft}`;
    const form = field.form;
    if (!form || form.method !== "post" || !field.name || !field.matches(KINDS) || form.hasAttribute("data-no-draft")) return null;
    const action = form.getAttribute("action");
    // Several forms of a page may do the same, each to something else.
    const place = [...document.querySelectorAll(`form[action="${CSS.escape(action)}"]`)].indexOf(form);
    return `${KEY}${location.pathname}:${action}:${place}:${field.name}`;
  }
  const fieldsOf = (root) => [...root.querySelectorAll(`[data-draft], form[method=post] :is(${KINDS})`)].filter(nameOf);

  function restore(root) {
    if (isAlone) return;
    for (const field of fieldsOf(root)) {
      if ("drafted" in field.dataset) continue;
      field.dataset.drafted = "";
      const kept = JSON.parse(sessionStorage.getItem(nameOf(field)) || "null");
      if (!kept || kept.value === field.value || (!field.dataset.draft && kept.base !== field.defaultValue)) continue;
      field.value = kept.value;
      const closed = field.closest("details:not([open])");
      if (closed) closed.open = true;
      field.dispatchEvent(new CustomEvent("draft:restored", { bubbles: true }));
    }
  }

  document.addEventListener("input", (event) => {
    const field = event.target;
    if (isAlone || !field.matches(`[data-draft], ${KINDS}`) || !nameOf(field)) return;
    sessionStorage.setItem(nameOf(field), JSON.stringify({ value: field.value, base: field.defaultValue }));
  });

  const namesIn = (form) => {
    const fields = fieldsOf(form);
    if (form.dataset.sends) fields.push(...document.querySelectorAll(`[data-draft="${CSS.escape(form.dataset.sends)}"]`));
    return fields.map(nameOf);
  };

  // A form that htmx sends is forgotten when the answer is good, before it is put in; a refusal that
  // is shown is no good answer, and a 401 leads to the sign-in.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const form = event.detail.requestConfig.elt;
    if (form.matches?.("form") && event.detail.xhr.status < 400) for (const name of namesIn(form)) sessionStorage.removeItem(name);
  });

  // A form that the browser sends itself is forgotten by the page that comes after it, if that is
  // neither the sign-in nor an error, and nobody went back to it.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || form.hasAttribute("hx-post") || isAlone) return;
    const names = namesIn(form);
    if (names.length) sessionStorage.setItem(`${KEY}sent`, JSON.stringify(names));
  });
  const sent = sessionStorage.getItem(`${KEY}sent`);
  if (sent) {
    sessionStorage.removeItem(`${KEY}sent`);
    const came = performance.getEntriesByType("navigation")[0]?.type;
    if (!isAlone && came === "navigate") for (const name of JSON.parse(sent)) sessionStorage.removeItem(name);
  }

  for (const name of ["htmx:afterSettle", "live:refreshed"]) document.addEventListener(name, () => restore(document));
  restore(document);
})();
