// Forms: a guard for what was typed, focus on the summary of errors, Ctrl Enter.
import { onLoad, within } from "./vendor.js";

const changed = new Set();

// A file that the server would refuse is refused before it is sent; the browser says so when the form is submitted, too.
function checkSize(input) {
  const fits = [...input.files].every((file) => file.size <= Number(input.dataset.largest));
  const text = fits ? "" : input.dataset.tooLarge;
  input.setCustomValidity(text);
  input.toggleAttribute("aria-invalid", !fits);
  if (!fits) input.reportValidity();
}

export function startForms() {
  document.addEventListener("input", (event) => {
    const form = event.target.closest?.("form[data-guard]");
    if (form) changed.add(form);
  });
  document.addEventListener("submit", (event) => changed.delete(event.target));
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("input[type=file][data-largest]")) checkSize(event.target);
  });
  addEventListener("beforeunload", (event) => {
    if ([...changed].some((form) => form.isConnected)) event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    const form = event.target.closest?.("form") ?? document.querySelector("main form[data-guard]");
    if (form) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest('.error-summary a[href^="#"]');
    if (!link) return;
    event.preventDefault();
    document.querySelector(link.getAttribute("href"))?.focus();
  });
  onLoad((root) => within(root, "[data-focus]").forEach((summary) => summary.focus()));
}
