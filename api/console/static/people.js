// Link review by key: y is the same person, n is not. Where a platform asks whether they would
// be surprised, the first y leads to that question (Space ticks it), the second confirms.
"use strict";

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !["y", "n"].includes(event.key)) return;
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if ((typing && !("check" in typing.dataset)) || document.querySelector("dialog[open]")) return;
  const card = chosen();
  if (!card) return;
  event.preventDefault();
  const check = card.querySelector("[data-check]");
  if (event.key === "y" && check && !check.checked) check.focus();
  else press(event.key === "y" ? "e" : "d");
});
