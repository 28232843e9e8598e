"use strict";
// npm run api: writes lib/api.js, the types of the control API's answers, as JSDoc, from the runtime's
// own description. The runtime is the one that BUNDLEVISOR names, or that on PATH.

const { mkdtempSync, rmSync, writeFileSync } = require("node:fs");
const os = require("node:os");
const path = require("node:path");

/**
 * @typedef {{
 *   $ref?: string, type?: string | string[], enum?: unknown[], anyOf?: Schema[], items?: Schema,
 *   properties?: Record<string, Schema>, required?: string[], description?: string,
 *   additionalProperties?: Schema | boolean, default?: unknown, title?: string,
 * }} Schema
 */

/** @type {Record<string, string>} */
const WORDS = { integer: "number", number: "number", string: "string", boolean: "boolean", null: "null" };

/** @param {Schema | undefined} schema @returns {string} */
function typeOf(schema) {
  if (!schema) return "unknown";
  if (schema.$ref) return schema.$ref.split("/").at(-1) ?? "unknown";
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(" | ");
  if (Array.isArray(schema.type)) return schema.type.map((type) => typeOf({ ...schema, type })).join(" | ");
  if (schema.type === "array") return `(${typeOf(schema.items)})[]`;
  if (schema.type !== "object") return WORDS[schema.type ?? ""] ?? "unknown";
  const values = schema.additionalProperties;
  return `Record<string, ${values && values !== true ? typeOf(values) : "unknown"}>`;
}

/** @param {string | undefined} text */
function said(text) {
  return (text ?? "").replace(/\s+/g, " ").replaceAll("*/", "* /").trim();
}

/** @param {string} name @param {Schema} schema */
function typedef(name, schema) {
  if (!schema.properties) return `/** ${said(schema.description)} @typedef {${typeOf(schema)}} ${name} */`;
  const required = new Set(schema.required);
  const lines = Object.entries(schema.properties).map(([key, value]) => {
    const field = required.has(key) ? key : `[${key}]`;
    return ` * @property {${typeOf(value)}} ${field} ${said(value.description)}`.trimEnd();
  });
  return ["/**", ` * ${said(schema.description)}`, " *", ` * @typedef {Object} ${name}`, ...lines, " */"].join("\n");
}

/** @param {{components: {schemas: Record<string, Schema>}}} openapi */
function render(openapi) {
  const head = [
    '"use strict";',
    "// Written by scripts/api-types.js from the runtime's /openapi.json: change nothing here.",
  ];
  const types = Object.entries(openapi.components.schemas)
    .filter(([name]) => name !== "Error") // it would hide JavaScript's own; see errors.js
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, schema]) => typedef(name, schema));
  return [head.join("\n"), ...types, "module.exports = {};"].join("\n\n") + "\n";
}

/** The runtime's description of its API. */
async function describe() {
  const { start } = require("../lib");
  const folder = mkdtempSync(path.join(os.tmpdir(), "bundlevisor-api-"));
  const manifest = path.join(folder, "bundle.json");
  const bundle = {
    schema_version: "v0.1",
    target: "desktop",
    app: { name: "Types", version: "1.0.0" },
    ipc: { mode: "loopback-http", host: "127.0.0.1", port: 0, auth_token_path: "token" },
    telemetry: { file: "events.jsonl" },
    services: [{ id: "none", type: "worker", binaries: {} }],
  };
  writeFileSync(manifest, JSON.stringify(bundle));
  try {
    const runtime = await start({ manifest, appData: path.join(folder, "data"), args: ["--dry-run"] });
    const openapi = await runtime.openapi();
    await runtime.stop();
    return /** @type {{components: {schemas: Record<string, Schema>}}} */ (openapi);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function main() {
  writeFileSync(path.join(__dirname, "..", "lib", "api.js"), render(await describe()));
}

if (require.main === module) void main();

module.exports = { render };
