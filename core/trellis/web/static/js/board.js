// The board: drag and drop by SortableJS; without a mouse M on a card, or the menu of the card.
// The server decides: it answers with new column heads, or with a dialog for fields the stage needs, or with a refusal.
import { openAt } from "./popover.js";
import { onLoad, vendor, within } from "./vendor.js";

const board = () => document.querySelector("[data-board]");
const stageOf = (cards) => cards.closest("[data-stage]");
let menuCard = null;

function post(card, stage, back) {
  card.classList.add("is-busy");
  const url = board().dataset.moveUrl.replace("{id}", card.dataset.card);
  const settle = (event) => {
    card.removeEventListener("htmx:afterRequest", settle);
    card.classList.remove("is-busy");
    if (!event.detail.xhr.getResponseHeader("HX-Trigger")?.includes("moved")) back(); // refused, or it asks first
  };
  card.addEventListener("htmx:afterRequest", settle);
  window.htmx.ajax("POST", url, { source: card, target: "#overlay", swap: "innerHTML", values: { stage, version: card.dataset.version } });
}

function moveTo(card, stage) {
  const [home, next] = [card.parentElement, card.nextElementSibling];
  const column = board().querySelector(`[data-stage="${CSS.escape(stage)}"] [data-cards]`);
  if (!column || column === home) return;
  column.prepend(card);
  post(card, stage, () => home.insertBefore(card, next));
}

function drop(event) {
  board().classList.remove("is-dragging");
  document.querySelectorAll(".is-target").forEach((column) => column.classList.remove("is-target"));
  if (event.from === event.to) return;
  const back = () => event.from.insertBefore(event.item, event.from.children[event.oldIndex] ?? null);
  post(event.item, stageOf(event.to).dataset.stage, back);
}

function over(event) {
  const column = stageOf(event.to);
  document.querySelectorAll(".is-target").forEach((other) => other.classList.remove("is-target"));
  column.classList.add("is-target");
  event.dragged.dataset.drop = board().dataset.dropText.replace("{stage}", column.dataset.title);
}

async function start(root) {
  await vendor("sortable.min.js");
  for (const cards of root.querySelectorAll("[data-cards]")) {
    window.Sortable.create(cards, {
      group: "cards",
      draggable: "[data-card]",
      animation: 160,
      delay: 120,
      delayOnTouchOnly: true,
      forceFallback: true,
      fallbackOnBody: true,
      fallbackTolerance: 4,
      ghostClass: "is-slot",
      fallbackClass: "is-dragged",
      onStart: (event) => {
        board().classList.add("is-dragging");
        event.item.dataset.drop = board().dataset.dropText.replace("{stage}", stageOf(event.from).dataset.title);
      },
      onMove: over,
      onEnd: drop,
    });
  }
}

function openMenu(card, anchor) {
  menuCard = card;
  const menu = document.getElementById("move-menu");
  const stage = stageOf(card.parentElement).dataset.stage;
  menu.querySelectorAll("[data-move-to]").forEach((choice) => (choice.hidden = choice.dataset.moveTo === stage));
  openAt(menu, anchor);
}

export function startBoard() {
  onLoad((root) => within(root, "[data-board]").forEach(start));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-move]");
    if (button) openMenu(button.closest("[data-card]"), button);
    const choice = event.target.closest("[data-move-to]");
    if (choice && menuCard) moveTo(menuCard, choice.dataset.moveTo);
  });
  document.addEventListener("keydown", (event) => {
    const card = event.target.closest?.("[data-card]");
    if (card && event.code === "KeyM" && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      openMenu(card, card);
    }
  });
  document.body.addEventListener("moved", (event) => {
    const card = document.getElementById(`card-${event.detail.id}`);
    const column = board()?.querySelector(`[data-stage="${CSS.escape(event.detail.stage)}"] [data-cards]`);
    if (card && column && card.parentElement !== column) column.prepend(card);
    if (card && event.detail.version) card.dataset.version = event.detail.version;
  });
}
