// What stands above everything: which application, how it is, and how far its start has come.

import { byId, setAttribute, setText } from "./dom.js";
import { duration, readable } from "./text.js";

const WORKS = 3;
/** So many services on their way are named. */

/** How the bundle is, in a word and a sentence. @param {any} readiness @param {boolean} reached */
export function summary(readiness, reached) {
  if (!reached) return { word: "gone", text: "no answer" };
  if (!readiness) return { word: "waiting", text: "…" };
  const counted = Object.values(readiness.details).filter((/** @type {any} */ one) => !one.skipped);
  const ready = counted.filter((/** @type {any} */ one) => one.ready).length;
  if (readiness.ready) return { word: "ready", text: `ready: ${ready} of ${counted.length}` };
  const failed = counted.some((/** @type {any} */ one) => one.state === "failed");
  return { word: failed ? "failed" : "waiting", text: `${ready} of ${counted.length} ready` };
}

/** @param {import("./live.js").Picture} picture */
export function show({ status, readiness, reached }) {
  const { word, text } = summary(readiness, reached);
  setText(byId("health"), text);
  setAttribute(byId("health"), "class", `state ${word}`);
  setAttribute(byId("gone"), "hidden", reached);
  if (status) {
    const name = `${readable(status.app_name)} ${readable(status.app_version)}`;
    setText(byId("app"), name);
    const dry = status.dry_run ? "dry run, " : "";
    setText(byId("instance"), `${dry}pid ${status.pid}, up ${duration(status.uptime_s)}`);
    if (document.title !== name) document.title = name;
  }
  progress(readiness, reached);
}

/** A bar while the bundle starts. @param {any} readiness @param {boolean} reached */
function progress(readiness, reached) {
  const told = readiness?.progress;
  const shown = Boolean(reached && !readiness?.ready && told?.working_on?.length);
  setAttribute(byId("progress"), "hidden", !shown);
  if (!shown) return;
  const fraction = Math.min(1, Math.max(0, Number(told.fraction) || 0));
  setAttribute(byId("progress-bar"), "value", fraction);
  setText(byId("progress-text"), progressText(told));
}

/** @param {any} told */
export function progressText(told) {
  const parts = [`${told.done} of ${told.total} ready`];
  if (Number.isFinite(told.remaining_s)) parts.push(`about ${duration(told.remaining_s)} left`);
  const doing = (told.working_on ?? []).filter(
    (/** @type {any} */ one) => one.phase !== "dependencies",
  );
  const said = doing
    .slice(0, WORKS)
    .map((/** @type {any} */ one) => readable(`${one.service}: ${one.text || one.phase}`));
  if (said.length) parts.push(said.join(", "));
  if (told.last_line)
    parts.push(`${readable(told.slowest ?? "")} wrote: ${readable(told.last_line)}`);
  return parts.join(" · ");
}
