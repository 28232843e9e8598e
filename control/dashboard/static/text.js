// Texts for people: what would steer or hide is shown, numbers have units.

const LONGEST = 8192;
/** Characters of one line that are shown; the rest is counted. */
const COLOUR = /\u001b\[[0-9;:]{0,64}m/g;
const UNSEEN =
  // eslint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/**
 * A line of a service: without its colours, and with every other control character, and what turns
 * the direction of text, shown as a terminal's user knows them (`^[`) or by number (`\u202e`).
 *
 * @param {string} line
 */
export function readable(line) {
  const cut = line.length > LONGEST ? line.slice(0, LONGEST) : line;
  const shown = cut.replace(COLOUR, "").replace(UNSEEN, control);
  return cut === line ? shown : `${shown} … ${line.length - LONGEST} more characters`;
}

/** @param {string} letter */
function control(letter) {
  const number = letter.charCodeAt(0);
  if (number < 32 || number === 127) return `^${String.fromCharCode(number ^ 64)}`;
  return `\\u${number.toString(16).padStart(4, "0")}`;
}

/** @param {number} bytes */
export function size(bytes) {
  if (bytes < 1e6) return bytes ? `${Math.ceil(bytes / 1e3)} kB` : "–";
  return bytes < 1e9
    ? `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`
    : `${(bytes / 1e9).toFixed(2)} GB`;
}

/** @param {number} seconds */
export function duration(seconds) {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

/** @param {number} percent of one core */
export function share(percent) {
  return `${percent < 10 ? percent.toFixed(1) : percent.toFixed(0)} %`;
}

/** The time of day, with the date where that is not today's. @param {string} stamp RFC 3339 */
export function clock(stamp) {
  const moment = new Date(stamp);
  if (Number.isNaN(moment.getTime())) return readable(stamp);
  const part = (/** @type {number} */ n, width = 2) => String(n).padStart(width, "0");
  const time = [moment.getHours(), moment.getMinutes(), moment.getSeconds()].map((n) => part(n));
  const date = [moment.getFullYear(), moment.getMonth() + 1, moment.getDate()].map((n) => part(n));
  const today = moment.toDateString() === new Date().toDateString();
  return `${today ? "" : `${date.join("-")} `}${time.join(":")}.${part(moment.getMilliseconds(), 3)}`;
}

const SENTENCES = ["reason", "error", "message", "summary", "what"];
const ELSEWHERE = ["last_lines", "output", "instance_id"];

/** What the details of an event say: sentences first, then `name=value`. @param {any} details */
export function words(details) {
  const entries = Object.entries(details ?? {}).filter(
    ([name, value]) => !ELSEWHERE.includes(name) && value !== null && value !== "",
  );
  const said = entries
    .filter(([name]) => SENTENCES.includes(name))
    .map(([, value]) => plain(value));
  const named = entries
    .filter(([name]) => !SENTENCES.includes(name))
    .map(([name, value]) => `${readable(name)}=${plain(value)}`);
  return [...new Set(said), named.join(" ")].filter(Boolean).join("; ");
}

/** @param {any} value @returns {string} */
function plain(value) {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return String(Math.round(value * 100) / 100);
  if (Array.isArray(value)) return value.map(plain).join(", ");
  return readable(typeof value === "object" ? JSON.stringify(value) : String(value));
}

/** Why a service is as it is. @param {any} service */
export function why(service) {
  const message = readable(service.message ?? "");
  const missing = (service.waiting_for ?? []).filter(
    (/** @type {string} */ id) => !message.includes(id),
  );
  const waits = missing.length ? `waiting for ${missing.map(readable).join(", ")}` : "";
  const said = message === service.state ? "" : message;
  return said && waits ? `${said} (${waits})` : said || waits;
}

/** @param {number} count @param {string} one @param {string} [many] */
export function counted(count, one, many = `${one}s`) {
  return `${count} ${count === 1 ? one : many}`;
}
