// Selects with search: references look records up on the server, multiple choices show as items.
import { onLoad, vendor, within } from "./vendor.js";

function options(select) {
  const url = select.dataset.search;
  const { selectNothing: nothing, selectRemove: remove } = document.body.dataset;
  const render = { no_results: (_data, escape) => `<div class="no-results">${escape(nothing)}</div>` };
  const plugins = select.multiple ? { remove_button: { title: remove } } : {};
  const common = { maxOptions: 200, hideSelected: select.multiple, plugins, render, placeholder: select.getAttribute("placeholder") ?? "" };
  if (!url) return common;
  const found = new Map(); // what the server found, by what was searched for: earlier options are not offered beside it
  return {
    ...common,
    valueField: "id",
    labelField: "title",
    searchField: [],
    preload: "focus",
    async load(query, done) {
      const answer = await fetch(`${url}?q=${encodeURIComponent(query)}`, { headers: { Accept: "application/json" } });
      const items = answer.ok ? (await answer.json()).items : [];
      found.set(query, new Set(items.map((item) => String(item.id))));
      done(items);
    },
    score: (query) => (item) => Number(found.get(query)?.has(String(item.id)) ?? false),
    render: {
      ...render,
      option: (item, escape) => `<div>${escape(item.title)}${item.sub ? `<span class="second-line">${escape(item.sub)}</span>` : ""}</div>`,
    },
  };
}

// The field that a page begins with covers the others with its choices only when it is pressed or typed in.
function focusClosed(choice) {
  choice.open = () => {};
  const release = () => delete choice.open;
  for (const act of ["keydown", "mousedown", "focusout"]) choice.control.addEventListener(act, release, { once: true, capture: true });
  choice.focus();
}

export async function enhance(select) {
  if (select.tomselect) return select.tomselect;
  await vendor("tom-select.min.js");
  if (!select.tomselect) new window.TomSelect(select, options(select));
  select.setAttribute("aria-hidden", "true");
  if (select.autofocus) focusClosed(select.tomselect);
  return select.tomselect;
}

export function startSelects() {
  onLoad((root) => within(root, "select[data-select]").forEach(enhance));
}
