// Adds a copy button beside fields marked data-copy. Without it the field can be selected and copied by hand.
(() => {
  "use strict";
  if (!navigator.clipboard) return;
  for (const field of document.querySelectorAll("[data-copy]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button-secondary";
    button.textContent = field.dataset.copy;
    button.addEventListener("click", async () => {
      const said = document.getElementById("status");
      try {
        await navigator.clipboard.writeText(field.value);
        said.textContent = "The link was copied.";
      } catch {
        field.select();
        said.textContent = "Copying is not allowed here: the link is selected, copy it with the keyboard.";
      }
    });
    field.addEventListener("focus", () => field.select());
    field.after(button);
  }
})();
