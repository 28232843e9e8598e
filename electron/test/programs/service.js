"use strict";
// A service that does what its environment says.
//   FAIL=word      writes the word to stderr and ends with 7
//   FAIL_FILE=f    the same while that file is there
//   SLOW_STOP=ms   takes so long to stop
//   GATE=f         listens as soon as that file is there
//   SAY=text       is written to stdout at the start
// GET /health answers 200, /env its environment, /say?text writes a line, /shutdown ends it.

const { existsSync } = require("node:fs");
const http = require("node:http");

const { FAIL, FAIL_FILE, GATE, SAY, SLOW_STOP } = process.env;

if (FAIL || (FAIL_FILE && existsSync(FAIL_FILE))) {
  console.error(FAIL || "a file says so");
  process.exit(7);
}
if (SAY) console.log(SAY);

const server = http.createServer((request, answer) => {
  const url = new URL(request.url, "http://127.0.0.1");
  if (url.pathname === "/say") console.log(decodeURIComponent(url.search.slice(1)));
  answer.setHeader("Content-Type", url.pathname === "/env" ? "application/json" : "text/html");
  answer.end(url.pathname === "/env" ? JSON.stringify(process.env) : "<h1>It works</h1>");
  if (url.pathname === "/shutdown") setTimeout(() => process.exit(0), Number(SLOW_STOP ?? 0));
});
const listen = () => {
  if (GATE && !existsSync(GATE)) setTimeout(listen, 20);
  else server.listen(Number(process.env.PORT_HTTP), "127.0.0.1");
};
listen();
if (!SLOW_STOP) process.on("SIGTERM", () => process.exit(0));
