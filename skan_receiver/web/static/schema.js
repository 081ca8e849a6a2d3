// A value of the grid fills in the form below the text. Checking as one types is htmx's.
"use strict";

document.addEventListener("click", (event) => {
  const cell = event.target.closest("[data-cell]");
  if (!cell) return;
  const form = document.getElementById("editor");
  document.getElementById("cell").open = true;
  form.elements.cell_window.value = cell.dataset.window;
  form.elements.value.value = cell.dataset.cell;
  form.elements.label.value = cell.dataset.label;
  form.elements.label.focus();
});
