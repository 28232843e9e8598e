"use strict";
// Requests to the control API: loopback, the token in a header, a limit of time for everything.

const http = require("node:http");
const { ApiError, NotRunning, SecretsRefused } = require("./errors");

const ANSWER_WITHIN_MS = 15_000; // beside what a request says that it waits
const LOST = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE"]);

/**
 * Where the control API of the running process is.
 *
 * @typedef {Object} Connection
 * @property {string} host
 * @property {number} port
 * @property {string} token
 */

/**
 * @typedef {Object} Question
 * @property {string} [method]
 * @property {string} path
 * @property {Record<string, string | number | boolean | undefined>} [query]
 * @property {unknown} [body] sent as JSON
 * @property {Record<string, string>} [headers]
 * @property {number} [wait] seconds that the runtime may take for the answer
 * @property {AbortSignal} [signal]
 */

/**
 * Resolves to the text of the answer; rejects with ApiError when it is a refusal.
 *
 * @param {Connection} connection
 * @param {Question} question
 */
async function ask(connection, question) {
  const within = Math.ceil((question.wait ?? 0) * 1000) + ANSWER_WITHIN_MS; // whole: 1.1 * 1000 is not
  const limit = AbortSignal.timeout(within);
  const signal = question.signal ? AbortSignal.any([limit, question.signal]) : limit;
  try {
    const answer = await open(connection, { ...question, signal });
    return await textOf(answer);
  } catch (error) {
    if (question.signal?.aborted) throw error;
    if (!limit.aborted) throw isLost(error) ? lost(question) : error;
    throw new NotRunning(
      `The runtime did not answer ${nameOf(question)} within ${within / 1000} s.`,
    );
  }
}

/**
 * Resolves to the answer as a stream, once its headers are there.
 *
 * @param {Connection} connection
 * @param {Question} question
 * @returns {Promise<http.IncomingMessage>}
 */
async function open({ host, port, token }, question) {
  const { method = "GET", body, signal } = question;
  const data = body === undefined ? undefined : JSON.stringify(body);
  /** @type {http.OutgoingHttpHeaders} */
  const headers = { ...question.headers, Authorization: `Bearer ${token}` };
  if (data !== undefined) headers["Content-Type"] = "application/json";
  const options = { host, port, method, path: pathOf(question), headers, agent: false, signal };
  /** @type {http.IncomingMessage} */
  const answer = await new Promise((resolve, reject) => {
    const request = http.request(options, resolve);
    request.on("error", (error) => reject(isLost(error) ? lost(question) : error));
    request.end(data);
  });
  if ((answer.statusCode ?? 0) < 400) return answer;
  throw refusal(nameOf(question), answer.statusCode ?? 0, await textOf(answer));
}

/** @param {http.IncomingMessage} answer */
async function textOf(answer) {
  answer.setEncoding("utf8");
  let text = "";
  for await (const part of answer) text += part;
  return text;
}

/**
 * @param {string} request
 * @param {number} status
 * @param {string} text
 */
function refusal(request, status, text) {
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    body = {};
  }
  const Refusal = Array.isArray(body.validation_errors) ? SecretsRefused : ApiError;
  return new Refusal(request, status, body);
}

/** Whether the runtime ended before or while it answered. @param {unknown} error */
function isLost(error) {
  return error instanceof Error && "code" in error && LOST.has(String(error.code));
}

/** @param {Question} question */
function lost(question) {
  return new NotRunning(`The runtime ended before it answered ${nameOf(question)}.`);
}

/** @param {Question} question */
function pathOf({ path, query = {} }) {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return given.length ? `${path}?${new URLSearchParams(given)}` : path;
}

/** @param {Question} question */
function nameOf({ method = "GET", path }) {
  return `${method} ${path}`;
}

module.exports = { ask, isLost, open, textOf };
