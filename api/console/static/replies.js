// Replies: Ctrl+Enter sends what is typed; on their page and in dialogs single keys act.
"use strict";

(() => {
  document.addEventListener("keydown", (event) => {
    const field = event.target.closest("textarea[data-submits]");
    if (field && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      field.form.requestSubmit();
    }
  });

  // What came anew is marked again.
  document.addEventListener("live:refreshed", () => { const card = chosen(); if (card && !card.classList.contains("chosen")) choose(card, { focus: false }); });

  const KEYS = ["p", "b", "i", "t"];
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !KEYS.includes(event.key)) return;
    if (event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]")) return;
    const place = document.querySelector("dialog[open]") || document.querySelector("[data-list] .card.chosen") || document.getElementById("replies");
    const button = place && place.querySelector(`.reply-box [data-key="${event.key}"]`);
    if (!button || button.closest("[hidden]")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    button.click();
    if (button.matches("summary")) button.parentElement.querySelector("textarea, input:not([type=hidden])")?.focus();
  }, true);
})();
