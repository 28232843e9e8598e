// The page of the notes example: no framework and no build step.
// It speaks with /api and /ws on its own origin; the UI server passes both on to the API.

const $ = (id) => document.getElementById(id);

// --- Being away and coming back -------------------------------------------------------------
// The API is there while its socket is open and the last request was answered. Either one
// failing shows the banner; the next success takes it away and loads the view anew.

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 4000;
const ECHO_EVERY_MS = 5000;
const ECHO_WITHIN_MS = 5000;
const SAID_MS = 8000;

class Away extends Error {}

const link = { open: undefined, answers: true, pause: FIRST_PAUSE_MS, retry: 0 };

function showLink() {
  const away = link.open === false || !link.answers;
  $("away").hidden = !away;
  document.body.dataset.link = away ? "away" : "there";
}

function tryAgain(act) {
  clearTimeout(link.retry);
  link.retry = setTimeout(act, link.pause);
  link.pause = Math.min(link.pause * 2, LONGEST_PAUSE_MS);
}

function connect() {
  const socket = new WebSocket(new URL("/ws", location.href.replace(/^http/, "ws")));
  let timer = 0;

  function echo() {
    const sent = performance.now();
    timer = setTimeout(lose, ECHO_WITHIN_MS);
    socket.onmessage = () => {
      clearTimeout(timer);
      $("echo").textContent = `${(performance.now() - sent).toFixed(1)} ms`;
      timer = setTimeout(echo, ECHO_EVERY_MS);
    };
    socket.send("are you there?");
  }

  function lose() {
    clearTimeout(timer);
    socket.onclose = null; // an API that hangs does not answer the close either
    socket.close();
    link.open = false;
    $("echo").textContent = "–";
    showLink();
    tryAgain(connect);
  }

  socket.onopen = () => {
    link.open = true;
    echo();
    refresh();
  };
  socket.onclose = lose;
}

async function ask(method, path, body) {
  const headers = body ? { "Content-Type": "application/json" } : {};
  let response;
  try {
    response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  } catch (error) {
    throw new Away(error.message);
  }
  if ([502, 503, 504].includes(response.status)) throw new Away(response.statusText);
  const content = response.status === 204 ? null : await response.json();
  if (!response.ok) throw new Error(content.error);
  return content;
}

// Does something with the API. While that is away the page says so, with `otherwise`, and goes on
// trying to show its view.
async function attempt(act, otherwise = "") {
  try {
    await act();
    link.answers = true;
    if (link.open) link.pause = FIRST_PAUSE_MS;
  } catch (error) {
    say(error instanceof Away ? otherwise : error.message);
    if (error instanceof Away) {
      link.answers = false;
      if (link.open) tryAgain(refresh);
    }
  } finally {
    showLink();
  }
}

let silence = 0;

function say(sentence) {
  $("said").textContent = sentence;
  clearTimeout(silence);
  silence = setTimeout(() => ($("said").textContent = ""), SAID_MS);
}

// --- Notes ----------------------------------------------------------------------------------

const when = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

function card(note) {
  const item = document.createElement("li");
  const text = document.createElement("p");
  const time = document.createElement("time");
  const remove = document.createElement("button");
  text.textContent = note.text;
  time.dateTime = note.created_at;
  time.textContent = when.format(new Date(note.created_at));
  remove.type = "button";
  remove.textContent = "Delete";
  remove.setAttribute("aria-label", `Delete the note “${note.text.slice(0, 60)}”`);
  remove.onclick = () => attempt(() => forget(note, item), "Not deleted: the notes are away.");
  item.dataset.note = note.id;
  item.append(text, time, remove);
  return item;
}

// Touches only what changed, so that the focus stays where it is.
function fill(list, empty, notes) {
  const items = notes.map((note) => list.querySelector(`[data-note="${note.id}"]`) ?? card(note));
  for (const old of [...list.children]) if (!items.includes(old)) old.remove();
  items.forEach((item, place) => {
    if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
  });
  empty.hidden = notes.length > 0;
}

async function forget(note, item) {
  const next = item.nextElementSibling ?? item.previousElementSibling;
  await ask("DELETE", `/api/notes/${note.id}`);
  (next?.querySelector("button") ?? $("notes-title")).focus();
  say("The note is deleted.");
  await views[location.pathname].load();
}

async function keep() {
  const text = $("text").value;
  await ask("POST", "/api/notes", { text });
  if ($("text").value === text) {
    $("text").value = ""; // what was typed meanwhile stays
    sessionStorage.removeItem("draft");
  }
  say("The note is saved.");
  await views["/"].load();
}

// --- Views: one for each path, so that any of them can be reloaded ---------------------------

let asked = 0;

const views = {
  "/": {
    title: "Notes",
    async load() {
      fill($("notes"), $("no-notes"), (await ask("GET", "/api/notes")).notes);
    },
  },
  "/find": {
    title: "Find – Notes",
    async load() {
      const turn = ++asked;
      const word = new URLSearchParams(location.search).get("q")?.trim() ?? "";
      if ($("query").value.trim() !== word) $("query").value = word;
      const path = `/api/notes?${new URLSearchParams({ q: word })}`;
      const notes = word ? (await ask("GET", path)).notes : [];
      if (turn !== asked) return; // somebody has typed on
      fill($("found"), $("none-found"), notes);
      if (!word) $("none-found").hidden = true;
    },
  },
  "/about": {
    title: "About – Notes",
    async load() {
      const counts = await ask("GET", "/api/stats");
      for (const name of ["notes", "indexed", "words"]) {
        $(`count-${name}`).textContent = counts[name].toLocaleString();
      }
    },
  },
};

function refresh() {
  return attempt(() => views[location.pathname]?.load());
}

function show(moveFocus) {
  const path = location.pathname in views ? location.pathname : "*";
  document.title = views[path]?.title ?? "Nothing here – Notes";
  for (const section of document.querySelectorAll("section")) {
    section.hidden = section.dataset.path !== path;
    if (moveFocus && !section.hidden) section.querySelector("h1").focus();
  }
  for (const anchor of document.querySelectorAll("nav a")) {
    if (anchor.pathname === path) anchor.setAttribute("aria-current", "page");
    else anchor.removeAttribute("aria-current");
  }
  say("");
  refresh();
}

document.addEventListener("click", (event) => {
  const anchor = event.target.closest("a");
  const plain = !(event.metaKey || event.ctrlKey || event.shiftKey || event.button);
  if (!anchor || !plain || anchor.origin !== location.origin || anchor.hash) return;
  event.preventDefault();
  history.pushState(null, "", anchor.href);
  show(true);
});
addEventListener("popstate", () => show(true));

$("write").onsubmit = (event) => {
  event.preventDefault();
  const button = event.target.querySelector("button");
  if (button.ariaDisabled === "true") return;
  button.ariaDisabled = "true";
  attempt(keep, "Not saved yet: the notes are away. Your text is still in the box.").finally(() => {
    button.ariaDisabled = "false";
  });
};
$("text").oninput = () => sessionStorage.setItem("draft", $("text").value);
$("text").onkeydown = (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("write").requestSubmit();
};
$("text").value = sessionStorage.getItem("draft") ?? "";

$("find").onsubmit = (event) => event.preventDefault();
$("query").oninput = () => {
  history.replaceState(null, "", `/find?${new URLSearchParams({ q: $("query").value })}`);
  refresh();
};

show(false);
connect();
