// The column picker: which columns, in which order.
import { onLoad, vendor, within } from "./vendor.js";

async function start(form) {
  const items = form.querySelector("[data-sortable]");
  await vendor("sortable.min.js");
  window.Sortable.create(items, { animation: 120, handle: ".icon", ghostClass: "is-slot" });
  form.addEventListener("click", (event) => {
    const row = event.target.closest("li");
    if (event.target.closest("[data-up]")) row.previousElementSibling?.before(row);
    else if (event.target.closest("[data-down]")) row.nextElementSibling?.after(row);
    else return;
    event.target.closest("button").focus();
  });
  form.addEventListener("submit", () => {
    const shown = [...items.children].filter((item) => item.querySelector("input").checked);
    form.querySelector("[data-columns-value]").value = shown.map((item) => item.dataset.column).join(",");
  });
}

export function startColumns() {
  onLoad((root) => within(root, "form[data-columns]").forEach(start));
}
