// The command palette: Ctrl K. Results come from the server, which also tries the other keyboard layout. The browser
// remembers which records were opened; the server says what they are called, to those who may know.
const RECENT = 6;

const palette = () => document.getElementById("palette");

function recentOf(workspace) {
  return { key: `trellis-recent-${workspace}`, records: (localStorage.getItem(`trellis-recent-${workspace}`) ?? "").split(",").filter(Boolean) };
}

function remember() {
  const [, workspace, entity, id] = location.pathname.match(/^\/([^/]+)\/([a-z][\w.]*)\/([1-9]\d*)$/) ?? [];
  if (!id) return;
  const { key, records } = recentOf(workspace);
  const record = `${entity}:${id}`;
  localStorage.setItem(key, [record, ...records.filter((one) => one !== record)].slice(0, RECENT).join(","));
}

export function openPalette() {
  if (!palette() || palette().open) return;
  palette().showModal();
  const field = palette().querySelector("input");
  field.select();
  window.htmx.trigger(field, "palette-open");
}

function options() {
  return [...palette().querySelectorAll('[role="option"]:not([aria-disabled])')];
}

function choose(step) {
  const all = options();
  if (!all.length) {
    palette().querySelector("input").removeAttribute("aria-activedescendant");
    return;
  }
  const now = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
  const next = (now + step + all.length) % all.length;
  all.forEach((option, index) => option.setAttribute("aria-selected", String(index === next)));
  all[next].scrollIntoView({ block: "nearest" });
  palette().querySelector("input").setAttribute("aria-activedescendant", all[next].id);
}

export function startPalette() {
  if (!palette()) return;
  remember();
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-palette]")) openPalette();
  });
  palette().addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      choose(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter") {
      event.preventDefault();
      (options().find((option) => option.getAttribute("aria-selected") === "true") ?? options()[0])?.click();
    }
  });
  palette().addEventListener("htmx:configRequest", (event) => {
    const { parameters } = event.detail;
    if (parameters.q) return;
    parameters.recent = recentOf(location.pathname.split("/")[1]).records.join(",");
  });
  palette().addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id === "palette-results") choose(1);
  });
}
