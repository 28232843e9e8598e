"use strict";
// node scripts/api-types.js OPENAPI_JSON > lib/api.js
// Writes the types of the control API's answers, as JSDoc, from the runtime's own description.

const { readFileSync } = require("node:fs");

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

if (require.main === module) {
  process.stdout.write(render(JSON.parse(readFileSync(process.argv[2] ?? "", "utf8"))));
}

module.exports = { render };
