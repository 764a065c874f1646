// Rows of a list: ticks, ranges, the bulk bar, moving by keys.
import { announce } from "./toast.js";

const list = () => document.querySelector("[data-list]");
const picks = () => [...list().querySelectorAll("[data-pick]")];
let last = null;
let everything = false;

function refresh() {
  const bar = list().querySelector("[data-bulk]");
  if (!bar) return;
  const chosen = picks().filter((pick) => pick.checked);
  for (const pick of picks()) pick.closest("tr").setAttribute("aria-selected", String(pick.checked));
  const all = list().querySelector("[data-pick-all]");
  all.checked = chosen.length > 0 && chosen.length === picks().length;
  all.indeterminate = chosen.length > 0 && !all.checked;
  if (!chosen.length) everything = false;
  const count = bar.querySelector("[data-bulk-count]");
  const text = everything ? count.dataset.all : count.dataset.one.replace("{n}", chosen.length);
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
  return list().querySelector("tr.at");
}

function go(step) {
  const rows = [...list().querySelectorAll("tr[data-row]")];
  if (!rows.length) return;
  const now = rows.indexOf(current());
  const row = rows[Math.max(0, Math.min(rows.length - 1, now + step))];
  current()?.classList.remove("at");
  row.classList.add("at");
  row.querySelector("a").focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function tickCurrent(range) {
  const pick = current()?.querySelector("[data-pick]");
  if (!pick) return;
  pick.checked = !pick.checked || range;
  tick(pick, range);
}

function onKey(event) {
  if (!list() || event.ctrlKey || event.metaKey || event.altKey || localStorage.getItem("trellis-keys") === "off") return;
  if (event.target.closest("input:not([type=checkbox]), textarea, select, dialog, [popover]")) return;
  const row = event.target.closest?.("tr[data-row]");
  if (event.code === "KeyJ" || (row && event.key === "ArrowDown")) go(1);
  else if (event.code === "KeyK" || (row && event.key === "ArrowUp")) go(-1);
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
    const button = target.closest("[data-bulk-act]");
    if (button) act(button.dataset.bulkAct);
  });
  document.addEventListener("keydown", onKey);
  document.body.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target?.id !== "list" && event.detail.elt?.id !== "list") return;
    last = null;
    everything = false;
    const shown = list()?.querySelector(".list-foot span")?.textContent ?? "";
    announce(shown.trim());
  });
}
