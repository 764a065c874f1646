// Selects with search: references look records up on the server, multiple choices show as items.
import { onLoad, vendor, within } from "./vendor.js";

function options(select) {
  const url = select.dataset.search;
  const common = { maxOptions: 200, hideSelected: select.multiple, plugins: select.multiple ? ["remove_button"] : [], placeholder: select.getAttribute("placeholder") ?? "" };
  if (!url) return common;
  return {
    ...common,
    valueField: "id",
    labelField: "title",
    searchField: [],
    preload: "focus",
    load: async (query, done) => {
      const answer = await fetch(`${url}?q=${encodeURIComponent(query)}`, { headers: { Accept: "application/json" } });
      done(answer.ok ? (await answer.json()).items : []);
    },
    render: {
      option: (item, escape) => `<div>${escape(item.title)}${item.sub ? `<span class="second-line">${escape(item.sub)}</span>` : ""}</div>`,
    },
  };
}

export async function enhance(select) {
  if (select.tomselect) return select.tomselect;
  await vendor("tom-select.min.js");
  if (!select.tomselect) new window.TomSelect(select, options(select));
  select.setAttribute("aria-hidden", "true");
  if (select.autofocus) select.tomselect.focus();
  return select.tomselect;
}

export function startSelects() {
  onLoad((root) => within(root, "select[data-select]").forEach(enhance));
}
