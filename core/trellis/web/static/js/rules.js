// The rule builder: rows and groups within groups, over a rule in JSON. What it cannot show it keeps untouched.
import { enhance } from "./select.js";
import { onLoad, within } from "./vendor.js";

const NO_VALUE = ["is_empty", "is_not_empty"];
const MANY = ["in", "not_in"];
const ON_PERIODS = ["eq", "ne"];
const SEGMENT = "@segment";
const DEEPEST = 4;

// What a rule compares, under the name by which the builder offers it.
function nameOf(rule) {
  if (rule.segment || rule.not?.segment) return SEGMENT;
  return rule.related ? `${rule.related}|${rule.measure ?? "count"}|${rule.field ?? ""}` : rule.field;
}

// A period as text that is the same for the same period, however its parts are ordered.
function periodText({ period, from = 0, to = 0 }) {
  return JSON.stringify({ period, from, to });
}

class Builder {
  constructor(box) {
    this.box = box;
    this.words = Object.fromEntries(
      [...box.querySelector("[data-rules-words]").content.querySelectorAll("i")].map((word) => [word.dataset.word, word.textContent]),
    );
    this.rows = box.querySelector("[data-rules-rows]");
    this.kept = box.querySelector("[data-rules-kept]");
    this.listen();
    if (this.kept && this.box.dataset.fieldsUrl) this.open();
  }

  // The fields are many, and are asked for when the builder is first opened.
  async open() {
    if (!this.fields) {
      const url = this.box.dataset.fieldsUrl;
      const answer = await fetch(url, { headers: { Accept: "application/json" } });
      if (!answer.ok || this.fields || url !== this.box.dataset.fieldsUrl) return;
      const { fields, days } = await answer.json();
      this.fields = new Map(fields.map((field) => [field.name, field]));
      this.days = days;
      const rule = JSON.parse(this.box.dataset.rule);
      await this.learn(rule, this.fields);
      this.fill(rule);
      if (!this.kept && !this.box.contains(document.activeElement)) this.rows.querySelector("[data-field]")?.focus();
    }
    this.changed();
  }

  // A rule of a form may be about other records, when another field of the form is changed: it begins anew.
  turnTo({ fields_url, count_url, text_url }) {
    if (this.box.dataset.fieldsUrl === fields_url) return;
    this.rows.replaceChildren(); // a field that is typed into tells of its change as it goes
    Object.assign(this.box.dataset, { fieldsUrl: fields_url, countUrl: count_url, textUrl: text_url, rule: "null" });
    this.fields = this.known = undefined;
    this.box.querySelector("[data-rules-waits]").hidden = Boolean(fields_url);
    this.box.querySelector(".rules-foot").hidden = !fields_url;
    if (fields_url) this.open();
    else this.keepIn(this.kept);
  }

  // The fields of related records, asked for once each: {"related": "order.customer"} needs those of orders.
  async learn(rule, fields) {
    const inner = rule?.all ?? rule?.any ?? (rule?.not ? [rule.not] : []);
    for (const one of inner) await this.learn(one, fields);
    const figure = rule?.related && fields.get(nameOf(rule));
    if (!figure) return;
    const known = await this.related(figure);
    for (const one of [rule.where, rule.part]) await this.learn(one, known);
  }

  async related(figure) {
    this.known ??= new Map();
    if (!this.known.has(figure.entity)) {
      const answer = await fetch(figure.fields_url, { headers: { Accept: "application/json" } });
      const { fields } = answer.ok ? await answer.json() : { fields: [] };
      this.known.set(figure.entity, new Map(fields.map((field) => [field.name, field])));
    }
    return this.known.get(figure.entity);
  }

  offers(field, op) {
    return field && (op === undefined || field.ops.some(([one]) => one === op));
  }

  fieldsAt(place) {
    const part = place.closest("[data-part]");
    return part ? this.known.get(part.dataset.part) : this.fields;
  }

  fill(rule) {
    const list = rule ? (rule.all ?? [rule]) : [];
    for (const one of list) this.add(one, this.rows);
    if (!list.length && !this.kept) this.add(null, this.rows);
    this.join();
  }

  add(rule, into) {
    if (rule && (rule.any || rule.all || rule.not?.any)) return this.addGroup(rule, into);
    const name = rule ? nameOf(rule) : undefined;
    if (rule && !this.offers(this.fieldsAt(into).get(name), rule.op)) return this.keep(rule, into);
    const row = this.box.querySelector("[data-rules-row]").content.firstElementChild.cloneNode(true);
    if (into !== this.rows) row.dataset.nested = "";
    into.append(row);
    this.fieldOptions(row.querySelector("[data-field]"), name);
    this.operators(row, rule?.op ?? (rule?.not ? "ne" : undefined));
    this.editor(row, rule?.value ?? rule?.segment ?? rule?.not?.segment);
    this.partsOf(row, rule);
    return row;
  }

  // Which of the related records count, and for a share the part of these.
  partsOf(row, rule) {
    row.querySelectorAll(":scope > [data-part]").forEach((part) => part.remove());
    const figure = this.field(row);
    if (!figure.related) return;
    for (const kind of figure.measure === "share" ? ["part", "where"] : ["where"]) {
      const part = this.box.querySelector(`[data-rules-${kind}]`).content.firstElementChild.cloneNode(true);
      part.dataset.part = figure.entity;
      part.dataset.kind = kind;
      row.append(part);
      const given = rule ? rule[kind] : kind === "where" && figure.where;
      for (const one of given ? (given.all ?? [given]) : []) this.add(one, this.inner(part));
      if (kind === "part" && !rule) this.add(null, this.inner(part));
    }
  }

  async chosen(row) {
    const figure = this.field(row);
    if (figure.related) await this.related(figure);
    if (this.field(row) === figure) this.partsOf(row, null);
    this.changed();
  }

  addGroup(rule, into) {
    const group = this.box.querySelector("[data-rules-box]").content.firstElementChild.cloneNode(true);
    into.append(group);
    const depth = this.depth(group);
    if (depth >= DEEPEST) group.querySelector("[data-rules-group]").hidden = true;
    const inner = rule?.not ?? rule;
    group.querySelector("[data-joint]").value = rule?.not ? "none" : inner?.all ? "all" : "any";
    for (const one of inner?.any ?? inner?.all ?? [null]) this.add(one, this.inner(group));
    return group;
  }

  depth(group) {
    let depth = 0;
    for (let one = group; one; one = one.parentElement.closest(".rule-group")) depth += 1;
    return depth;
  }

  inner(group) {
    return group.querySelector(":scope > [data-rules-inner]");
  }

  // The rows that a button adds to: those of its group or part, or the outermost.
  place(button) {
    const group = button.closest(".rule-group, [data-part]");
    return group ? this.inner(group) : this.rows;
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
    for (const field of this.fieldsAt(select).values()) {
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
    return this.fieldsAt(row).get(row.querySelector("[data-field]").value);
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
    if (["choice", "reference", "segment"].includes(field.kind)) this.select(place, field, op, value);
    else if (field.kind === "boolean") this.yesNo(place, value);
    else if (op === "between") for (const end of value ?? ["", ""]) this.input(place, field, end);
    else if (field.kind === "date" || field.kind === "datetime") this.day(place, field, op, value);
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

  // A day of the calendar, one counted from today, or (for “is” and “is not”) a period.
  day(place, field, op, value) {
    const kind = document.createElement("select");
    kind.className = "input input-quiet";
    kind.dataset.dayKind = "";
    kind.setAttribute("aria-label", field.label);
    const { date, ago, ahead, periods } = this.days;
    kind.append(new Option(date, "date"), new Option(ago, "ago"), new Option(ahead, "ahead"));
    const offered = ON_PERIODS.includes(op) ? periods.map(([one, title]) => [periodText(one), title]) : [];
    kind.append(...offered.map(([one, title]) => new Option(title, one)));
    place.append(kind);
    const counted = typeof value?.days === "number";
    const given = value?.period ? periodText(value) : "";
    if (value?.months !== undefined || (given && !offered.some(([one]) => one === given))) {
      kind.append(new Option(JSON.stringify(value), JSON.stringify(value)));
      kind.value = JSON.stringify(value);
    } else kind.value = given || (counted ? (value.days > 0 ? "ahead" : "ago") : "date");
    const show = (shown) => {
      place.querySelector("input")?.remove();
      if (kind.value.startsWith("{")) return;
      const input = this.input(place, field, shown);
      input.type = kind.value === "date" ? "date" : "number";
      input.value = shown;
    };
    show(counted ? Math.abs(value.days) : typeof value === "string" ? value.slice(0, 10) : "");
    kind.addEventListener("change", () => show(""));
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
    if (["choice", "reference", "segment"].includes(field.kind)) {
      const select = place.querySelector("select");
      const chosen = [...select.selectedOptions].map((option) => option.value).filter(Boolean);
      const cast = field.kind === "reference" ? chosen.map(Number) : chosen;
      return select.multiple ? cast : cast[0];
    }
    if (op === "between") return controls.map((one) => typed(one.value));
    const day = place.querySelector("[data-day-kind]")?.value;
    if (day) return this.dayValue(day, place.querySelector("input")?.value ?? "");
    if (MANY.includes(op)) return controls[0].value.split(",").map((part) => typed(part.trim())).filter((part) => part !== "");
    return typed(controls[0].value);
  }

  dayValue(kind, text) {
    if (kind.startsWith("{")) return JSON.parse(kind);
    if (kind === "date" || text === "") return text;
    return { days: kind === "ago" ? -Number(text) : Number(text) };
  }

  leaf(row) {
    if (row.dataset.kept) return JSON.parse(row.dataset.kept);
    const field = this.field(row);
    const op = row.querySelector("[data-op]").value;
    const value = this.value(row, field, op);
    const empty = value === "" || value === undefined || (Array.isArray(value) && value.every((one) => one === ""));
    if (empty && !NO_VALUE.includes(op)) return null;
    if (field.name === SEGMENT) return op === "ne" ? { not: { segment: value } } : { segment: value };
    const compared = NO_VALUE.includes(op) ? { op } : { op, value };
    if (!field.related) return { field: field.name, ...compared };
    const figure = { related: field.related, measure: field.measure };
    if (field.field) figure.field = field.field;
    for (const part of row.querySelectorAll(":scope > [data-part]")) {
      const inner = this.parts(this.inner(part));
      if (inner.length) figure[part.dataset.kind] = { all: inner };
    }
    return field.measure === "share" && !figure.part ? null : { ...figure, ...compared };
  }

  read() {
    const rules = this.parts(this.rows);
    return rules.length ? { all: rules } : null;
  }

  parts(rows) {
    return [...rows.children].map((item) => (item.matches(".rule-group") ? this.group(item) : this.leaf(item))).filter(Boolean);
  }

  group(box) {
    const inner = this.parts(this.inner(box));
    const joint = box.querySelector("[data-joint]").value;
    if (!inner.length) return null;
    return joint === "none" ? { not: { any: inner } } : { [joint]: inner };
  }

  join() {
    this.joints(this.rows, this.words.and, this.words.where);
    this.rows.querySelectorAll(".rule-group").forEach((group) => {
      const or = group.querySelector("[data-joint]").value !== "all";
      this.joints(this.inner(group), or ? this.words.or : this.words.and, "");
    });
    this.rows.querySelectorAll("[data-part]").forEach((part) => this.joints(this.inner(part), this.words.and, ""));
  }

  joints(rows, word, first) {
    [...rows.children].forEach((item, index) => {
      const joint = item.matches(".rule-row") && item.querySelector(".joint");
      if (joint) joint.textContent = index ? word : first;
    });
  }

  // -- acting ----------------------------------------------------------------------------------------------------
  address(path) {
    const url = new URL(path, location.href);
    const now = new URL(location.href).searchParams;
    for (const keep of ["view", "q", "sort", "columns", "dense", "totals", "group", "board", "span", "at"]) if (now.has(keep)) url.searchParams.set(keep, now.get(keep));
    const rule = this.read();
    if (rule) url.searchParams.set("filter", JSON.stringify(rule));
    else url.searchParams.set("filter", "null");
    return url;
  }

  async ask(path, into) {
    const rule = this.read();
    const answer = await fetch(`${path}?filter=${encodeURIComponent(rule ? JSON.stringify(rule) : "")}`, { headers: { "HX-Request": "true" } });
    into.textContent = await answer.text();
  }

  changed() {
    this.join();
    if (this.kept) this.keepIn(this.kept);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(this.box.dataset.countUrl, this.box.querySelector("[data-rules-count]")), 250);
  }

  // A builder that is a part of a form keeps its rule in a field of the form.
  keepIn(field) {
    const text = JSON.stringify(this.read());
    if (field.value === text) return;
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
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
      if (event.target.matches("[data-field]")) this.chosen(row);
      else this.changed();
    });
    this.box.addEventListener("input", (event) => event.target.matches("select") || this.changed());
    this.box.addEventListener("click", (event) => this.click(event.target));
    this.box.addEventListener("rule-over", (event) => this.turnTo(event.detail));
    this.box.addEventListener("toggle", (event) => event.newState === "open" && this.open());
    this.box.addEventListener("keydown", (event) => {
      if (!this.kept && event.key === "Enter" && event.target.matches("input:not(.ts-control input)")) this.apply();
    });
  }

  async click(target) {
    if (target.closest("[data-rules-add], [data-rules-group]") && !this.fields) {
      await this.open(); // somebody is quicker than the answer that brings the fields
      if (!this.fields) return undefined;
    }
    if (target.closest("[data-rules-add]")) this.add(null, this.place(target)).querySelector("select").focus();
    else if (target.closest("[data-rules-group]")) this.addGroup(null, this.place(target)).querySelector("[data-field]").focus();
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
    location.href = `${url}&filter=${encodeURIComponent(JSON.stringify(this.read()))}`;
  }
}

export function startRules() {
  onLoad((root) => within(root, "[data-rules]").forEach((box) => new Builder(box)));
}
