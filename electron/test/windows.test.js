"use strict";
// What a person sees of the example application, in a real browser before the real runtime.

const { readFileSync, rmSync, writeFileSync } = require("node:fs");
const path = require("node:path");
const { test } = require("node:test");
const { setTimeout: after } = require("node:timers/promises");
const { assert, folder, notes, small, until } = require("./harness");
const { NEEDS_BROWSER, shell } = require("./shell");

const ASKED_AGAIN_MS = 3000;
const FIRST = 1;
const SECOND = 2;
const KEY = {
  id: "key",
  class: "user_prompt",
  required: true,
  format: "^k[0-9]+$",
  target: { type: "env", name: "KEY" },
};

/** What a page that was talked into something could try, and the rule that stops it. */
const FORBIDDEN = [
  ["require-trusted-types-for", "document.body.innerHTML = '<img src=x onerror=alert()>'"],
  ["require-trusted-types-for", "document.createElement('script').src = 'https://example.org/'"],
  ["img-src", "new Image().src = 'https://example.org/'"],
  ["connect-src", "fetch('https://example.org/').catch(() => {})"],
];

const COUNT_TIMERS = `
  globalThis.made = 0;
  globalThis.most = 0;
  globalThis.timers = new Set();
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  globalThis.setTimeout = (call, ms) => {
    const id = set(() => { timers.delete(id); call(); }, ms);
    made += 1;
    timers.add(id);
    most = Math.max(most, timers.size);
    return id;
  };
  globalThis.clearTimeout = (id) => { timers.delete(id); clear(id); };
`;

const opened = (t, manifest) => shell(t, { browser: true, env: { NOTES_BUNDLE: manifest } });
const text = (run, window, selector) =>
  run.page(
    window,
    `[...document.querySelectorAll(${JSON.stringify(selector)})].filter((e) => e.checkVisibility()).map((e) => e.textContent).join("|")`,
  );
const click = (run, window, selector) =>
  run.page(window, `document.querySelector(${JSON.stringify(selector)}).click()`);
async function shows(run, window, selector, wanted) {
  await run.sees("loaded", { window });
  let shown = "";
  const fits = async () => wanted.test((shown = await soon(text(run, window, selector))));
  await until(fits, `${selector} shows ${wanted}`).catch((error) => {
    throw new Error(`${error.message}; it shows ${JSON.stringify(shown)}`);
  });
}
/** What Chromium is asked while a page gives way to the next one it may never answer. */
async function soon(answer) {
  answer.catch(() => {}); // nobody waits for it any more, perhaps
  return await Promise.race([answer, after(ASKED_AGAIN_MS, "")]);
}

test("the splash shows progress, what is waited for, and the log", NEEDS_BROWSER, async (t) => {
  const gate = path.join(folder(t), "gate");
  const run = opened(
    t,
    small(t, {
      db: { SAY: "<b>opening</b>" },
      web: { needs: ["db"], GATE: gate, SAY: "at the gate" },
    }),
  );
  await shows(run, FIRST, "#lines li", /web: /);
  assert.equal(await text(run, FIRST, "#name"), "Notes");
  assert.equal(await text(run, FIRST, "#phase"), "Starting…");
  assert.ok(await run.page(FIRST, "bar.value > 0 && bar.value < 1 && bar.max === 1"));
  await shows(run, FIRST, "#last-line", /^at the gate$/);
  assert.equal(await text(run, FIRST, "button"), "Show log");
  await click(run, FIRST, "#show-log");
  await shows(run, FIRST, "#log", /Small 1.0.0: starting 2 services[^]*web:\nat the gate/);
  await click(run, FIRST, "#show-log");
  assert.equal(await text(run, FIRST, "#log"), "");
  await run.page(FIRST, COUNT_TIMERS);
  for (let clicks = 0; clicks < 5; clicks += 1) await click(run, FIRST, "#show-log");
  await until(() => run.page(FIRST, "made >= 3"), "it has been shown three times");
  assert.equal(await run.page(FIRST, "most"), 1, "and is asked for once a second");
  writeFileSync(gate, "");
  await run.sees("loaded", { window: SECOND });
  await shows(run, SECOND, "h1", /It works/);
});

test("a failure is shown as text with its log, and is tried again", NEEDS_BROWSER, async (t) => {
  const reason = path.join(folder(t), "fail");
  writeFileSync(reason, "");
  const run = opened(t, small(t, { web: { FAIL_FILE: reason, SAY: "<img src=x>" } }));
  await shows(run, FIRST, "#phase", /could not be started/);
  assert.match(await text(run, FIRST, "#lines li"), /web: .*exit 7/);
  assert.equal(await run.page(FIRST, "document.activeElement.id"), "retry");
  assert.equal(await text(run, FIRST, "button"), "Log folder|Show log|Quit|Try again");
  await click(run, FIRST, "#show-log");
  await shows(run, FIRST, "#log", /a file says so/);
  assert.equal(await run.page(FIRST, "document.images.length"), 0);
  await click(run, FIRST, "#folder");
  await run.sees("folder", { folder: path.join(run.home, "userData", "runtime", "logs") });
  rmSync(reason);
  await click(run, FIRST, "#retry");
  await run.sees("loaded", { window: SECOND });
});

test("a log that is not to be had now is asked for again", NEEDS_BROWSER, async (t) => {
  const app = folder(t);
  const main = `
    let asked = 0;
    require("bundlevisor/electron").runApplication({
      page: "web",
      start: { manifest: process.env.NOTES_BUNDLE },
      splash: {
        log: () => {
          if (++asked === 1) throw new Error("not yet");
          return "there it is";
        },
      },
    });`;
  writeFileSync(path.join(app, "main.js"), main);
  const env = { NOTES_BUNDLE: small(t, { web: { FAIL: "no" } }) };
  const run = shell(t, { app, browser: true, env });
  await shows(run, FIRST, "#phase", /could not be started/);
  await click(run, FIRST, "#show-log");
  await shows(run, FIRST, "#log", /there it is/);
});

test("quitting from the splash ends all", NEEDS_BROWSER, async (t) => {
  const run = opened(t, small(t, { web: { FAIL: "no" } }));
  await shows(run, FIRST, "#phase", /could not be started/);
  await click(run, FIRST, "#quit");
  assert.equal(await run.ended, 0);
});

const fill = (run, value) =>
  run.page(SECOND, `document.querySelector("input").value = ${JSON.stringify(value)}`);

test("who gives no secret is told, and asked again", NEEDS_BROWSER, async (t) => {
  const run = opened(t, small(t, { web: { secrets: ["key"] } }, { secrets: [KEY] }));
  await shows(run, SECOND, "label", /key/);
  await click(run, SECOND, "#cancel");
  await shows(run, FIRST, "#lines li", /is needed to go on/);
  await click(run, FIRST, "#retry");
  await shows(run, 3, "label", /key/);
  await run.page(3, 'dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }))');
  await shows(run, FIRST, "#phase", /could not be started/);
});

test("nobody is asked while it is not known what has a value", async (t) => {
  const app = folder(t);
  const main = `
    const key = { id: "key", class: "user_prompt", required: true, has_value: false };
    const answers = [{ ...key, pending: true }, { ...key, has_value: true }];
    const secrets = async () => [answers.length > 1 ? answers.shift() : answers[0]];
    const { promptForSecrets } = require("bundlevisor/electron");
    promptForSecrets({ secrets }).then((stored) => process.send({ what: "stored", stored }));`;
  writeFileSync(path.join(app, "main.js"), main);
  const run = shell(t, { app });
  await run.sees("stored", { stored: true });
  assert.equal(run.find("window"), undefined);
});

test("who is asked for what he need not give may leave it empty", NEEDS_BROWSER, async (t) => {
  const app = folder(t);
  const main = `
    require("bundlevisor/electron").runApplication({
      page: "web",
      start: { manifest: process.env.NOTES_BUNDLE },
      secrets: { ids: ["key", "spare"] },
    });`;
  writeFileSync(path.join(app, "main.js"), main);
  const spare = { ...KEY, id: "spare", required: false, target: { type: "env", name: "SPARE" } };
  const web = { secrets: ["key", "spare"] };
  const env = { NOTES_BUNDLE: small(t, { web }, { secrets: [KEY, spare] }) };
  const run = shell(t, { app, browser: true, env });
  await shows(run, SECOND, "label", /key/);
  await click(run, SECOND, "#save");
  await shows(run, SECOND, ".problem", /'key' is empty/);
  assert.doesNotMatch(await text(run, SECOND, ".problem"), /spare/);
  await fill(run, "k4711");
  await click(run, SECOND, "#save");
  const { url } = await run.sees("loaded", { window: 3 });
  const { KEY: key, SPARE: none } = await (await fetch(`${url}env`)).json();
  assert.deepEqual([key, none], ["k4711", undefined]);
});

test("the windows of a start that needs a secret", NEEDS_BROWSER, async (t) => {
  const prompt = { label: "Licence <key>", description: "It is in your mail.", hint: "k…" };
  const run = opened(t, small(t, { web: { secrets: ["key"] } }, { secrets: [{ ...KEY, prompt }] }));
  await shows(run, SECOND, "label", /Licence <key>/);
  await t.test("the windows have a strict policy, and break none of its rules", async () => {
    for (const window of [FIRST, SECOND]) {
      assert.deepEqual(await run.do("troubles", { window }), []);
      await run.page(
        window,
        `globalThis.broken = [];
        addEventListener("securitypolicyviolation", (event) => broken.push(event.effectiveDirective));`,
      );
      for (const [rule, code] of FORBIDDEN) {
        await run.page(window, `try { ${code} } catch {} broken.length`);
        await until(
          () => run.page(window, `broken.includes(${JSON.stringify(rule)})`),
          `${rule} forbids ${code}`,
        );
        await run.page(window, "broken.length = 0");
      }
    }
  });

  await t.test("secrets are asked for, refused with a reason, and never come back", async () => {
    await shows(run, SECOND, "label", /Licence <key>/);
    assert.equal(await text(run, SECOND, ".about"), "It is in your mail.");
    const field =
      "(({ type, placeholder, autocomplete }) => [type, placeholder, autocomplete])(document.querySelector('input'))";
    assert.deepEqual(await run.page(SECOND, field), ["password", "k…", "off"]);
    await fill(run, "what-was-typed");
    await click(run, SECOND, "#save");
    await shows(run, SECOND, ".problem", /./);
    assert.doesNotMatch(await text(run, SECOND, "body"), /what-was-typed/);
    await fill(run, "k4711");
    await click(run, SECOND, "#save");
    const { url } = await run.sees("loaded", { window: 3 });
    assert.equal((await (await fetch(`${url}env`)).json()).KEY, "k4711");
    assert.ok(run.find("closed", { window: SECOND }));
    assert.doesNotMatch(JSON.stringify(run.seen) + run.output, /k4711|what-was-typed/);
  });
});

test("a page that is reloaded while nobody serves it comes back", NEEDS_BROWSER, async (t) => {
  const gate = path.join(folder(t), "gate");
  writeFileSync(gate, "");
  const run = opened(t, small(t, { web: { GATE: gate } }));
  await shows(run, SECOND, "h1", /It works/);
  rmSync(gate);
  const record = path.join(run.home, "userData/runtime/runtime/instance.json");
  process.kill(JSON.parse(readFileSync(record, "utf8")).pid, "SIGKILL");
  const { url } = run.find("loaded", { window: SECOND });
  await until(
    () =>
      fetch(url).then(
        () => false,
        () => true,
      ),
    "its service has been stopped",
  );
  await run.page(SECOND, "setTimeout(() => location.reload())"); // once this is answered
  await shows(run, SECOND, "body", /ERR_/);
  writeFileSync(gate, "");
  await shows(run, SECOND, "h1", /It works/);
});

test("the page of the notes, from the splash to the end", NEEDS_BROWSER, async (t) => {
  const run = opened(t, notes(t));
  await t.test("the notes are there after the splash", async () => {
    await run.sees("loaded", { window: SECOND });
    await shows(run, SECOND, "h1", /Your notes/);
    assert.equal(
      await run.page(SECOND, "typeof require + typeof process + typeof splash"),
      "undefined".repeat(3),
    );
  });

  await t.test("a page finds its own address again when the runtime is killed", async () => {
    const record = path.join(run.home, "userData/runtime/runtime/instance.json");
    process.kill(JSON.parse(readFileSync(record, "utf8")).pid, "SIGKILL");
    const save =
      'fetch("/api/notes", { method: "POST", body: JSON.stringify({ text: "kept" }), headers: { "Content-Type": "application/json" } }).then((answer) => answer.ok, () => false)';
    await until(() => run.page(SECOND, save), "a note is saved again");
  });
  await run.do("quit");
  assert.equal(await run.ended, 0);
});
