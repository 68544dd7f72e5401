// What is half typed survives a reload, a lost session and the sign-in that leads back: fields, but
// never passwords, of forms that change something are kept in this tab until their form was sent and answered.
// `data-draft="name"` names a field that is in no such form; `data-no-draft` leaves a form out. A
// field that somebody else changed on the server meanwhile is shown as it is there.
"use strict";

(() => {
  const KEY = "draft:";
  const KINDS = "textarea, select, input:not([type]), input:is([type=text], [type=search], [type=email], [type=url], [type=tel], [type=number], [type=date], [type=time], [type=datetime-local], [type=checkbox], [type=radio])";
  const isAlone = document.body.classList.contains("alone");

  function nameOf(field) {
    if (field.dataset.draft) return `${KEY}${location.pathname}:${field.dataset.draft}`;
    const form = field.form;
    if (!form || form.method !== "post" || !field.name || !field.matches(KINDS) || form.hasAttribute("data-no-draft")) return null;
    const action = form.getAttribute("action");
    // Several forms of a page may do the same, each to something else.
    const place = [...document.querySelectorAll(`form[action="${CSS.escape(action)}"]`)].indexOf(form);
    // Boxes of one name are told apart by what they stand for.
    const which = field.type === "checkbox" ? `:${field.value}` : "";
    return `${KEY}${location.pathname}:${action}:${place}:${field.name}${which}`;
  }

  // What a field says, and what it said when the page came.
  const group = (field) => [...field.form.elements].filter((one) => one.type === "radio" && one.name === field.name);
  function said(field) {
    if (field.type === "checkbox") return field.checked;
    if (field.type === "radio") return group(field).find((one) => one.checked)?.value ?? "";
    return field.value;
  }
  function came(field) {
    if (field.type === "checkbox") return field.defaultChecked;
    if (field.type === "radio") return group(field).find((one) => one.defaultChecked)?.value ?? "";
    if (field.matches("select")) return ([...field.options].find((one) => one.defaultSelected) || field.options[0])?.value ?? "";
    return field.defaultValue;
  }
  function say(field, value) {
    if (field.type === "checkbox") field.checked = value;
    else if (field.type === "radio") field.checked = field.value === value;
    else if (!field.matches("select") || [...field.options].some((one) => one.value === value)) field.value = value;
  }
  const fieldsOf = (root) => [...root.querySelectorAll(`[data-draft], form[method=post] :is(${KINDS})`)].filter(nameOf);

  function restore(root) {
    if (isAlone) return;
    for (const field of fieldsOf(root)) {
      if ("drafted" in field.dataset) continue;
      field.dataset.drafted = "";
      const kept = JSON.parse(sessionStorage.getItem(nameOf(field)) || "null");
      if (!kept || kept.value === said(field) || (!field.dataset.draft && kept.base !== came(field))) continue;
      say(field, kept.value);
      const closed = field.closest("details:not([open])");
      if (closed) closed.open = true;
      field.dispatchEvent(new CustomEvent("draft:restored", { bubbles: true }));
    }
  }

  document.addEventListener("input", (event) => {
    const field = event.target;
    if (isAlone || !field.matches(`[data-draft], ${KINDS}`) || !nameOf(field)) return;
    sessionStorage.setItem(nameOf(field), JSON.stringify({ value: said(field), base: came(field) }));
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

  // One that leads to another page is forgotten when the server has taken it.
  document.addEventListener("form:done", (event) => {
    for (const name of namesIn(event.target)) sessionStorage.removeItem(name);
  });

  for (const name of ["htmx:afterSettle", "live:refreshed"]) document.addEventListener(name, () => restore(document));
  restore(document);
})();
