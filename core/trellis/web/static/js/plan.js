// Grids of cells: moving by keys, pasting a block from a spreadsheet, giving back what was typed.
// Without this script the grid of targets is a form with a field for each cell; that of responsibilities has choices as cells.
const plan = (cell) => cell.closest("[data-plan]");
const rowsOf = (form) => [...form.querySelectorAll("tbody tr")].map((row) => [...row.querySelectorAll(".plan-cell")]).filter((row) => row.length);
const pasted = [];

function placeOf(cell) {
  const rows = rowsOf(plan(cell));
  const row = rows.findIndex((cells) => cells.includes(cell));
  return { rows, row, column: rows[row].indexOf(cell) };
}

function mark(form) {
  const cells = [...form.querySelectorAll(".plan-cell")];
  for (const cell of cells) cell.toggleAttribute("data-changed", cell.value.trim() !== cell.dataset.shown);
  const number = cells.filter((cell) => cell.hasAttribute("data-changed")).length;
  const count = form.querySelector("[data-plan-count]");
  if (count) count.textContent = number ? count.dataset.text.replace("{number}", number) : "";
}

function go(cell, down, right) {
  const { rows, row, column } = placeOf(cell);
  const next = rows[row + down]?.[column + right];
  if (next) next.focus();
  return Boolean(next);
}

// Left and right leave a cell only from its edge, or while all of it is selected; a choice is left by all arrows.
function isAtEdge(cell, right) {
  if (cell.matches("select")) return true;
  const whole = cell.selectionStart === 0 && cell.selectionEnd === cell.value.length;
  return whole || (cell.selectionStart === cell.selectionEnd && cell.selectionStart === (right > 0 ? cell.value.length : 0));
}

const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

function onKey(event) {
  const cell = event.target;
  if (!cell.matches?.(".plan-cell")) return;
  const [down, right] = MOVES[event.key] ?? [0, 0];
  const modified = event.ctrlKey || event.metaKey || event.altKey;
  if (event.key === "Enter" && !modified) {
    event.preventDefault();
    go(cell, event.shiftKey ? -1 : 1, 0);
  } else if ((down || (right && isAtEdge(cell, right))) && !modified && !event.shiftKey) {
    if (go(cell, down, right)) event.preventDefault();
  } else if (event.key === "Escape") {
    cell.value = cell.dataset.shown;
    cell.select?.();
    mark(plan(cell));
  } else if ((event.key === "Delete" || event.key === "Backspace") && cell.matches("select") && cell.selectedIndex) {
    cell.selectedIndex = 0;
    cell.dispatchEvent(new Event("change", { bubbles: true }));
  } else if (event.code === "KeyZ" && (event.ctrlKey || event.metaKey) && pasted.length) {
    event.preventDefault();
    for (const [one, before] of pasted.pop()) one.value = before;
    mark(plan(cell));
  }
}

// One value goes where the caret is; a block is written into the cells from this one on.
function onPaste(event) {
  const cell = event.target;
  if (!cell.matches?.("input.plan-cell")) return;
  const text = event.clipboardData.getData("text/plain").replace(/\r\n?/g, "\n").replace(/\n$/, "");
  const block = text.split("\n").map((line) => line.split("\t"));
  if (block.length === 1 && block[0].length === 1) return;
  event.preventDefault();
  const { rows, row, column } = placeOf(cell);
  const changes = [];
  block.forEach((line, down) =>
    line.forEach((value, right) => {
      const one = rows[row + down]?.[column + right];
      if (!one) return;
      changes.push([one, one.value]);
      one.value = value.trim();
    }),
  );
  pasted.push(changes);
  cell.dispatchEvent(new Event("input", { bubbles: true }));
}

export function startPlan() {
  document.addEventListener("keydown", onKey);
  document.addEventListener("paste", onPaste);
  document.addEventListener("focusin", (event) => {
    if (event.target.matches?.("input.plan-cell")) event.target.select();
  });
  document.addEventListener("input", (event) => {
    const form = event.target.closest?.("[data-plan]");
    if (form && event.target.matches(".plan-cell")) mark(form);
  });
  document.querySelectorAll("[data-plan]").forEach(mark);
}
