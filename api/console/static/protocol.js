// Line numbers, the way from a finding to its line, and a draft that outlives the page.
"use strict";

(() => {
  const field = document.getElementById("protocol-text");
  const numbers = document.getElementById("protocol-numbers");
  const form = document.getElementById("protocol-form");
  if (!field || !numbers || !form) return;
  const key = `protocol-${form.elements.brand.value}`;
  const base = form.elements.base.value;
  const note = document.getElementById("protocol-draft");
  const original = field.value;

  function count() {
    const lines = field.value.split("\n").length;
    if (numbers.dataset.lines === String(lines)) return;
    numbers.dataset.lines = lines;
    numbers.textContent = Array.from({ length: lines }, (_, at) => at + 1).join("\n");
  }

  function go(line) {
    const lines = field.value.split("\n");
    const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    field.focus();
    field.setSelectionRange(start, start + (lines[line - 1] || "").length);
    field.scrollTop = Math.max(0, (line - 4) * parseFloat(getComputedStyle(field).lineHeight));
  }

  // The draft is kept until it is saved, for the file that it began with.
  const stored = JSON.parse(sessionStorage.getItem(key) || "null");
  if (stored && stored.base === base && (stored.text !== original || stored.why)) {
    field.value = stored.text;
    form.elements.why.value = stored.why || "";
    note.hidden = stored.text === original;
  }
  const keep = () => sessionStorage.setItem(key, JSON.stringify({ base, text: field.value, why: form.elements.why.value }));
  form.addEventListener("input", keep);
  document.getElementById("protocol-forget").addEventListener("click", () => {
    field.value = original;
    sessionStorage.removeItem(key);
    note.hidden = true;
    count();
    field.focus();
  });
  form.addEventListener("form:done", () => sessionStorage.removeItem(key));

  field.addEventListener("input", count);
  field.addEventListener("scroll", () => { numbers.scrollTop = field.scrollTop; });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-line]");
    if (button) go(Number(button.dataset.line));
  });
  count();
})();
