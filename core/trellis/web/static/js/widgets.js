// Moving the cards of a dashboard while it is edited: by pointer, or by the arrow keys on a card.
import { onLoad, vendor, within } from "./vendor.js";

function save(grid) {
  const order = [...grid.querySelectorAll("[data-widget]")].map((widget) => widget.dataset.widget);
  window.htmx.ajax("POST", grid.dataset.widgets, { source: grid, swap: "none", values: { order: order.join(",") } });
}

async function start(grid) {
  await vendor("sortable.min.js");
  window.Sortable.create(grid, { draggable: "[data-widget]", animation: 160, onEnd: () => save(grid) });
  grid.addEventListener("keydown", (event) => {
    const card = event.target;
    if (!card.matches("[data-widget]")) return;
    if (event.key === "ArrowLeft" && card.previousElementSibling?.matches("[data-widget]")) card.previousElementSibling.before(card);
    else if (event.key === "ArrowRight" && card.nextElementSibling) card.nextElementSibling.after(card);
    else return;
    event.preventDefault();
    card.focus();
    save(grid);
  });
}

export function startWidgets() {
  onLoad((root) => within(root, "[data-widgets]").forEach(start));
}
