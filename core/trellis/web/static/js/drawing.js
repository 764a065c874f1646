// Draws a process: the modeler of bpmn.io, our panel beside it, and saving, checking and publishing. What the panel says is
// decided on the server; here its answers are applied to the diagram, each as one step that can be undone.
import { apply, drawingModule, EXTENSION } from "./modeler.js";
import { onLoad, vendor, within } from "./vendor.js";

const ROOM = 50;
const PAUSE = 800; // problems that are shown are looked at again when somebody stops changing the diagram

class Editor {
  constructor(root) {
    this.root = root;
    this.said = JSON.parse(root.dataset.said);
    this.version = root.dataset.version;
    this.chosen = "";
    this.dirty = false;
    this.questions = 0;
    this.asking = Promise.resolve();
    this.panel = root.querySelector("[data-panel]");
    this.problems = root.querySelector("[data-problems]");
    this.token = JSON.parse(document.body.getAttribute("hx-headers") ?? "{}")["X-CSRF-Token"];
  }

  async start() {
    await vendor("bpmn-js/modeler.min.js");
    this.modeler = new window.BpmnJS({
      container: this.root.querySelector("[data-canvas]"),
      moddleExtensions: { trellis: EXTENSION },
      additionalModules: [drawingModule(JSON.parse(this.root.dataset.words))],
      kinds: JSON.parse(this.root.dataset.kinds),
      bpmnRenderer: { defaultFillColor: "var(--surface)", defaultStrokeColor: "var(--text-2)", defaultLabelColor: "var(--text)" },
      textRenderer: { defaultStyle: { fontFamily: "var(--font)", fontSize: "12px" }, externalStyle: { fontFamily: "var(--font)", fontSize: "12px" } },
    });
    this.canvas = this.modeler.get("canvas");
    try {
      const { warnings } = await this.modeler.importXML(this.root.querySelector("[data-diagram]").value);
      const lost = new Set(warnings.map(({ message }) => message.match(/<(.+?)\/?>/)?.[1] ?? message));
      const note = this.root.querySelector("[data-lost]");
      note.hidden = !lost.size;
      note.append([...lost].join(", "));
    } catch (error) {
      this.tell(`${this.root.dataset.broken} ${error.message}`);
      return;
    }
    this.fit();
    this.listen();
    await this.show();
    this.root.dataset.ready = "";
  }

  get(name) {
    return this.modeler.get(name);
  }

  fit() {
    this.canvas.zoom("fit-viewport", "auto");
    this.canvas.zoom(Math.min(this.canvas.zoom() * 0.92, 1), "auto");
    const tools = this.root.querySelector(".djs-palette");
    const width = tools ? tools.getBoundingClientRect().right - this.root.getBoundingClientRect().left : 0;
    const free = this.root.querySelector("[data-canvas]").clientWidth - width;
    const view = this.canvas.viewbox();
    if (width && view.inner.width * view.scale > free - width) this.canvas.zoom(view.scale * (free / (free + width)), "auto");
    this.canvas.scroll({ dx: width / 2, dy: 0 });
  }

  listen() {
    const bus = this.get("eventBus");
    bus.on("selection.changed", ({ newSelection }) => this.choose(newSelection));
    bus.on("commandStack.changed", () => this.changed());
    bus.on("elements.changed", ({ elements }) => {
      if (!this.applying && elements.some((one) => one.id === this.chosen)) this.show();
    });
    this.panel.addEventListener("change", (event) => this.say(event.target));
    this.panel.addEventListener("submit", (event) => event.preventDefault());
    this.root.addEventListener("click", (event) => this.act(event.target));
    const acts = document.querySelector(".top-acts");
    acts.querySelector("[data-save]").addEventListener("click", () => this.save());
    acts.querySelector("[data-check]").addEventListener("click", () => this.check());
    acts.querySelector("[data-publish]").addEventListener("click", () => this.publish());
    document.addEventListener("keydown", (event) => {
      if (event.key.toLowerCase() !== "s" || !(event.ctrlKey || event.metaKey) || !this.root.isConnected) return;
      event.preventDefault();
      this.save();
    });
    addEventListener("beforeunload", (event) => {
      if (this.dirty && this.root.isConnected) event.preventDefault();
    });
  }

  // --- what is chosen ---

  choose(selection) {
    const element = selection.length === 1 ? selection[0] : null;
    const chosen = element ? (element.labelTarget ?? element).id : "";
    if (chosen === this.chosen) return;
    this.chosen = chosen;
    this.panel.inert = true; // what is typed now must not go to what was chosen before
    this.show();
  }

  act(target) {
    const button = target.closest("button");
    if (!button) return;
    const { choose, act, append } = button.dataset;
    if (choose !== undefined) this.select(choose);
    else if (act) this.say(button, act);
    else if (append) this.append(append);
    else if ("change" in button.dataset) this.openMenu();
    else if ("delete" in button.dataset) this.get("modeling").removeElements([this.element()]);
    else if ("undo" in button.dataset) this.get("commandStack").undo();
    else if ("redo" in button.dataset) this.get("commandStack").redo();
    else if ("fit" in button.dataset) this.fit();
    else if ("closeProblems" in button.dataset) this.problems.hidden = true;
  }

  element() {
    return this.get("elementRegistry").get(this.chosen);
  }

  select(id) {
    const element = id ? this.get("elementRegistry").get(id) : null;
    this.get("selection").select(element ?? []);
    if (element) this.canvas.scrollToElement(element, { top: 80, right: 80, bottom: 80, left: 80 });
    this.focusPanel = true;
    if (!element) this.show();
  }

  // Behind a step that goes on already, the new one stands between; a gateway gets another way.
  append(type) {
    const [here, modeling] = [this.element(), this.get("modeling")];
    const shape = this.get("elementFactory").createShape({ type });
    const way = (here.outgoing ?? []).find((one) => one.type === "bpmn:SequenceFlow");
    this.focusPanel = true;
    let made;
    if (way && !here.type.endsWith("Gateway") && type !== "bpmn:EndEvent") {
      const edge = here.x + here.width;
      const later = here.parent.children.filter((one) => one.x >= edge && !one.waypoints && !one.host && !one.labelTarget);
      modeling.moveElements(later, { x: shape.width + ROOM, y: 0 });
      const middle = { x: edge + ROOM + shape.width / 2, y: here.y + here.height / 2 };
      made = modeling.createElements(shape, middle, way)[0];
    } else made = this.get("autoPlace").append(here, shape);
    this.get("selection").select(made);
  }

  openMenu() {
    const box = this.canvas.getAbsoluteBBox(this.element());
    const at = this.root.querySelector("[data-canvas]").getBoundingClientRect();
    const cursor = { x: at.left + box.x + box.width, y: at.top + box.y };
    this.get("popupMenu").open(this.element(), "bpmn-replace", { x: cursor.x, y: cursor.y, cursor });
  }

  // --- the panel ---

  show() {
    return this.ask(null);
  }

  say(control, act = "") {
    const form = control.closest("[data-panel-form]");
    if (!form) return Promise.resolve();
    const said = new FormData(form);
    if (act) said.set("act", act);
    return this.ask(said, form);
  }

  // Answers come in the order of the questions; one that is out of date by then, because somebody types on, is not shown.
  ask(said, form) {
    this.questions += 1;
    this.panel.setAttribute("aria-busy", "true");
    this.asking = this.asking
      .then(() => this.answer(said ?? new FormData(), said ? form : null))
      .catch(() => this.tell(this.root.dataset.failed))
      .then(() => {
        this.questions -= 1;
        if (this.questions) return;
        this.panel.inert = false;
        this.panel.removeAttribute("aria-busy");
      });
    return this.asking;
  }

  async answer(said, form) {
    const chosen = form ? said.get("chosen") : this.chosen;
    const before = form ? written(form) : "";
    said.set("chosen", chosen);
    await this.add(said);
    const found = await this.post(this.root.dataset.panelUrl, said);
    if (!found.ok) throw new Error(found.status);
    const answer = await found.json();
    if (form) this.take(answer);
    if (chosen !== this.chosen || (form?.isConnected && !said.has("act") && written(form) !== before)) return;
    this.fill(answer.html);
  }

  take(answer) {
    if (JSON.stringify(answer.said) !== JSON.stringify(this.said)) {
      this.said = answer.said;
      this.root.querySelector("[data-title]").textContent = this.said.title;
      this.changed();
    }
    this.applying = true;
    apply(this.modeler, answer.changes);
    this.applying = false;
  }

  // The panel stays as it is where the answer has the same fields: whoever chooses on keeps the place.
  fill(html) {
    const made = document.createElement("div");
    made.innerHTML = html;
    if (!this.focusPanel && shape(made) === shape(this.panel)) return;
    const focus = this.panel.contains(document.activeElement) ? document.activeElement : null;
    const { id, dataset } = focus ?? {};
    this.panel.replaceChildren(...made.childNodes);
    this.panel.inert = false;
    window.htmx.process(this.panel);
    window.htmx.trigger(this.panel, "htmx:load", { elt: this.panel });
    const group = dataset?.act?.split(":")[1];
    if (this.focusPanel) this.panel.querySelector("input:not([type=hidden]), select, button")?.focus();
    else if (group) [...this.panel.querySelectorAll(`[data-group="${group}"] .process-row`)].at(-1)?.querySelector("input:not([type=hidden]), select")?.focus();
    else if (id) setTimeout(() => document.getElementById(id)?.focus());
    this.focusPanel = false;
  }

  // --- the server ---

  async add(form) {
    form.set("diagram", (await this.modeler.saveXML({ format: true })).xml);
    form.set("said", JSON.stringify(this.said));
  }

  post(url, body) {
    return fetch(url, { method: "POST", body, headers: { "X-CSRF-Token": this.token } });
  }

  changed() {
    const stack = this.get("commandStack");
    this.root.querySelector("[data-undo]").disabled = !stack.canUndo();
    this.root.querySelector("[data-redo]").disabled = !stack.canRedo();
    this.dirty = true;
    this.edits = (this.edits ?? 0) + 1;
    this.tell(this.root.dataset.unsaved);
    clearTimeout(this.later);
    if (!this.problems.hidden) this.later = setTimeout(() => this.look(), PAUSE);
  }

  tell(text) {
    document.querySelector("[data-saved]").textContent = text;
  }

  // What is still being typed belongs to it as well.
  async settle() {
    if (this.panel.contains(document.activeElement)) document.activeElement.blur();
    await this.asking;
  }

  async save() {
    await this.settle();
    const form = new FormData();
    const edits = this.edits;
    form.set("version", this.version);
    await this.add(form);
    const found = await this.post(this.root.dataset.saveUrl, form).catch(() => null);
    const answer = (await found?.json().catch(() => null)) ?? { problem: this.root.dataset.failed };
    if (answer.problem) {
      this.tell(answer.problem);
      return false;
    }
    this.version = answer.version;
    this.dirty = this.edits !== edits;
    this.tell(this.dirty ? this.root.dataset.unsaved : answer.text);
    return true;
  }

  async check() {
    await this.settle();
    await this.look();
  }

  async look() {
    const form = new FormData();
    await this.add(form);
    await this.point(await this.post(this.root.dataset.checkUrl, form).catch(() => null));
  }

  async publish() {
    if (!(await this.save())) return;
    const found = await this.post(this.root.dataset.publishUrl, new FormData()).catch(() => null);
    if (found?.ok) {
      this.dirty = false;
      location.href = (await found.json()).url;
    } else await this.point(found);
  }

  // Shows problems in their list, and marks the shapes that have them.
  async point(found) {
    const answer = await found?.json().catch(() => null);
    if (!answer?.elements) {
      this.tell(this.root.dataset.failed);
      return;
    }
    for (const id of this.marked ?? []) if (this.get("elementRegistry").get(id)) this.canvas.removeMarker(id, "has-problem");
    this.marked = answer.elements.filter((id) => this.get("elementRegistry").get(id));
    for (const id of this.marked) this.canvas.addMarker(id, "has-problem");
    this.problems.innerHTML = answer.html;
    this.problems.hidden = false;
    document.querySelector("#live").textContent = answer.text;
  }
}

// Which fields a panel has, with their words and choices, whatever is chosen.
function shape(panel) {
  const words = [...panel.querySelectorAll("h2, p, b, .field > label, [data-choose]")].map((one) => one.textContent.trim());
  const fields = [...panel.querySelectorAll("[name]")].map((one) => [one.name, one.id === "panel-name" || one.type === "hidden" ? one.value : "", ...[...(one.options ?? [])].map((option) => option.value).sort()]);
  return JSON.stringify([words, fields]);
}

const written = (form) => JSON.stringify([...new FormData(form)]);

export function startProcessEditor() {
  onLoad((root) => within(root, "[data-process-editor]").forEach((one) => new Editor(one).start()));
}
