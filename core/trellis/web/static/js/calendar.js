// The calendar: records are dragged to another day by SortableJS; without a mouse M on a record, or its button, asks for the day.
// The server answers with the calendar as it is then, or with a dialog that says why not.
import { onLoad, vendor, within } from "./vendor.js";

const calendar = () => document.querySelector("[data-calendar]");

// Asks the server to move a record to a day, or to a time of one; puts it back where that is refused.
export function send(item, day, back) {
  const settle = ({ detail }) => {
    item.removeEventListener("htmx:afterRequest", settle);
    if (detail.xhr.status >= 400) back();
  };
  item.addEventListener("htmx:afterRequest", settle);
  const url = calendar().dataset.moveUrl.replace("{id}", item.dataset.item);
  const values = { day, version: item.dataset.version };
  window.htmx.ajax("POST", url, { source: item, target: "#overlay", swap: "innerHTML", select: "unset", values });
}

function drop(event) {
  if (event.from === event.to) return;
  const { item, from, to, oldIndex } = event;
  send(item, to.closest("[data-day]").dataset.day, () => from.insertBefore(item, from.children[oldIndex] ?? null));
}

async function start(root) {
  if (root.querySelector(".calendar-timed")) return; // week.js moves there
  root.querySelector(".is-today")?.scrollIntoView({ block: "nearest" }); // the last weeks of a month may be out of sight
  if (!root.querySelector("[data-day-move]")) return;
  await vendor("sortable.min.js");
  for (const items of root.querySelectorAll("[data-items]")) {
    window.Sortable.create(items, {
      group: "days",
      draggable: "[data-item]",
      filter: "button",
      preventOnFilter: false,
      sort: false,
      animation: 120,
      delay: 150,
      delayOnTouchOnly: true,
      forceFallback: true,
      fallbackOnBody: true,
      fallbackTolerance: 4,
      ghostClass: "is-slot",
      fallbackClass: "is-dragged",
      onEnd: drop,
    });
  }
}

export function startCalendar() {
  onLoad((root) => within(root, "[data-calendar]").forEach(start));
  document.addEventListener("keydown", (event) => {
    const item = event.target.closest?.("[data-item]");
    if (!item || event.code !== "KeyM" || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    item.querySelector("[data-day-move]")?.click();
  });
  document.body.addEventListener("day-moved", (event) => {
    document.getElementById(`item-${event.detail.id}`)?.querySelector("a").focus();
  });
}
