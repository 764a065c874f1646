// The side bar: folded to icons on middle screens, a page of its own on a phone.
const side = () => document.getElementById("side");

function toggle(open) {
  side().classList.toggle("side-open", open);
  document.querySelectorAll("[data-side-toggle]").forEach((button) => {
    button.setAttribute("aria-expanded", String(open));
  });
  if (open) side().querySelector(".nav a, .nav summary")?.focus();
}

export function startNav() {
  document.addEventListener("click", (event) => {
    if (!side()) return;
    if (event.target.closest("[data-side-toggle]")) {
      toggle(!side().classList.contains("side-open"));
      return;
    }
    const direction = event.target.closest("summary[data-first]");
    const folded = innerWidth < 1280 && innerWidth >= 720 && !side().classList.contains("side-open");
    if (direction && folded) {
      event.preventDefault();
      location.href = direction.dataset.first;
    } else if (side().classList.contains("side-open") && !event.target.closest("#side, [popover]")) {
      toggle(false);
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !side()?.classList.contains("side-open")) return;
    toggle(false);
    [...document.querySelectorAll("[data-side-toggle]")].find((button) => button.offsetParent)?.focus();
  });
}
