"use strict";
// The example application on the notes: its main process is real, and so is the runtime. What
// stands in for Electron has no windows here; those are in windows.test.js.

const {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} = require("node:fs");
const { once } = require("node:events");
const http = require("node:http");
const path = require("node:path");
const { test } = require("node:test");
const { folderNames } = require("../lib");
const { Client } = require("../lib/client");
const { COMMAND, POSIX, assert, folder, held, isAlive, notes, small, until } = require("./harness");
const { RECORD, shell } = require("./shell");

const SPLASH = 1;
const PAGE = 2;

/** The runtime's instance record, as the application started it. */
const record = (run) => JSON.parse(readFileSync(path.join(run.home, RECORD), "utf8"));

async function opened(t, manifest = notes(t), env = {}) {
  const run = shell(t, { env: { NOTES_BUNDLE: manifest, ...env } });
  await run.sees("loaded", { window: PAGE });
  return run;
}

test("the splash says what is waited for", POSIX, async (t) => {
  const manifest = notes(t);
  const go = held(manifest);
  const run = shell(t, { env: { NOTES_BUNDLE: manifest } });
  const told = () =>
    run.seen
      .filter(({ channel }) => channel === "bundlevisor:splash-state")
      .some(({ message }) => message.lines.includes("api waits for store"));
  await until(told, "the splash says that api waits for store");
  go();
  await run.sees("loaded", { window: PAGE });
  await run.do("close", { window: PAGE });
  assert.equal(await run.ended, 0);
});

test("the splash says why nothing has begun, and nothing when all is ready", POSIX, async (t) => {
  const runtime = path.join(folder(t), "runtime");
  const go = `${runtime}-go`;
  const wait = `echo '{"message": "waiting for an earlier one"}' >&2\nuntil [ -e "${go}" ]; do sleep 0.05; done`;
  writeFileSync(runtime, `#!/bin/sh\n${wait}\nexec "${COMMAND}" "$@"\n`);
  chmodSync(runtime, 0o755);
  const run = shell(t, { env: { NOTES_BUNDLE: small(t, { web: {} }), BUNDLEVISOR: runtime } });
  await until(() => run.splash?.lastLine === "waiting for an earlier one", "it says so");
  writeFileSync(go, "");
  await run.sees("loaded", { window: PAGE });
  assert.deepEqual([run.splash.fraction, run.splash.lines], [1, []]);
});

test("a splash, then the page, and all has stopped before the application is gone", async (t) => {
  const run = await opened(t);
  await run.sees("closed", { window: SPLASH });
  const { pid, services } = record(run);
  await run.do("close", { window: PAGE });
  assert.equal(await run.ended, 0);
  for (const one of [{ pid }, ...Object.values(services).flat()]) assert.ok(!isAlive(one.pid));
  assert.ok(!existsSync(path.join(run.home, "userData/runtime/runtime/auth-token")));
});

test(
  "installed, it finds runtime and bundle among its resources, and looks nowhere else",
  POSIX,
  async (t) => {
    const resources = folder(t);
    cpSync(path.dirname(small(t, { web: {} })), path.join(resources, "bundle"), {
      recursive: true,
    });
    const program = path.join(resources, "bundle", "runtime", folderNames()[0], "runtime");
    mkdirSync(path.dirname(program), { recursive: true });
    writeFileSync(program, `#!/bin/sh\nexec "${COMMAND}" "$@"\n`);
    chmodSync(program, 0o755);
    const env = {
      STANDIN_PACKAGED: "1",
      STANDIN_RESOURCES: resources,
      BUNDLEVISOR: "no-such-runtime",
      NOTES_BUNDLE: "none",
    };
    const run = shell(t, { env });
    await run.sees("loaded", { window: PAGE });
    assert.equal(record(run).manifest, path.join(resources, "bundle", "bundle.json"));
    await run.do("quit");
    assert.equal(await run.ended, 0);
  },
);

test("an update is installed when everything has stopped", async (t) => {
  const run = await opened(t, small(t, { web: { SLOW_STOP: "500" } }));
  await run.do("emit", { on: "autoUpdater", name: "update-downloaded" });
  await run.do("menu", { label: "Restart and update" });
  assert.deepEqual(await run.sees("installs"), { what: "installs", running: false });
  assert.equal(await run.ended, 0);
});

for (const way of ["says so", "throws"])
  test(`an application whose updater cannot install, and ${way}, ends without`, async (t) => {
    const run = await opened(t, small(t, { web: {} }), { STANDIN_UPDATER: way });
    await run.do("emit", { on: "autoUpdater", name: "update-downloaded" });
    await run.do("menu", { label: "Restart and update" });
    await run.sees("installs");
    assert.equal(await run.ended, 0);
    assert.match(run.output, /The update was not installed: no disk/);
  });

test("an update whose quitting a page refused is not installed by a later quit", async (t) => {
  const run = await opened(t, small(t, { web: {} }));
  await run.do("emit", { on: "autoUpdater", name: "update-downloaded" });
  await run.do("refuse", { window: PAGE });
  await run.do("menu", { label: "Restart and update" });
  await run.do("quit");
  assert.equal(await run.ended, 0);
  assert.equal(run.find("installs"), undefined);
});

test("the services are stopped when the user logs off", async (t) => {
  const run = await opened(t, small(t, { web: {} }));
  const { pid } = record(run);
  await run.do("emit", { window: PAGE, name: "session-end" });
  await until(() => !isAlive(pid), "the runtime has ended");
  assert.equal(run.child.exitCode, null, "Windows ends the application itself");
});

test("a shutdown of the system is held up until all has stopped", async (t) => {
  const run = await opened(t, small(t, { web: {} }));
  const { pid } = record(run);
  assert.equal(await run.do("emit", { on: "powerMonitor", name: "shutdown" }), true);
  assert.equal(await run.ended, 0);
  assert.ok(!isAlive(pid));
});

test("a page that refuses to be closed by a shutdown keeps its services", async (t) => {
  const run = await opened(t, small(t, { web: {} }));
  await run.do("refuse", { window: PAGE });
  await run.do("emit", { on: "powerMonitor", name: "shutdown" });
  await run.do("emit", { on: "app", name: "second-instance" });
  await run.sees("focus", { window: PAGE });
  assert.equal(await run.do("emit", { on: "powerMonitor", name: "shutdown" }), true);
  assert.equal(await run.ended, 0);
  assert.equal(run.find("relaunch"), undefined);
});

test("on macOS it lives on without windows, and has its page again", async (t) => {
  const run = await opened(t, small(t, { web: {} }), { STANDIN_PLATFORM: "darwin" });
  const { pid } = record(run);
  await run.do("close", { window: PAGE });
  assert.ok(isAlive(pid));
  await run.do("emit", { on: "app", name: "activate" });
  await run.sees("loaded", { window: 4 }); // the third is its splash
  assert.equal(record(run).pid, pid);
  await run.do("quit");
  assert.equal(await run.ended, 0);
});

test("a second instance quits at once and starts nothing", async (t) => {
  const run = shell(t, { env: { NOTES_BUNDLE: small(t, { web: {} }), STANDIN_SECOND: "1" } });
  assert.equal(await run.ended, 0);
  assert.equal(run.find("window"), undefined);
});

for (const name of ["second-instance", "activate"])
  test(`who starts it again (${name}) while it quits has it again when it is gone`, async (t) => {
    const run = await opened(t, small(t, { web: { SLOW_STOP: "500" } }));
    const again = () => run.do("emit", { on: "app", name });
    await Promise.all([run.do("quit"), again(), again()]);
    assert.equal(await run.ended, 0);
    assert.equal(run.seen.filter(({ what }) => what === "relaunch").length, 1);
  });

test("an AppImage is started again from its file, not from where it was mounted", async (t) => {
  const env = { APPIMAGE: "/opt/Notes.AppImage", APPDIR: path.dirname(process.execPath) };
  const run = await opened(t, small(t, { web: { SLOW_STOP: "500" } }), env);
  await Promise.all([run.do("quit"), run.do("emit", { on: "app", name: "second-instance" })]);
  const { options } = await run.sees("relaunch");
  const [main] = run.child.spawnargs.slice(-1);
  const args = ["--appimage-extract-and-run", main];
  assert.deepEqual(options, { execPath: env.APPIMAGE, args });
});

test("an update is installed, and nothing else started, also when it is started again", async (t) => {
  const run = await opened(t, small(t, { web: { SLOW_STOP: "500" } }));
  await run.do("emit", { on: "autoUpdater", name: "update-downloaded" });
  await Promise.all([
    run.do("menu", { label: "Restart and update" }),
    run.do("emit", { on: "app", name: "second-instance" }),
  ]);
  await run.sees("installs");
  assert.equal(await run.ended, 0);
  assert.equal(run.find("relaunch"), undefined);
});

test("a failed start says why, and another try goes on", async (t) => {
  const reason = path.join(folder(t), "fail");
  writeFileSync(reason, "");
  const run = shell(t, { env: { NOTES_BUNDLE: small(t, { web: { FAIL_FILE: reason } }) } });
  await until(() => run.splash?.phase === "failed", "the splash says that it failed");
  assert.match(run.splash.lines.join(), /web: .*exit 7/);
  const log = () => run.do("invoke", { window: SPLASH, channel: "bundlevisor:splash-log" });
  await until(async () => /web:\na file says so/.test(await log()), "the log has its words");
  await t.test("only the window's own page is answered", async () => {
    const asked = run.do("invoke", {
      window: SPLASH,
      channel: "bundlevisor:splash-log",
      foreign: true,
    });
    await assert.rejects(asked, /not for this frame/);
  });
  rmSync(reason);
  await run.do("invoke", { window: SPLASH, channel: "bundlevisor:splash-choose", args: ["retry"] });
  await run.sees("loaded", { window: PAGE });
});

test("a page that could not be loaded is loaded by another try", async (t) => {
  const env = { NOTES_BUNDLE: small(t, { web: {} }), STANDIN_LOAD: "ERR_CONNECTION_REFUSED" };
  const run = shell(t, { env });
  await until(() => run.splash?.phase === "failed", "the splash says that it failed");
  assert.match(run.splash.lines.join(), /ERR_CONNECTION_REFUSED/);
  assert.equal(run.find("show", { window: PAGE }), undefined);
  await run.do("invoke", { window: SPLASH, channel: "bundlevisor:splash-choose", args: ["retry"] });
  await run.sees("closed", { window: SPLASH });
  assert.ok(run.find("show", { window: 3 }));
});

test(
  "a runtime that ends while the page is loaded is told by the splash there is",
  POSIX,
  async (t) => {
    const manifest = small(t, { web: {} });
    const run = shell(t, { env: { NOTES_BUNDLE: manifest, STANDIN_LOAD: "ERR_FAILED" } });
    await run.sees("window", { window: PAGE });
    process.kill(record(run).pid, "SIGTERM");
    await run.sees("closed", { window: PAGE });
    await until(() => run.splash?.phase === "failed", "the splash says so");
    assert.deepEqual(run.splash.lines, ["The application's services were stopped."]);
    assert.equal(run.find("window", { window: 3 }), undefined);
    await run.do("invoke", {
      window: SPLASH,
      channel: "bundlevisor:splash-choose",
      args: ["retry"],
    });
    await run.sees("loaded", { window: 3 });
    await run.sees("closed", { window: SPLASH });
  },
);

test("an application whose splash is closed while its page is loaded quits", async (t) => {
  const env = { NOTES_BUNDLE: small(t, { web: {} }), STANDIN_LOAD: "ERR_FAILED" };
  const run = shell(t, { env });
  await run.sees("window", { window: PAGE });
  await run.do("close", { window: SPLASH });
  await run.sees("closed", { window: PAGE });
  assert.equal(await run.ended, 0);
});

for (const moment of ["before it is asked", "while the page is loaded"])
  test(`a runtime that is killed ${moment} comes back behind the splash`, POSIX, async (t) => {
    const app = folder(t);
    const early = moment === "before it is asked";
    const kill = `runtime.on("listening", () => {
      if (${early} && ++times === 1) process.kill(runtime.pid, "SIGKILL");
    });`;
    const main = `
      let times = 0;
      require("bundlevisor/electron").runApplication({
        page: "web",
        start: { manifest: process.env.NOTES_BUNDLE },
        onRuntime: (runtime) => { ${kill} },
      });`;
    writeFileSync(path.join(app, "main.js"), main);
    const load = early ? {} : { STANDIN_LOAD: "ERR_FAILED" };
    const run = shell(t, { app, env: { NOTES_BUNDLE: small(t, { web: {} }), ...load } });
    if (!early) {
      await run.sees("window", { window: PAGE });
      process.kill(record(run).pid, "SIGKILL");
    }
    await run.sees("loaded", { window: early ? PAGE : 3 });
    const phases = run.seen.map(({ message }) => message?.phase);
    assert.ok(!phases.includes("failed"), "nothing is said to have failed");
  });

test("an application whose page could not be loaded ends with its splash", async (t) => {
  const env = { NOTES_BUNDLE: small(t, { web: {} }), STANDIN_LOAD: "ERR_CONNECTION_REFUSED" };
  const run = shell(t, { env });
  await until(() => run.splash?.phase === "failed", "the splash says that it failed");
  await run.do("close", { window: SPLASH });
  assert.equal(await run.ended, 0);
});

test("on macOS the splash that is opened again while it starts says how far it is", async (t) => {
  const gate = path.join(folder(t), "gate");
  const env = { NOTES_BUNDLE: small(t, { web: { GATE: gate } }), STANDIN_PLATFORM: "darwin" };
  const run = shell(t, { env });
  await until(() => run.splash?.fraction, "the splash says how far it is");
  await run.do("close", { window: SPLASH });
  await run.do("emit", { on: "app", name: "activate" });
  const told = ({ window, message }) => window === 2 && message?.fraction;
  await until(() => run.seen.some(told), "so does the next one");
  writeFileSync(gate, "");
  await run.sees("loaded", { window: 3 });
  await run.do("quit");
  assert.equal(await run.ended, 0);
});

for (const closed of [SPLASH, PAGE])
  test(
    `window ${closed}, closed while it is asked where the page is, stays closed`,
    POSIX,
    async (t) => {
      const [app, gate] = [folder(t), path.join(folder(t), "gate")];
      const main = `
      const { existsSync } = require("node:fs");
      const isOpen = () => existsSync(${JSON.stringify(gate)});
      require("bundlevisor/electron").runApplication({
        page: "web",
        start: { manifest: process.env.NOTES_BUNDLE },
        onRuntime: (runtime) => {
          const ports = runtime.ports.bind(runtime);
          runtime.ports = async () => {
            if (isOpen()) return await ports();
            process.send({ what: "asks" });
            while (!isOpen()) await new Promise((go) => setTimeout(go, 20));
            const told = await ports();
            process.send({ what: "told" });
            return told;
          };
        },
      });`;
      writeFileSync(path.join(app, "main.js"), main);
      if (closed === PAGE) writeFileSync(gate, "");
      const env = { NOTES_BUNDLE: small(t, { web: {} }), STANDIN_PLATFORM: "darwin" };
      const run = shell(t, { app, env });
      if (closed === PAGE) {
        await run.sees("closed", { window: SPLASH });
        rmSync(gate);
        process.kill(record(run).pid, "SIGKILL");
      }
      await run.sees("asks");
      await run.do("close", { window: closed });
      writeFileSync(gate, "");
      await run.sees("told");
      await run.do("emit", { on: "app", name: "activate" });
      const { options } = await run.sees("window", { window: closed + 1 });
      assert.ok(options.webPreferences.preload, "it is the splash of who opens it again");
      await run.do("quit");
      assert.equal(await run.ended, 0);
    },
  );

test("a page that goes elsewhere while it is loaded is shown", async (t) => {
  const run = shell(t, {
    env: { NOTES_BUNDLE: small(t, { web: {} }), STANDIN_LOAD: "ERR_ABORTED" },
  });
  await run.sees("show", { window: PAGE });
  await run.sees("closed", { window: SPLASH });
});

test("a shell that fails as it is told of the runtime can try again", async (t) => {
  const app = folder(t);
  const main = `
    let told = 0;
    require("bundlevisor/electron").runApplication({
      page: "web",
      start: { manifest: process.env.NOTES_BUNDLE },
      splash: { texts: { quit: undefined, retry: "Noch einmal" } },
      onRuntime: () => { if (++told === 1) throw new Error("not yet"); },
    });`;
  writeFileSync(path.join(app, "main.js"), main);
  const run = shell(t, { app, env: { NOTES_BUNDLE: small(t, { web: {} }) } });
  await until(() => run.splash?.phase === "failed", "the splash says that it failed");
  assert.deepEqual(run.splash.lines, ["not yet"]);
  assert.deepEqual([run.splash.texts.retry, run.splash.texts.quit], ["Noch einmal", "Quit"]);
  await run.do("invoke", { window: SPLASH, channel: "bundlevisor:splash-choose", args: ["retry"] });
  await run.sees("loaded", { window: PAGE });
  await run.do("quit");
  assert.equal(await run.ended, 0);
});

test("an application whose code was bundled without the pages says so at once", async (t) => {
  const [app, bundlevisor] = [folder(t), folder(t)];
  cpSync(path.join(__dirname, "..", "lib"), path.join(bundlevisor, "lib"), { recursive: true });
  cpSync(path.join(__dirname, "..", "package.json"), path.join(bundlevisor, "package.json"));
  const main = `require("bundlevisor/electron").runApplication({ page: "web" });`;
  writeFileSync(path.join(app, "main.js"), main);
  const run = shell(t, { app, bundlevisor });
  assert.equal(await run.ended, 1);
  assert.match(run.output, /there is no .*renderer. Have your bundler leave the package/);
  assert.equal(run.find("window"), undefined);
});

test("a page with a session of its own has the permissions that are named, too", async (t) => {
  const app = folder(t);
  const main = `
    require("bundlevisor/electron").runApplication({
      page: "web",
      start: { manifest: process.env.NOTES_BUNDLE },
      window: { webPreferences: { partition: "persist:notes" } },
      permissions: ["notifications"],
    });`;
  writeFileSync(path.join(app, "main.js"), main);
  const run = shell(t, { app, env: { NOTES_BUNDLE: small(t, { web: {} }) } });
  await run.sees("loaded", { window: PAGE });
  const may = (name) => run.do("permission", { window: PAGE, name });
  assert.deepEqual([await may("notifications"), await may("media")], [true, false]);
});

test("a runtime that is not there is told, and quitting is offered", async (t) => {
  const run = shell(t, {
    env: { NOTES_BUNDLE: small(t, { web: {} }), BUNDLEVISOR: "no-such-runtime" },
  });
  await until(() => run.splash?.phase === "failed", "the splash says that it failed");
  assert.match(run.splash.lines.join(), /no program 'no-such-runtime'.*pipx install \./);
  await run.do("invoke", { window: SPLASH, channel: "bundlevisor:splash-choose", args: ["quit"] });
  assert.equal(await run.ended, 0);
});

test("an open application is looked at, and its page does not let it quit at once", async (t) => {
  const run = await opened(t, small(t, { web: {} }));
  await t.test("the page's window is locked in", async () => {
    const { url } = run.find("loaded", { window: PAGE });
    for (const window of [SPLASH, PAGE]) {
      const { webPreferences } = run.find("window", { window }).options;
      const { sandbox, contextIsolation, nodeIntegration, preload } = webPreferences;
      assert.deepEqual([sandbox, contextIsolation, nodeIntegration], [true, true, false]);
      assert.equal(Boolean(preload), window === SPLASH, "a page of the bundle has no way in");
    }
    assert.equal(await run.do("navigate", { window: PAGE, url }), false);
    assert.equal(await run.do("navigate", { window: PAGE, url: "http://127.0.0.1:1/" }), true);
    assert.equal(await run.do("navigate", { window: PAGE, url: "https://example.org/" }), true);
    await run.sees("external", { url: "https://example.org/" });
    const mail = "mailto:a@example.org"; // for which the user has no program
    assert.equal(await run.do("navigate", { window: PAGE, url: mail }), true);
    await run.sees("external", { url: mail });
    assert.deepEqual(await run.do("popup", { window: PAGE, url: "file:///etc/passwd" }), {
      action: "deny",
    });
    assert.equal(run.find("external", { url: "file:///etc/passwd" }), undefined);
    assert.equal(await run.do("permission", { window: PAGE, name: "media" }), false);
  });

  await t.test("the token is in nothing that a window is told", async () => {
    const token = readFileSync(
      path.join(run.home, "userData/runtime/runtime/auth-token"),
      "utf8",
    ).trim();
    const log = await run.do("menu", { label: "Services" });
    assert.ok(!JSON.stringify([run.seen, run.output, log]).includes(token));
  });

  await t.test(
    "a page with unsaved changes keeps its services when it refuses to be closed",
    async () => {
      const { pid } = record(run);
      await run.do("refuse", { window: PAGE });
      await run.do("quit");
      assert.ok(isAlive(pid));
      assert.equal((await fetch(run.find("loaded", { window: PAGE }).url)).status, 200);
      await run.do("quit");
      assert.equal(await run.ended, 0);
      assert.ok(!isAlive(pid));
    },
  );
});

test("a page whose service alone has another port is loaded from there", async (t) => {
  const run = await opened(t, small(t, { web: {} }));
  const { url } = run.find("loaded", { window: PAGE });
  const kept = (name) =>
    readFileSync(path.join(run.home, "userData/runtime/runtime", name), "utf8");
  const connection = {
    host: "127.0.0.1",
    port: JSON.parse(kept("ipc_port")),
    token: kept("auth-token").trim(),
  };
  const client = new Client(() => connection);
  await client.stopService("web", { wait: 30 });
  const other = http.createServer().listen(Number(new URL(url).port), "127.0.0.1");
  t.after(() => other.close());
  await once(other, "listening");
  await client.startService("web");
  await until(
    () =>
      run.seen.some(
        ({ what, window, url: to }) => what === "loaded" && window === PAGE && to !== url,
      ),
    "the page is loaded from the other port",
  );
});

for (const [way, then, seen] of [
  ["supplies the values", "setSecrets({ key: 'k' })", (run) => run.find("loaded", { window: 3 })],
  ["ends the runtime", "shutdown()", (run) => run.splash?.phase === "failed"],
])
  test(`a prompt for secrets goes when its application ${way}`, async (t) => {
    const [app, go] = [folder(t), path.join(folder(t), "go")];
    const main = `
      require("bundlevisor/electron").runApplication({
        page: "web",
        start: { manifest: process.env.NOTES_BUNDLE },
        onRuntime: (runtime) => {
          const look = setInterval(() => {
            if (!require("node:fs").existsSync(${JSON.stringify(go)})) return;
            clearInterval(look);
            void runtime.${then};
          }, 50);
        },
      });`;
    writeFileSync(path.join(app, "main.js"), main);
    const target = { type: "env", name: "KEY" };
    const key = { id: "key", class: "user_prompt", required: true, target };
    const bundle = small(t, { web: { secrets: ["key"] } }, { secrets: [key] });
    const run = shell(t, { app, env: { NOTES_BUNDLE: bundle } });
    await run.sees("window", { window: PAGE });
    writeFileSync(go, "");
    await run.sees("closed", { window: PAGE });
    await until(() => seen(run), "the start goes on");
  });

test("a secret that has its value is not asked for again", async (t) => {
  const app = folder(t);
  const main = `
    require("bundlevisor/electron").runApplication({
      page: "web",
      start: { manifest: process.env.NOTES_BUNDLE },
      secrets: { ids: ["key"] },
    });`;
  writeFileSync(path.join(app, "main.js"), main);
  const target = { type: "env", name: "KEY" };
  const secrets = [{ id: "key", class: "user_prompt", required: true, target }];
  const bundle = small(t, { web: { secrets: ["key"] } }, { secrets });
  const run = shell(t, { app, env: { NOTES_BUNDLE: bundle, STANDIN_PLATFORM: "darwin" } });
  await run.sees("window", { window: PAGE }); // which is the prompt
  const give = { window: PAGE, channel: "bundlevisor:secrets-give", args: [{ key: "k" }] };
  assert.deepEqual(await run.do("invoke", give), []);
  await run.sees("loaded", { window: 3 });
  await run.do("close", { window: 3 });
  await run.do("emit", { on: "app", name: "activate" });
  const { url } = await run.sees("loaded", { window: 5 }); // the fourth is its splash
  assert.match(url, /^http/);
});

test("no prompt comes of a splash that is closed before it", async (t) => {
  const [app, gate] = [folder(t), path.join(folder(t), "gate")];
  const main = `
    const { existsSync } = require("node:fs");
    require("bundlevisor/electron").runApplication({
      page: "web",
      start: { manifest: process.env.NOTES_BUNDLE },
      onRuntime: (runtime) => {
        const secrets = runtime.secrets.bind(runtime);
        runtime.secrets = async () => {
          const told = await secrets();
          process.send({ what: "asks" });
          while (!existsSync(${JSON.stringify(gate)})) await new Promise((go) => setTimeout(go, 20));
          process.send({ what: "told" });
          return told;
        };
      },
    });`;
  writeFileSync(path.join(app, "main.js"), main);
  const target = { type: "env", name: "KEY" };
  const secrets = [{ id: "key", class: "user_prompt", required: true, target }];
  const bundle = small(t, { web: { secrets: ["key"] } }, { secrets });
  const run = shell(t, { app, env: { NOTES_BUNDLE: bundle, STANDIN_PLATFORM: "darwin" } });
  await run.sees("asks");
  await run.do("close", { window: SPLASH });
  writeFileSync(gate, "");
  await run.sees("told");
  await run.do("emit", { on: "app", name: "activate" });
  const { options } = await run.sees("window", { window: 2 });
  assert.equal(options.modal, undefined, "it is a splash");
});

test("an application outlives who has read what it says", POSIX, async (t) => {
  const run = await opened(t, small(t, { web: {} }));
  run.child.stderr.destroy();
  process.kill(record(run).pid, "SIGKILL");
  const log = path.join(run.home, "logs", "runtime.log");
  const starts = () => readFileSync(log, "utf8").split("web is ready").length - 1;
  await until(() => starts() === 2 || run.child.exitCode, "a new runtime, which has said so");
  await run.do("quit");
  assert.equal(await run.ended, 0);
});

test("an application outlives the death of its runtime, and of its page", async (t) => {
  const run = await opened(t, small(t, { web: {} }));
  await t.test("a killed runtime is back behind the same page", POSIX, async () => {
    const { pid } = record(run);
    const { url } = run.find("loaded", { window: PAGE });
    process.kill(pid, "SIGKILL");
    await until(() => {
      try {
        return record(run).pid !== pid;
      } catch (error) {
        if (error.code !== "ENOENT") throw error;
        return false; // the dead one's has gone, the new one's is to come
      }
    }, "a new runtime");
    await until(
      async () => (await fetch(url).catch(() => ({}))).status === 200,
      "the page is served again",
    );
    assert.equal(run.find("closed", { window: PAGE }), undefined);
  });

  await t.test("a page that crashes is loaded again, and given up in the end", async () => {
    for (let crash = 1; crash <= 3; crash++) {
      await run.do("gone", { window: PAGE, reason: "crashed" });
      await until(
        () => run.seen.filter(({ what }) => what === "reload").length === crash,
        "a reload",
      );
    }
    await run.do("gone", { window: PAGE, reason: "crashed" });
    await until(() => run.splash?.phase === "failed", "the splash says that it failed");
    assert.match(run.splash.lines.join(), /The page ended: crashed/);
  });
});
