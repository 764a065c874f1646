// A week of hours: records are dragged to another time by the mouse, or above the hours to have none. Esc gives up.
// By keyboard M asks for day and time; on touch the button does. The server answers as for any move of the calendar.
import { send } from "./calendar.js";
import { onLoad, within } from "./vendor.js";

const STEP = 15;
const DAY = 24 * 60;
const FAR = 4;
const MORNING = 7;
const LABEL = 10;
const WIDE = matchMedia("(min-width: 720px)");

let scrolled = null;

const two = (number) => String(number).padStart(2, "0");
const clock = (minute) => `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;

// The column and the minute at a point; no minute above the hours.
function at(x, y, grabbed) {
  for (const day of document.querySelectorAll(".calendar-timed [data-day]")) {
    const column = day.getBoundingClientRect();
    if (x < column.left || x >= column.right) continue;
    if (y < day.querySelector("[data-items]").getBoundingClientRect().bottom) return { day, minute: null };
    const from = day.querySelector("[data-hours]").getBoundingClientRect().top;
    const height = 24 * document.querySelector(".calendar-scale-hours > span").offsetHeight;
    const minute = Math.round(((y - grabbed - from) / height) * (DAY / STEP)) * STEP;
    return { day, minute: Math.min(Math.max(minute, STEP), DAY - STEP) }; // midnight is no time
  }
  return null;
}

function put(item, { day, minute }) {
  const time = item.querySelector("time");
  if (minute === null) {
    day.querySelector("[data-items]").append(item);
  } else {
    item.className = `${item.className.replace(/\s*\b(at|for|lane|lanes)-\w+/g, "")} at-h${Math.floor(minute / 60)} at-m${minute % 60} for-${item.dataset.length ?? 30} lane-0 lanes-1`;
    day.querySelector("[data-hours]").append(item);
  }
  if (time) time.textContent = minute === null ? "" : clock(minute);
}

function hold(event) {
  const item = event.target.closest?.(".calendar-timed [data-item]");
  if (!WIDE.matches || !item || event.button !== 0 || event.pointerType !== "mouse" || event.target.closest("button") || !item.querySelector("[data-day-move]")) return;
  const [parent, next, classes, time] = [item.parentElement, item.nextElementSibling, item.className, item.querySelector("time")?.textContent];
  const timed = parent.matches("[data-hours]");
  item.dataset.length ??= classes.match(/\bfor-(\d+)/)?.[1] ?? "30";
  const grabbed = timed ? event.clientY - item.getBoundingClientRect().top : 0;
  const [startX, startY] = [event.clientX, event.clientY];
  let target = null;

  const back = () => {
    item.className = classes;
    if (time !== undefined) item.querySelector("time").textContent = time;
    parent.insertBefore(item, next);
  };
  const move = (moved) => {
    if (!target && Math.hypot(moved.clientX - startX, moved.clientY - startY) < FAR) return;
    const found = at(moved.clientX, moved.clientY, grabbed);
    if (!found) return;
    target = found;
    document.body.classList.add("is-moving-time");
    item.classList.add("is-held");
    put(item, target);
  };
  const end = () => {
    document.removeEventListener("pointermove", move);
    document.removeEventListener("pointerup", drop);
    document.removeEventListener("keydown", give, true);
    document.body.classList.remove("is-moving-time");
    item.classList.remove("is-held");
  };
  const drop = () => {
    end();
    if (!target) return;
    const dropped = new AbortController(); // the release of the button opens no record
    document.addEventListener("click", (click) => click.preventDefault(), { capture: true, signal: dropped.signal });
    setTimeout(() => dropped.abort());
    const moment = `${target.day.dataset.day}T${clock(target.minute ?? 0)}`;
    send(item, moment, back);
  };
  const give = (key) => {
    if (key.code !== "Escape") return;
    key.stopPropagation();
    end();
    if (target) back();
  };
  document.addEventListener("pointermove", move);
  document.addEventListener("pointerup", drop);
  document.addEventListener("keydown", give, true);
}

// The empty ground of a day makes a record at the time that was pressed.
function press(event) {
  const link = event.target.closest?.(".calendar-timed .calendar-new");
  if (!link || event.detail === 0) return;
  const found = at(event.clientX, event.clientY, 0);
  if (found?.minute) link.href = link.href.replace(/T\d\d:\d\d/, `T${clock(found.minute - (found.minute % 30))}`);
}

// The day begins in sight where the work does, and stays where it was scrolled to when its records come anew.
function show(calendar) {
  const scroller = calendar.querySelector(".calendar-timed");
  const hour = scroller?.querySelector(".calendar-scale-hours > :last-child");
  if (!hour?.offsetHeight || scroller.scrollTop) return;
  scroller.scrollTop = scrolled ?? MORNING * hour.offsetHeight - LABEL;
}

export function startWeek() {
  onLoad((root) => within(root, "[data-calendar]").forEach(show));
  document.addEventListener("pointerdown", hold);
  document.addEventListener("dragstart", (event) => event.target.closest?.(".calendar-timed") && event.preventDefault());
  document.addEventListener("click", press, true);
  document.addEventListener("scroll", ({ target }) => {
    if (target.matches?.(".calendar-timed")) scrolled = target.scrollTop;
  }, true);
}
