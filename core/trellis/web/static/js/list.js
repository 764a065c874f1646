// Rows of a list, be it a table or lines: ticks, ranges, the bulk bar, moving by keys.
import { announce } from "./toast.js";

const list = () => document.querySelector("[data-list]");
const picks = () => [...list().querySelectorAll(":is(tbody:not([hidden]), ul) [data-pick]")];
let last = null;
let everything = false;

function refresh() {
  const bar = list().querySelector("[data-bulk]");
  if (!bar) return;
  const chosen = picks().filter((pick) => pick.checked);
  for (const pick of picks()) pick.closest("tr")?.setAttribute("aria-selected", String(pick.checked));
  const all = list().querySelector("[data-pick-all]");
  all.checked = chosen.length > 0 && chosen.length === picks().length;
  all.indeterminate = chosen.length > 0 && !all.checked;
  if (!chosen.length) everything = false;
  const count = bar.querySelector("[data-bulk-count]");
  const text = everything ? bar.querySelector("[data-bulk-told]").textContent : count.dataset.one.replace("{n}", chosen.length);
  if (count.textContent !== text && chosen.length) announce(text);
  count.textContent = text;
  const more = bar.querySelector("[data-bulk-all]");
  if (more) more.hidden = everything || !all.checked;
  bar.hidden = !chosen.length;
}

function tick(pick, range) {
  everything = false;
  const all = picks();
  if (range && last && all.includes(last)) {
    const [from, to] = [all.indexOf(last), all.indexOf(pick)].sort((a, b) => a - b);
    all.slice(from, to + 1).forEach((one) => (one.checked = pick.checked));
  }
  last = pick;
  refresh();
}

function act(url) {
  const ids = picks().filter((pick) => pick.checked).map((pick) => pick.value);
  const values = everything ? { all: "true", query: location.search } : { ids: ids.join(",") };
  window.htmx.ajax("POST", url, { target: "#overlay", swap: "innerHTML", select: "unset", values });
}

function current() {
  return list().querySelector("[data-row].at");
}

function go(step) {
  const rows = [...list().querySelectorAll(":is(tbody:not([hidden]), ul) > [data-row]")];
  if (!rows.length) return;
  const now = rows.indexOf(current());
  const row = rows[Math.max(0, Math.min(rows.length - 1, now + step))];
  const cell = current()?.querySelector(".at-cell")?.cellIndex;
  current()?.querySelector(".at-cell")?.classList.remove("at-cell");
  current()?.classList.remove("at");
  row.classList.add("at");
  if (cell !== undefined) row.cells[cell].classList.add("at-cell");
  row.querySelector("a").focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function tickCurrent(range) {
  const pick = current()?.querySelector("[data-pick]");
  if (!pick) return;
  pick.checked = !pick.checked || range;
  tick(pick, range);
}

// -- groups ----------------------------------------------------------------------------------------------------------
function toggleGroup(button) {
  const rows = document.getElementById(button.getAttribute("aria-controls"));
  const open = button.getAttribute("aria-expanded") !== "true";
  button.setAttribute("aria-expanded", String(open));
  rows.hidden = !open;
  if (open && rows.dataset.groupUrl) {
    window.htmx.ajax("GET", rows.dataset.groupUrl, { target: rows, swap: "innerHTML", select: "unset" });
    delete rows.dataset.groupUrl;
  }
  if (list().querySelector("[data-bulk]")) refresh();
}

// -- cells -----------------------------------------------------------------------------------------------------------
function edit(cell) {
  const row = cell.closest("tr");
  if (row.querySelector(".editing")) return;
  window.htmx.ajax("GET", `${row.dataset.url}/row?edit=${cell.dataset.cell}`, { target: row, swap: "outerHTML", select: "unset" });
}

function cells() {
  return [...(current()?.querySelectorAll("[data-cell]") ?? [])];
}

function chosenCell() {
  return cells().find((cell) => cell.matches(".at-cell")) ?? cells().find((cell) => !cell.matches(".name")) ?? cells()[0];
}

function goCell(step) {
  const all = cells();
  const now = all.findIndex((cell) => cell.matches(".at-cell"));
  const next = all[Math.max(0, Math.min(all.length - 1, now + step))];
  all[now]?.classList.remove("at-cell");
  next?.classList.add("at-cell");
  next?.scrollIntoView({ block: "nearest", inline: "nearest" });
  const head = next && list().querySelectorAll("thead th")[next.cellIndex];
  if (head) announce(`${head.textContent.trim()}: ${next.textContent.trim()}`);
}

// A row that was swapped for itself stays ticked and current, at the same cell.
const swapped = new Map();

function keepRow({ detail }) {
  const row = detail.target;
  if (!row?.matches?.("tr[data-row]")) return;
  const cell = row.querySelector(".editing, .at-cell");
  swapped.set(row.dataset.row, { ticked: row.querySelector("[data-pick]")?.checked, cell: cell?.cellIndex });
}

function giveRow({ detail }) {
  const row = detail.elt;
  const kept = row?.matches?.("tr[data-row]") && swapped.get(row.dataset.row);
  if (!kept) return;
  swapped.delete(row.dataset.row);
  const pick = row.querySelector("[data-pick]");
  if (pick) pick.checked = kept.ticked;
  list().querySelectorAll("tr.at").forEach((one) => one.classList.remove("at"));
  row.classList.add("at");
  const control = row.querySelector(".cell-edit :is(input:not([type=hidden]), select, textarea)");
  if (control) control.focus();
  else {
    if (kept.cell !== undefined) row.cells[kept.cell]?.classList.add("at-cell");
    row.querySelector("a")?.focus({ preventScroll: true });
  }
  if (list().querySelector("[data-bulk]")) refresh();
}

function onKey(event) {
  if (!list() || event.ctrlKey || event.metaKey || event.altKey || localStorage.getItem("trellis-keys") === "off") return;
  if (event.target.closest("input:not([type=checkbox]), textarea, select, dialog, [popover]")) return;
  const row = event.target.closest?.("[data-row]");
  if (event.code === "KeyJ" || (row && event.key === "ArrowDown")) go(1);
  else if (event.code === "KeyK" || (row && event.key === "ArrowUp")) go(-1);
  else if (event.code === "KeyE" && chosenCell()) edit(chosenCell());
  else if (row && event.key === "ArrowRight") goCell(1);
  else if (row && event.key === "ArrowLeft") goCell(-1);
  else if (event.code === "KeyX" || (event.code === "Space" && row && !event.target.matches("input"))) tickCurrent(event.shiftKey);
  else return;
  event.preventDefault();
}

export function startList() {
  document.addEventListener("click", (event) => {
    if (!list()) return;
    const target = event.target;
    if (target.matches("[data-pick]")) tick(target, event.shiftKey);
    if (target.matches("[data-pick-all]")) {
      everything = false;
      picks().forEach((pick) => (pick.checked = target.checked));
      refresh();
    }
    if (target.closest("[data-bulk-close]")) {
      picks().forEach((pick) => (pick.checked = false));
      refresh();
    }
    if (target.closest("[data-bulk-all]")) {
      everything = true;
      picks().forEach((pick) => (pick.checked = true));
      refresh();
    }
    const group = target.closest("[data-group]");
    if (group) toggleGroup(group);
    const button = target.closest("[data-bulk-act]");
    if (button) act(button.dataset.bulkAct);
  });
  document.addEventListener("keydown", onKey);
  document.addEventListener("dblclick", (event) => {
    const cell = event.target.closest("[data-list] [data-cell]");
    if (cell && !event.target.closest("a, button")) edit(cell);
  });
  document.body.addEventListener("htmx:beforeSwap", keepRow);
  document.body.addEventListener("htmx:load", giveRow);
  document.body.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target?.id !== "list" && event.detail.elt?.id !== "list") return;
    last = null;
    everything = false;
    const shown = list()?.querySelector(".list-foot span")?.textContent ?? "";
    announce(shown.trim());
  });
}
