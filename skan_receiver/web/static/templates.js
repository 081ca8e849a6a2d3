// A macro of the list goes where the cursor is.
"use strict";

for (const macro of document.querySelectorAll("[data-macro]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  button.append(macro.cloneNode(true));
  button.addEventListener("click", () => {
    const text = document.getElementById("text");
    text.setRangeText(`{${macro.dataset.macro}}`, text.selectionStart, text.selectionEnd, "end");
    text.focus();
  });
  macro.replaceWith(button);
}
