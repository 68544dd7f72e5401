// What is half typed survives a reload, a lost session and the sign-in that leads back: fields with
// `data-draft="name"` are kept in this tab until their form was sent and answered.
"use strict";

(() => {
  const KEY = "draft:";
  const nameOf = (field) => `${KEY}${location.pathname}:${field.dataset.draft}`;

  function restore(root) {
    for (const field of root.querySelectorAll("[data-draft]")) {
      if ("drafted" in field.dataset) continue;
      field.dataset.drafted = "";
      const kept = sessionStorage.getItem(nameOf(field));
      if (kept === null || kept === field.value) continue;
      field.value = kept;
      const closed = field.closest("details:not([open])");
      if (closed) closed.open = true;
      field.dispatchEvent(new CustomEvent("draft:restored", { bubbles: true }));
    }
  }

  document.addEventListener("input", (event) => {
    const field = event.target.closest("[data-draft]");
    if (field) sessionStorage.setItem(nameOf(field), field.value);
  });

  const forget = (form) => {
    const fields = [...form.querySelectorAll("[data-draft]")];
    if (form.dataset.sends) fields.push(...document.querySelectorAll(`[data-draft="${CSS.escape(form.dataset.sends)}"]`));
    for (const field of fields) sessionStorage.removeItem(nameOf(field));
  };

  // A form that htmx sends is forgotten when the answer is good; a refusal that is shown is no error
  // to htmx, and a 401 leads to the sign-in.
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.detail.elt.closest && event.detail.elt.closest("form");
    const redirected = event.detail.xhr && event.detail.xhr.getResponseHeader("HX-Redirect");
    if (form && event.detail.successful && event.detail.xhr.status < 400 && !redirected) forget(form);
  });

  // A form that the browser sends itself: what was typed is forgotten by the page that says it was done.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || form.hasAttribute("hx-post")) return;
    const names = [...form.querySelectorAll("[data-draft]")].map(nameOf);
    if (names.length) sessionStorage.setItem(`${KEY}sent`, JSON.stringify({ names, from: location.pathname }));
  });
  const sent = sessionStorage.getItem(`${KEY}sent`);
  if (sent && !document.body.classList.contains("alone")) {
    sessionStorage.removeItem(`${KEY}sent`);
    if (document.querySelector(".notice")) for (const name of JSON.parse(sent).names) sessionStorage.removeItem(name);
  }

  document.addEventListener("htmx:afterSettle", () => restore(document));
  restore(document);
})();
