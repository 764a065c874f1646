// Dialogs and drawers. The server renders them; htmx puts them into #overlay, and here they open, keep the focus and close.
// Esc and a click outside close unless something was typed. The server closes one by the event "dialog-close".
const typed = new WeakSet();

function openAll() {
  document.querySelectorAll("#overlay dialog").forEach(open);
}

function open(dialog) {
  if (dialog.open) return;
  dialog.showModal();
  const first = dialog.querySelector("[aria-invalid='true'], [autofocus]");
  first?.focus();
}

export function closeDialogs() {
  document.querySelectorAll("dialog[open][data-dialog]").forEach((dialog) => {
    typed.delete(dialog);
    dialog.close();
  });
}

export function startDialogs() {
  document.body.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target?.id === "overlay") openAll();
  });
  document.addEventListener("input", (event) => {
    const dialog = event.target.closest?.("dialog[data-dialog]");
    if (dialog && !dialog.matches("#palette, #keys")) typed.add(dialog);
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-close]");
    if (button) {
      const dialog = button.closest("dialog");
      typed.delete(dialog);
      dialog.close();
    } else if (event.target.matches?.("dialog[data-dialog]") && !typed.has(event.target)) {
      const box = event.target.getBoundingClientRect();
      const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
      if (!inside) event.target.close();
    }
  });
  document.addEventListener("cancel", (event) => {
    if (typed.has(event.target)) event.preventDefault();
  }, true);
  document.addEventListener("close", (event) => {
    const overlay = event.target.closest?.("#overlay");
    if (!overlay) return;
    event.target.remove();
    if (overlay.dataset.back) location.assign(overlay.dataset.back);
  }, true);
  document.body.addEventListener("dialog-close", closeDialogs);
  openAll();
}
