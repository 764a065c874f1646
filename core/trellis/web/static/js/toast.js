// Toasts: at most three, six seconds, longer while hovered or focused. The server sends {"toast": {text, undo_url}} in HX-Trigger.
const LIFE = 6000;
const MOST = 3;

function keep(toast) {
  let timer = null;
  const run = () => {
    clearTimeout(timer);
    timer = setTimeout(() => toast.remove(), LIFE);
  };
  const hold = () => clearTimeout(timer);
  toast.addEventListener("mouseenter", hold);
  toast.addEventListener("focusin", hold);
  toast.addEventListener("mouseleave", run);
  toast.addEventListener("focusout", run);
  run();
}

export function showToast({ text, undo_url: undo }) {
  const region = document.getElementById("toasts");
  const toast = document.getElementById("toast-template").content.firstElementChild.cloneNode(true);
  toast.querySelector("p").textContent = text;
  if (undo) {
    const button = toast.querySelector(".undo");
    button.hidden = false;
    button.addEventListener("click", () => {
      toast.remove();
      window.htmx.ajax("POST", undo, { source: document.body, swap: "none" });
    });
  }
  region.append(toast);
  while (region.children.length > MOST) region.firstElementChild.remove();
  keep(toast);
}

export function announce(text) {
  document.getElementById("live").textContent = text;
}

export function startToasts() {
  document.querySelectorAll("[data-toast]").forEach(keep);
  document.body.addEventListener("toast", (event) => showToast(event.detail));
  document.body.addEventListener("announce", (event) => announce(event.detail.value ?? event.detail.text));
  document.addEventListener("click", (event) => event.target.closest("[data-dismiss]")?.closest("[data-toast]").remove());
}
