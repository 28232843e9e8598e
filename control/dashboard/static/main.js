// The page: views, what they are shown, and the keys.

import { command, leave } from "./api.js";
import { confirmed } from "./confirm.js";
import { byId, setAttribute, setText } from "./dom.js";
import { EventsView } from "./events_view.js";
import { FindingsView } from "./findings_view.js";
import { dependents } from "./graph.js";
import { GraphView } from "./graph_view.js";
import * as headline from "./headline.js";
import { forget } from "./key.js";
import { listen } from "./keys.js";
import { Live } from "./live.js";
import { LogsView } from "./logs_view.js";
import { DOWN, ServicesView } from "./services_view.js";
import { StartView } from "./start_view.js";
import { readable } from "./text.js";
import * as theme from "./theme.js";

const VIEWS = ["services", "graph", "start", "logs", "events", "findings"];

const services = new ServicesView((action, service) => void press(action, service));
const graph = new GraphView(byId("graph-picture"));
const start = new StartView();
const logs = new LogsView(over);
const events = new EventsView();
const findings = new FindingsView();
/** @type {any[]} */
let known = [];
/** @type {any} */
let measured = null;
let view = "";

/** The session is over: the entrance says how to get in again. */
function over() {
  forget();
  location.replace("/ui/enter");
}

/** The services with what each of the answers knows of them. @param {import("./live.js").Picture} picture */
function joined({ status, readiness }) {
  return (status?.services ?? []).map((/** @type {any} */ one) => ({
    ...one,
    ...readiness?.details[one.id],
    needs: one.dependencies ?? [],
  }));
}

/** @param {import("./live.js").Picture} picture */
function show(picture) {
  known = joined(picture);
  headline.show(picture);
  services.show(known, picture.status !== measured);
  measured = picture.status;
  graph.show(known);
  start.show(picture.timelines);
  logs.show(known.map(({ id }) => id));
  events.show(picture.events);
  if (wantedLog) pickLog(wantedLog);
}

/** @param {string} sentence */
function say(sentence) {
  setText(byId("said"), sentence);
}

/** @param {string} action @param {any} service */
async function press(action, service) {
  const name = readable(service.id);
  const down = new Set(known.filter(({ state }) => DOWN.includes(state)).map(({ id }) => id));
  const others = dependents(known, service.id)
    .filter((id) => !down.has(id))
    .map(readable);
  if (action === "stop") {
    const detail = others.length
      ? `What needs it stops first: ${others.join(", ")}.`
      : "Nothing that runs needs it.";
    if (
      !(await confirmed(
        `Stop ${name}?`,
        `${detail} It stays down until somebody starts it.`,
        "Stop",
      ))
    )
      return;
  }
  try {
    const { affected, note } = await command(service.id, action);
    const also = affected.length ? `, with ${affected.map(readable).join(", ")}` : "";
    const but = note ? ` But ${readable(note)}.` : "";
    say(`${name}: ${action} was asked for${also}.${but}`);
  } catch (error) {
    say(`${name}: ${error instanceof Error ? error.message : error}`);
  }
  live.hurry();
}

let wantedLog = "";
let searches = false;
/** Whether the view is opened to search in it. */

/** @param {string} id */
function pickLog(id) {
  if (!known.length) wantedLog = id;
  else {
    wantedLog = "";
    logs.pick(id);
  }
}

/** @param {string} word */
function decoded(word) {
  try {
    return decodeURIComponent(word);
  } catch {
    return ""; // somebody has typed a lone %
  }
}

/** Opens the view that the address names. @param {boolean} [focus] */
function open(focus = true) {
  const [name, word = ""] = location.hash.slice(1).split("/");
  const next = VIEWS.includes(name) ? name : VIEWS[0];
  const changed = next !== view;
  view = next;
  for (const one of VIEWS) {
    setAttribute(byId(one), "hidden", one !== view);
    setAttribute(byId(`to-${one}`), "aria-current", one === view ? "page" : undefined);
  }
  const id = decoded(word);
  if (changed) byId("views").scrollTop = 0;
  if (view === "logs") {
    if (changed) logs.open();
    pickLog(id);
  } else logs.close();
  if (view === "findings") findings.open();
  if (view === "logs" && searches) logs.search();
  else if (view === "services" && id) services.focus(id);
  else if (focus) byId(`${view}-title`).focus();
  searches = false;
}

/** @param {string} name @param {string} [word] */
function go(name, word = "") {
  location.hash = word ? `${name}/${encodeURIComponent(word)}` : name;
}

function search() {
  if (view === "events") return events.search();
  if (view === "logs") return logs.search();
  searches = true;
  go("logs");
}

function turnTheme() {
  setText(byId("theme"), `Theme: ${theme.turn()}`);
}

function help() {
  /** @type {HTMLDialogElement} */ (byId("help")).showModal();
}

/** @param {string} action */
function pressFocused(action) {
  const service = services.focused();
  const button = document.activeElement
    ?.closest("tr")
    ?.querySelector(`button[aria-label^="${action}" i]`);
  if (service && button instanceof HTMLElement) button.click();
}

const inTable = () => view === "services";
listen([
  ...VIEWS.map((name, at) => ({ key: String(at + 1), text: `${name}`, run: () => go(name) })),
  { key: "j", text: "the next service", run: () => services.move(1), when: inTable },
  { key: "k", text: "the service before", run: () => services.move(-1), when: inTable },
  {
    key: "s",
    text: "start the service that has the focus",
    run: () => pressFocused("start "),
    when: inTable,
  },
  { key: "x", text: "stop it, after a question", run: () => pressFocused("stop "), when: inTable },
  { key: "r", text: "restart it", run: () => pressFocused("restart "), when: inTable },
  { key: "/", text: "search the logs, or the events", run: search },
  {
    key: "f",
    text: "follow the logs, or not",
    run: () => logs.toggleFollow(),
    when: () => view === "logs",
  },
  { key: "t", text: "theme: dark, light, the system's", run: turnTheme },
  { key: "?", text: "this help", run: help },
]);

setText(byId("theme"), `Theme: ${theme.begin()}`);
byId("theme").addEventListener("click", turnTheme);
byId("to-help").addEventListener("click", help);
byId("help-close").addEventListener("click", () =>
  /** @type {HTMLDialogElement} */ (byId("help")).close(),
);
byId("leave").addEventListener("click", () => void leave().then(over));
window.addEventListener("hashchange", () => open());
document.addEventListener("visibilitychange", () => {
  if (document.hidden) logs.close();
  else if (view === "logs") logs.open();
});
const live = new Live(show, over);
open(false);
