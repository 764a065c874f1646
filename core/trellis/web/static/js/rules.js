// The rule builder: rows and one level of groups over a rule in JSON. What it cannot show it keeps untouched.
import { enhance } from "./select.js";
import { onLoad, within } from "./vendor.js";

const NO_VALUE = ["is_empty", "is_not_empty"];
const MANY = ["in", "not_in"];

class Builder {
  constructor(box) {
    this.box = box;
    this.fields = new Map(JSON.parse(box.dataset.fields).map((field) => [field.name, field]));
    this.words = Object.fromEntries(
      [...box.querySelector("[data-rules-words]").content.querySelectorAll("i")].map((word) => [word.dataset.word, word.textContent]),
    );
    this.rows = box.querySelector("[data-rules-rows]");
    this.fill(JSON.parse(box.dataset.rule));
    this.listen();
  }

  fill(rule) {
    const list = rule ? (rule.all ?? [rule]) : [];
    for (const one of list) this.add(one, this.rows);
    if (!list.length) this.add(null, this.rows);
    this.join();
  }

  add(rule, into) {
    if (rule && (rule.any || rule.all)) return this.addGroup(rule);
    if (rule && (rule.not || !this.fields.has(rule.field))) return this.keep(rule, into);
    const row = this.box.querySelector("[data-rules-row]").content.firstElementChild.cloneNode(true);
    if (into !== this.rows) row.dataset.nested = "";
    into.append(row);
    this.fieldOptions(row.querySelector("[data-field]"), rule?.field);
    this.operators(row, rule?.op);
    this.editor(row, rule?.value);
    return row;
  }

  addGroup(rule) {
    const group = this.box.querySelector("[data-rules-box]").content.firstElementChild.cloneNode(true);
    this.rows.append(group);
    group.querySelector("[data-joint]").value = rule?.all ? "all" : "any";
    for (const one of rule?.any ?? rule?.all ?? [null]) this.add(one, group);
    return group;
  }

  keep(rule, into) {
    const row = document.createElement("p");
    row.className = "rules-text";
    row.dataset.kept = JSON.stringify(rule);
    row.textContent = row.dataset.kept;
    into.append(row);
    return row;
  }

  fieldOptions(select, chosen) {
    const groups = new Map();
    for (const field of this.fields.values()) {
      if (!groups.has(field.group)) groups.set(field.group, []);
      groups.get(field.group).push(new Option(field.label, field.name, false, field.name === chosen));
    }
    for (const [title, options] of groups) {
      const group = document.createElement("optgroup");
      group.label = title;
      group.append(...options);
      select.append(group);
    }
  }

  field(row) {
    return this.fields.get(row.querySelector("[data-field]").value);
  }

  operators(row, chosen) {
    const select = row.querySelector("[data-op]");
    select.replaceChildren(...this.field(row).ops.map(([op, label]) => new Option(label, op, false, op === chosen)));
  }

  editor(row, value) {
    const place = row.querySelector("[data-value]");
    const field = this.field(row);
    const op = row.querySelector("[data-op]").value;
    place.replaceChildren();
    if (NO_VALUE.includes(op)) return;
    if (field.kind === "choice" || field.kind === "reference") this.select(place, field, op, value);
    else if (field.kind === "boolean") this.yesNo(place, value);
    else if (op === "between") for (const end of value ?? ["", ""]) this.input(place, field, end);
    else if (field.kind === "date" || field.kind === "datetime") this.day(place, field, value);
    else this.input(place, field, MANY.includes(op) ? (value ?? []).join(", ") : value);
  }

  input(place, field, value) {
    const input = document.createElement("input");
    input.className = "input input-quiet";
    const types = { date: "date", datetime: "date" };
    input.type = types[field.kind] ?? "text";
    if (["number", "money", "percent", "integer", "decimal"].includes(field.kind)) input.inputMode = "decimal";
    input.value = value ?? "";
    input.setAttribute("aria-label", field.label);
    place.append(input);
    return input;
  }

  day(place, field, value) {
    const relative = value && typeof value === "object";
    const kind = document.createElement("select");
    kind.className = "input input-quiet";
    kind.append(new Option(field.words.date, "date"), new Option(this.words.days, "days", false, relative));
    kind.dataset.dayKind = "";
    const input = this.input(place, field, "");
    input.type = relative ? "number" : "date";
    input.value = relative ? -value.days : (value ?? "").slice(0, 10);
    place.append(kind);
    kind.addEventListener("change", () => {
      input.type = kind.value === "days" ? "number" : "date";
      input.value = "";
    });
  }

  yesNo(place, value) {
    const select = document.createElement("select");
    select.className = "input input-quiet";
    select.append(new Option(this.words.yes, "true"), new Option(this.words.no, "false", false, value === false));
    place.append(select);
  }

  select(place, field, op, value) {
    const select = document.createElement("select");
    select.className = "input input-quiet";
    select.multiple = MANY.includes(op);
    select.setAttribute("aria-label", field.label);
    const chosen = new Set([].concat(value ?? []).map(String));
    const known = field.options ?? [];
    select.append(...known.map(([one, label]) => new Option(label, one, false, chosen.has(String(one)))));
    if (field.search) select.dataset.search = field.search;
    place.append(select);
    if (select.multiple || field.search) enhance(select);
  }

  // -- reading ---------------------------------------------------------------------------------------------------
  value(row, field, op) {
    const place = row.querySelector("[data-value]");
    const controls = [...place.querySelectorAll("input:not(.ts-control input), select")].filter((one) => !one.closest(".ts-wrapper"));
    const typed = (text) => (field.kind === "integer" ? Number(text) : text);
    if (NO_VALUE.includes(op)) return undefined;
    if (field.kind === "boolean") return controls[0].value === "true";
    if (field.kind === "choice" || field.kind === "reference") {
      const select = place.querySelector("select");
      const chosen = [...select.selectedOptions].map((option) => option.value).filter(Boolean);
      const cast = field.kind === "reference" ? chosen.map(Number) : chosen;
      return select.multiple ? cast : cast[0];
    }
    if (op === "between") return controls.map((one) => typed(one.value));
    if (place.querySelector("[data-day-kind]")?.value === "days") return { days: -Number(controls[0].value) };
    if (MANY.includes(op)) return controls[0].value.split(",").map((part) => typed(part.trim())).filter((part) => part !== "");
    return typed(controls[0].value);
  }

  leaf(row) {
    if (row.dataset.kept) return JSON.parse(row.dataset.kept);
    const field = this.field(row);
    const op = row.querySelector("[data-op]").value;
    const value = this.value(row, field, op);
    const empty = value === "" || value === undefined || (Array.isArray(value) && value.every((one) => one === ""));
    if (empty && !NO_VALUE.includes(op)) return null;
    return NO_VALUE.includes(op) ? { field: field.name, op } : { field: field.name, op, value };
  }

  read() {
    const rules = [];
    for (const item of this.rows.children) {
      if (item.matches(".rule-group")) {
        const inner = [...item.querySelectorAll(".rule-row, [data-kept]")].map((row) => this.leaf(row)).filter(Boolean);
        if (inner.length) rules.push({ [item.querySelector("[data-joint]").value]: inner });
      } else {
        const one = this.leaf(item);
        if (one) rules.push(one);
      }
    }
    return rules.length ? { all: rules } : null;
  }

  join() {
    [...this.rows.children].forEach((item, index) => {
      const joint = item.matches(".rule-row") && item.querySelector(".joint");
      if (joint) joint.textContent = index ? this.words.and : this.words.where;
    });
    this.rows.querySelectorAll(".rule-group").forEach((group) => {
      const or = group.querySelector("[data-joint]").value === "any";
      group.querySelectorAll(".joint").forEach((joint, index) => (joint.textContent = index ? (or ? this.words.or : this.words.and) : ""));
    });
  }

  // -- acting ----------------------------------------------------------------------------------------------------
  address(path) {
    const url = new URL(path, location.href);
    const now = new URL(location.href).searchParams;
    for (const keep of ["view", "q", "sort", "columns", "dense"]) if (now.has(keep)) url.searchParams.set(keep, now.get(keep));
    const rule = this.read();
    if (rule) url.searchParams.set("filter", JSON.stringify(rule));
    else url.searchParams.set("filter", "");
    return url;
  }

  async ask(path, into) {
    const rule = this.read();
    const answer = await fetch(`${path}?filter=${encodeURIComponent(rule ? JSON.stringify(rule) : "")}`, { headers: { "HX-Request": "true" } });
    into.textContent = await answer.text();
  }

  changed() {
    this.join();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(this.box.dataset.countUrl, this.box.querySelector("[data-rules-count]")), 250);
  }

  view(kind) {
    const text = this.box.querySelector("[data-rules-text]");
    text.hidden = kind !== "text";
    this.rows.hidden = kind === "text";
    this.box.querySelectorAll("[data-rules-view]").forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.rulesView === kind)));
    if (kind === "text") this.ask(this.box.dataset.textUrl, text);
  }

  listen() {
    this.box.addEventListener("change", (event) => {
      const row = event.target.closest(".rule-row");
      if (event.target.matches("[data-field]")) this.operators(row);
      if (event.target.matches("[data-field], [data-op]")) this.editor(row);
      this.changed();
    });
    this.box.addEventListener("input", () => this.changed());
    this.box.addEventListener("click", (event) => this.click(event.target));
    this.box.addEventListener("toggle", (event) => event.newState === "open" && this.changed());
    this.box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target.matches("input:not(.ts-control input)")) this.apply();
    });
  }

  click(target) {
    if (target.closest("[data-rules-add]")) this.add(null, this.rows).querySelector("select").focus();
    else if (target.closest("[data-rules-add-here]")) this.add(null, target.closest(".rule-group"));
    else if (target.closest("[data-rules-group]")) this.addGroup(null).querySelector("[data-field]").focus();
    else if (target.closest("[data-remove]")) target.closest(target.closest(".rule-row") ? ".rule-row" : ".rule-group").remove();
    else if (target.closest("[data-rules-view]")) return this.view(target.closest("[data-rules-view]").dataset.rulesView);
    else if (target.closest("[data-rules-apply]")) return this.apply();
    else if (target.closest("[data-rules-segment]")) return this.saveAsSegment(target.closest("[data-rules-segment]").dataset.rulesSegment);
    else return undefined;
    return this.changed();
  }

  apply() {
    location.href = this.address(this.box.dataset.action);
  }

  saveAsSegment(url) {
    this.box.hidePopover();
    window.htmx.ajax("GET", `${url}?filter=${encodeURIComponent(JSON.stringify(this.read()))}`, { target: "#overlay", swap: "innerHTML", select: "unset" });
  }
}

export function startRules() {
  onLoad((root) => within(root, "[data-rules]").forEach((box) => new Builder(box)));
}
