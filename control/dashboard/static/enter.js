// The entrance: takes the code out of the address, changes it for a session, and opens the page.

import { keep, kept } from "./key.js";

const PAGE = "/ui/";

/** @param {string} sentence */
function say(sentence) {
  const place = document.getElementById("said");
  if (place) place.textContent = sentence;
}

/** @param {string} code @returns {Promise<string>} why the code lets nobody in, "" where it does */
async function exchange(code) {
  const asked = { method: "POST", headers: { "Bundlevisor-Code": code } };
  const response = await fetch("/ui/sessions", asked);
  const answer = await response.json();
  if (!response.ok) return String(answer.error);
  keep(String(answer.key));
  return "";
}

/** Whether this browser has come in before: a link from elsewhere is not sent the cookie. */
async function isIn() {
  const response = await fetch("/readyz", { headers: { "Bundlevisor-Key": kept() } });
  return response.ok;
}

async function enter() {
  const code = location.hash.slice(1);
  say("Getting in…");
  history.replaceState(null, "", location.pathname); // before anything else can read it
  try {
    const refused = code ? await exchange(code) : (await isIn()) ? "" : "You are not in yet.";
    if (refused) say(refused);
    else location.replace(PAGE);
  } catch {
    say("The runtime does not answer; has it ended?");
  }
}

window.addEventListener("hashchange", () => void enter()); // another code, in the same tab
await enter();
