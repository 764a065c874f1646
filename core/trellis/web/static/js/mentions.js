// Mentions: an @ in a text offers people. Arrows choose, Enter or Tab takes, Esc closes; the focus stays in the text.
const NAME = /(^|[\s(])@([\p{L}\p{N}._+'-]+(?: [\p{L}\p{N}.'-]*)?|)$/u;
let open = null; // { field, list, from } while people are offered
let asked = 0;

function close() {
  if (!open) return;
  open.list.remove();
  for (const name of ["aria-controls", "aria-activedescendant"]) open.field.removeAttribute(name);
  open = null;
}

function choose(step) {
  const all = [...open.list.children];
  const now = all.findIndex((one) => one.getAttribute("aria-selected") === "true");
  const next = (now + step + all.length) % all.length;
  all.forEach((one, index) => one.setAttribute("aria-selected", String(index === next)));
  all[next].scrollIntoView({ block: "nearest" });
  open.field.setAttribute("aria-activedescendant", all[next].id);
}

function take(option) {
  const { field, from } = open;
  field.setRangeText(`${option.dataset.name} `, from, field.selectionStart, "end");
  close();
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function line(item, index, items) {
  const option = document.createElement("li");
  const same = items.filter((one) => one.title === item.title).length > 1;
  option.className = "menu-item";
  option.id = `mention-${index}`;
  option.setAttribute("role", "option");
  option.dataset.name = same ? item.sub : item.title;
  const names = document.createElement("span");
  names.className = "names";
  names.append(...[item.title, item.sub].map((text) => Object.assign(document.createElement("span"), { textContent: text })));
  option.append(names);
  return option;
}

function show(field, from, items) {
  close();
  const list = document.createElement("ul");
  list.className = "menu mentions";
  list.id = "mentions";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", field.dataset.mentionsLabel);
  list.append(...items.map(line));
  field.after(list);
  field.setAttribute("aria-controls", list.id);
  open = { field, list, from };
  choose(1);
}

async function offer(field) {
  const found = field.value.slice(0, field.selectionStart).match(NAME);
  const turn = ++asked;
  if (!found) return close();
  const [, , name] = found;
  const query = name.length > 1 ? name : ""; // one letter finds nobody
  const answer = await fetch(`${field.dataset.mentions}?q=${encodeURIComponent(query)}`, { headers: { Accept: "application/json" } }).catch(() => null);
  const known = answer?.ok ? (await answer.json()).items : [];
  const items = known.filter((item) => query || item.title.toLowerCase().includes(name.toLowerCase()));
  if (turn !== asked || document.activeElement !== field) return;
  if (items.length) show(field, field.selectionStart - name.length, items);
  else close();
}

function key(event) {
  if (!open || event.target !== open.field) return;
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  if (event.key in steps) choose(steps[event.key]);
  else if (event.key === "Enter" || event.key === "Tab") take(open.list.querySelector('[aria-selected="true"]'));
  else if (event.key === "Escape") close();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

export function startMentions() {
  document.addEventListener("input", (event) => event.target.dataset?.mentions && event.isTrusted && offer(event.target));
  document.addEventListener("keydown", key, true);
  document.addEventListener("mousedown", (event) => {
    const option = event.target.closest?.(".mentions [role=option]");
    if (option) event.preventDefault();
    if (option && open) take(option);
  });
  document.addEventListener("focusout", (event) => event.target === open?.field && close());
}
