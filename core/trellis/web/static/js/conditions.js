// Fields that are shown or required under a rule: asked of the server while a form is typed, so that a rule has one meaning.
import { announce } from "./toast.js";
import { onLoad, within } from "./vendor.js";

const WAIT = 250;

class Conditions {
  constructor(form) {
    this.form = form;
    for (const kind of ["input", "change"]) form.addEventListener(kind, () => this.later());
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), WAIT);
  }

  async ask() {
    this.asked?.abort();
    this.asked = new AbortController();
    const request = { method: "POST", body: new FormData(this.form), signal: this.asked.signal };
    const answer = await fetch(this.form.dataset.conditions, request).catch(() => null);
    if (answer?.ok) follow(await answer.json(), (id, state) => this.change(id, state), this.form.dataset);
  }

  // What changed of one field: a field with an error stays in sight, as does the one that is being typed into.
  change(id, { visible, required, over }) {
    const box = this.form.querySelector(`[data-ruled="${id}"]`);
    const control = box?.querySelector(`#f-${id}`);
    if (!control) return [];
    if (over) control.dispatchEvent(new CustomEvent("rule-over", { detail: over }));
    const hidden = !visible && control.getAttribute("aria-invalid") !== "true";
    if (hidden && box.contains(document.activeElement)) {
      box.addEventListener("focusout", () => this.later(), { once: true });
      return [];
    }
    const told = [];
    if (box.hidden !== hidden) told.push(hidden ? "Hidden" : "Shown");
    if (control.required !== required && !hidden) told.push(required ? "Required" : "Optional");
    box.hidden = hidden;
    control.required = required;
    box.querySelector(".optional")?.toggleAttribute("hidden", required);
    return told;
  }
}

// Brings the fields of a page into the states that the server tells, and says what changed.
function follow(states, change, words) {
  const changes = new Map();
  for (const [id, state] of Object.entries(states)) {
    for (const kind of change(id, state)) changes.set(kind, [...(changes.get(kind) ?? []), state.label]);
  }
  const said = [...changes].map(([kind, labels]) => `${words[`word${kind}`]}: ${labels.join(", ")}`);
  if (said.length) announce(said.join(". "));
}

function changeProp(id, { visible, required }) {
  const told = [];
  for (const prop of document.querySelectorAll(`[id="prop-${id}"]`)) {
    if (prop.hidden === visible) told.push(visible ? "Shown" : "Hidden");
    prop.hidden = !visible;
    prop.toggleAttribute("data-required", required);
  }
  return told.slice(0, 1);
}

export function startConditions() {
  onLoad((root) => within(root, "form[data-conditions]").forEach((form) => new Conditions(form)));
  document.body.addEventListener("record-fields", (event) => {
    const record = document.querySelector("[data-record]");
    if (record) follow(event.detail.value, changeProp, record.dataset);
  });
}
