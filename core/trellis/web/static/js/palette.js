// The command palette: Ctrl K. Results come from the server; a query typed in the other keyboard layout is sent as well.
const EN = "qwertyuiop[]asdfghjkl;'zxcvbnm,.`";
const RU = "йцукенгшщзхъфывапролджэячсмитьбюё";

const palette = () => document.getElementById("palette");

function otherLayout(text) {
  const lower = text.toLowerCase();
  const [from, to] = /[а-яё]/.test(lower) ? [RU, EN] : [EN, RU];
  return [...lower].map((letter) => to[from.indexOf(letter)] ?? letter).join("");
}

export function openPalette() {
  if (!palette() || palette().open) return;
  palette().showModal();
  const field = palette().querySelector("input");
  field.select();
  window.htmx.trigger(field, "palette-open");
}

function options() {
  return [...palette().querySelectorAll('[role="option"]')];
}

function choose(step) {
  const all = options();
  if (!all.length) return;
  const now = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
  const next = (now + step + all.length) % all.length;
  all.forEach((option, index) => option.setAttribute("aria-selected", String(index === next)));
  all[next].scrollIntoView({ block: "nearest" });
  palette().querySelector("input").setAttribute("aria-activedescendant", all[next].id);
}

export function startPalette() {
  if (!palette()) return;
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
    const query = event.detail.parameters.get?.("q") ?? event.detail.parameters.q ?? "";
    event.detail.parameters.set ? event.detail.parameters.set("alt", otherLayout(query)) : (event.detail.parameters.alt = otherLayout(query));
  });
  palette().addEventListener("htmx:afterSwap", () => choose(1));
}
