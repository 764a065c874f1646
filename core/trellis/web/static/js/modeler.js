// How the modeler of bpmn.io is fitted to Trellis: its words, the elements it offers, and the properties it writes.

// Pairs of name and value, which diagrams may hold in any namespace; these are written in ours.
export const EXTENSION = {
  name: "Trellis",
  uri: "urn:trellis:process",
  prefix: "trellis",
  xml: { tagAlias: "lowerCase" },
  types: [
    { name: "Properties", superClass: ["Element"], properties: [{ name: "values", type: "Property", isMany: true }] },
    { name: "Property", properties: [{ name: "name", isAttr: true, type: "String" }, { name: "value", isAttr: true, type: "String" }] },
  ],
};

const TOOLS = ["create.data-object", "create.data-store", "create.participant-expanded", "create.group"];
const LOOPS = { "toggle-parallel-mi": "multiInstance", "toggle-sequential-mi": "multiInstance", "toggle-loop": "standardLoop" };

const lines = (text) => (text ?? "").split("\n").map((one) => one.trim()).join("\n");
const camel = (text) => text.replace(/-(\w)/g, (_all, letter) => letter.toUpperCase());

// The BPMN tag and the event of an entry such as “replace-with-timer-boundary”.
function kindOf(id) {
  const name = id.replace("replace-with-", "").replace("non-interrupting-", "");
  if (name.endsWith("subprocess")) return name === "subprocess" || name === "expanded-subprocess" ? ["subProcess", ""] : ["", ""];
  if (name === "receive-task") return ["receiveTask", "message"];
  if (name === "rule-task") return ["businessRuleTask", ""];
  const found = name.match(/^(\w+)-(start|intermediate-catch|intermediate-throw|boundary|end)$/);
  if (!found) return [camel(name), ""];
  const event = { none: "", compensation: "compensate" }[found[1]] ?? found[1];
  return [{ start: "startEvent", end: "endEvent", boundary: "boundaryEvent" }[found[2]] ?? `${camel(found[2])}Event`, event];
}

// What Trellis can run is offered; the rest is not.
class Offers {
  constructor(palette, popupMenu, kinds) {
    this.kinds = new Set(kinds.map((one) => one.join(" ")));
    palette.registerProvider(200, this);
    popupMenu.registerProvider("bpmn-replace", 200, this);
  }

  without(entries, names) {
    for (const name of names) delete entries[name];
    return entries;
  }

  runs(id) {
    return id.endsWith("-flow") ? id !== "replace-with-conditional-flow" : this.kinds.has(kindOf(id).join(" ")) && id !== "replace-with-task";
  }

  getPaletteEntries() {
    return (entries) => this.without(entries, TOOLS);
  }

  getPopupMenuEntries() {
    return (entries) => this.without(entries, Object.keys(entries).filter((id) => id.startsWith("replace-with-") && !this.runs(id)));
  }

  getPopupMenuHeaderEntries() {
    const useless = (id, entry) => id in LOOPS && !entry.active && !this.kinds.has(`loop ${LOOPS[id]}`); // what a file has can be taken away
    return (entries) => this.without(entries, Object.keys(entries).filter((id) => useless(id, entries[id])));
  }
}

// Whoever draws a task means one for people.
function ofPeople(elementFactory) {
  const create = elementFactory.create;
  elementFactory.create = function (kind, attributes) {
    const plain = attributes?.type === "bpmn:Task" && !attributes.businessObject;
    return create.call(this, kind, plain ? { ...attributes, type: "bpmn:UserTask" } : attributes);
  };
}

export function drawingModule(words) {
  const translate = (text, values = {}) => (words[text] ?? text).replace(/{([^}]+)}/g, (_all, name) => values[name] ?? `{${name}}`);
  Offers.$inject = ["palette", "popupMenu", "config.kinds"];
  ofPeople.$inject = ["elementFactory"];
  return {
    __init__: ["trellisOffers", "trellisTasks"],
    trellisOffers: ["type", Offers],
    trellisTasks: ["factory", (elementFactory) => ofPeople(elementFactory) ?? {}],
    translate: ["value", translate],
    // Their icons have styles in the markup, which the content security policy does not allow
    alignElementsContextPadProvider: ["value", {}],
    alignElementsMenuProvider: ["value", {}],
    distributeElementsMenuProvider: ["value", {}],
  };
}

// Applies what the panel has changed: to elements, arrows, and what they refer to.
export function apply(modeler, changes) {
  const registry = modeler.get("elementRegistry");
  for (const change of changes) {
    const element = registry.get(change.id);
    if (element) new Writer(modeler, element).write(change);
  }
}

class Writer {
  constructor(modeler, element) {
    this.modeling = modeler.get("modeling");
    this.factory = modeler.get("bpmnFactory");
    this.registry = modeler.get("elementRegistry");
    this.definitions = modeler.getDefinitions();
    this.element = element;
    this.object = element.businessObject;
  }

  write({ name, properties, script, called, timer, message, signal, error, escalation, undone, until, interrupting, default: otherwise, conditions }) {
    if (name !== undefined && name !== (this.object.name ?? "")) this.modeling.updateLabel(this.element, name);
    if (properties) this.properties(properties);
    if (script !== undefined && script !== lines(this.object.script)) this.set({ script, scriptFormat: "trellis" }); // lines in another language stay so
    if (called !== undefined) this.set({ calledElement: called || undefined });
    if (timer) this.timer(timer);
    if (message !== undefined) this.refer("Message", "messageRef", message ? { name: message } : null);
    if (signal !== undefined) this.refer("Signal", "signalRef", signal ? { name: signal } : null);
    if (error !== undefined) this.refer("Error", "errorRef", error ? { name: error, errorCode: error } : null);
    if (escalation !== undefined) this.refer("Escalation", "escalationRef", escalation ? { name: escalation, escalationCode: escalation } : null);
    if (undone !== undefined) this.inside(this.event(), { activityRef: this.registry.get(undone)?.businessObject });
    if (until !== undefined) this.until(until);
    if (interrupting !== undefined) this.set({ cancelActivity: interrupting });
    if (otherwise !== undefined) this.set({ default: this.registry.get(otherwise)?.businessObject });
    for (const [id, text] of Object.entries(conditions ?? {})) this.condition(this.registry.get(id), text);
  }

  set(values) {
    const changed = Object.entries(values).filter(([name, value]) => this.object.get(name) !== value && (this.object.get(name) || value || value === false));
    if (changed.length) this.modeling.updateProperties(this.element, Object.fromEntries(changed));
  }

  properties(wanted) {
    const old = this.object.extensionElements;
    const said = Object.entries(wanted);
    if (JSON.stringify(pairsOf(old)) === JSON.stringify(said)) return;
    const others = (old?.values ?? []).filter((one) => !holdsPairs(one));
    const values = said.map(([name, value]) => this.factory.create("trellis:Property", { name, value }));
    const kept = said.length ? [...others, this.factory.create("trellis:Properties", { values })] : others;
    const extensionElements = kept.length ? this.factory.create("bpmn:ExtensionElements", { values: kept }) : undefined;
    for (const one of kept) one.$parent = extensionElements;
    for (const one of values) one.$parent = kept.at(-1);
    if (extensionElements) extensionElements.$parent = this.object;
    this.modeling.updateProperties(this.element, { extensionElements });
  }

  event() {
    return this.object.eventDefinitions?.[0] ?? this.object;
  }

  timer({ tag, text }) {
    const event = this.event();
    if ((event.get(tag)?.body ?? "") === text) return;
    const values = { timeDate: undefined, timeDuration: undefined, timeCycle: undefined };
    if (text) values[tag] = this.owned("bpmn:FormalExpression", { body: text }, event);
    this.modeling.updateModdleProperties(this.element, event, values);
  }

  // What is waited for stands at the top of the file, once for all that name it.
  refer(kind, reference, wanted) {
    const event = this.event();
    const [key] = Object.entries(wanted ?? {}).at(-1) ?? [];
    if ((event.get(reference)?.[key ?? "name"] ?? "") === (wanted?.[key] ?? "")) return;
    let found;
    if (wanted) {
      const known = this.definitions.get("rootElements");
      found = known.find((one) => one.$type === `bpmn:${kind}` && one[key] === wanted[key]);
      if (!found) {
        found = this.owned(`bpmn:${kind}`, wanted, this.definitions);
        this.modeling.updateModdleProperties(this.element, this.definitions, { rootElements: [...known, found] });
      }
    }
    this.modeling.updateModdleProperties(this.element, event, { [reference]: found });
  }

  until(text) {
    const loop = this.object.loopCharacteristics;
    if (!loop || (loop.completionCondition?.body ?? "") === text) return;
    this.inside(loop, { completionCondition: text ? this.owned("bpmn:FormalExpression", { body: text }, loop) : undefined });
  }

  inside(part, values) {
    const changed = Object.entries(values).some(([name, value]) => part.get(name) !== value);
    if (changed) this.modeling.updateModdleProperties(this.element, part, values);
  }

  condition(flow, text) {
    if (!flow || (flow.businessObject.conditionExpression?.body ?? "") === text) return;
    const conditionExpression = text ? this.owned("bpmn:FormalExpression", { body: text }, flow.businessObject) : undefined;
    this.modeling.updateProperties(flow, { conditionExpression });
  }

  owned(type, values, parent) {
    const made = this.factory.create(type, values);
    made.$parent = parent;
    return made;
  }
}

const children = (one) => one.$children ?? one.values ?? [];
const isPair = (one) => one.$type.split(":").at(-1).toLowerCase() === "property";
const holdsPairs = (one) => isPair(one) || children(one).some(isPair);

function pairsOf(extension) {
  const found = (extension?.values ?? []).flatMap((one) => (isPair(one) ? [one] : children(one).filter(isPair)));
  return found.map((one) => [one.name, one.value]);
}
