"use strict";
// Written by scripts/api-types.js from the runtime's /openapi.json: change nothing here.

/**
 * Telemetry events in order; ask for the next ones with ``after=next``.
 *
 * @typedef {Object} EventPage
 * @property {(unknown)[]} events
 * @property {number} next
 * @property {number} missed events that are no longer kept
 */

/**
 * What is known about the GPU.
 *
 * @typedef {Object} Gpu
 * @property {boolean} available
 * @property {string} method
 * @property {string} reason
 * @property {Record<string, string>} requirements
 * @property {string} [name]
 * @property {string} [driver]
 */

/**
 * Whether the supervisor answers, and how the bundle is.
 *
 * @typedef {Object} Health
 * @property {"degraded" | "failed" | "ok" | "stopping"} status
 * @property {number} services
 * @property {string} runtime
 */

/**
 * An asset that is not what the manifest says.
 *
 * @typedef {Object} InvalidChecksum
 * @property {string} service_id
 * @property {string} path
 * @property {string} expected
 * @property {string} actual
 */

/**
 * An asset that is not there.
 *
 * @typedef {Object} MissingAsset
 * @property {string} service_id
 * @property {string} path
 */

/**
 * A binary of the current platform that is not there.
 *
 * @typedef {Object} MissingBinary
 * @property {string} service_id
 * @property {string} platform
 * @property {string} path
 */

/**
 * The ports in force of the services that have any.
 *
 * @typedef {Object} Ports
 * @property {Record<string, Record<string, number>>} services
 * @property {string} [apiBase]
 */

/**
 * One finding about the bundle.
 *
 * @typedef {Object} Problem
 * @property {string} code
 * @property {string} [service]
 * @property {string} [path]
 * @property {string} message
 */

/**
 * Whether every service that is not skipped is ready.
 *
 * @typedef {Object} Readiness
 * @property {boolean} ready
 * @property {Record<string, ServiceDetail>} details
 * @property {Gpu} gpu
 */

/**
 * A secret of the bundle; never its value.
 *
 * @typedef {Object} Secret
 * @property {string} id
 * @property {string} class
 * @property {boolean} required
 * @property {boolean} has_value
 * @property {string} [description]
 * @property {string} [format]
 * @property {SecretPrompt} [prompt]
 */

/**
 * Why one value was refused.
 *
 * @typedef {Object} SecretError
 * @property {string} id
 * @property {string} message
 */

/**
 * What a shell shows when it asks for the secret.
 *
 * @typedef {Object} SecretPrompt
 * @property {string} label
 * @property {string} [description]
 * @property {string} [hint]
 */

/**
 * Values for secrets, by id; every value is a string.
 *
 * @typedef {Object} SecretValues
 * @property {Record<string, unknown>} secrets
 */

/**
 * The secrets of the bundle.
 *
 * @typedef {Object} Secrets
 * @property {(Secret)[]} secrets
 */

/**
 * Nothing has been stored, and why.
 *
 * @typedef {Object} SecretsError
 * @property {string} error a sentence
 * @property {string} code snake_case, for programs
 * @property {(SecretError)[]} validation_errors
 */

/**
 * A command to a service was accepted; ``done`` only where the client asked to wait.
 *
 * @typedef {Object} ServiceCommand
 * @property {string} id
 * @property {State} state
 * @property {string} message
 * @property {(string)[]} affected
 * @property {boolean} [done]
 */

/**
 * One service in ``/readyz``.
 *
 * @typedef {Object} ServiceDetail
 * @property {boolean} ready
 * @property {boolean} [skipped]
 * @property {string} message
 * @property {number} [exit_code]
 * @property {string} [started_at] RFC 3339, UTC, milliseconds
 * @property {string} [ready_at] RFC 3339, UTC, milliseconds
 * @property {string} updated_at RFC 3339, UTC, milliseconds
 * @property {State} state
 * @property {number} restarts
 * @property {number} [pid]
 * @property {(string)[]} [waiting_for]
 */

/**
 * One service in ``/status``; CPU and memory are those of its whole process tree.
 *
 * @typedef {Object} ServiceStatus
 * @property {string} id
 * @property {State} state
 * @property {number} cpu_percent 100 is one core
 * @property {number} rss_bytes
 * @property {number} restarts
 * @property {number} uptime_s
 * @property {string} message
 * @property {boolean} [skipped]
 * @property {number} [pid]
 * @property {Record<string, number>} [ports]
 * @property {number} [ready_after_s] from its start
 * @property {(string)[]} [waiting_for]
 */

/**
 * One service's first start. Milliseconds since exec; None: has not happened.
 *
 * @typedef {Object} Span
 * @property {string} id
 * @property {(string)[]} [dependencies]
 * @property {number} [waiting_ms]
 * @property {number | null} [spawned_ms]
 * @property {number | null} [output_ms]
 * @property {number | null} [listening_ms]
 * @property {number | null} [ready_ms]
 * @property {boolean} [critical]
 */

/** The state of a service: one enum, written by its actor only. @typedef {"backoff" | "failed" | "inactive" | "ready" | "starting" | "stopped" | "stopping" | "unhealthy" | "waiting"} State */

/**
 * The instance and its services.
 *
 * @typedef {Object} Status
 * @property {string} instance_id
 * @property {string} started_at RFC 3339, UTC, milliseconds
 * @property {string} app_data_dir
 * @property {string} bundle_root
 * @property {boolean} dry_run
 * @property {string} manifest_hash
 * @property {string} manifest_schema
 * @property {string} target
 * @property {string} app_name
 * @property {string} app_version
 * @property {string} ipc_host
 * @property {number} ipc_port
 * @property {string} runtime_version
 * @property {string} build_version
 * @property {number} uptime_s
 * @property {number} pid
 * @property {(ServiceStatus)[]} services
 * @property {(Swap)[]} [swaps]
 */

/**
 * The orderly stop has begun.
 *
 * @typedef {Object} Stopping
 * @property {"stopping"} [status]
 */

/**
 * All of it has been stored.
 *
 * @typedef {Object} Stored
 * @property {"ok"} [status]
 */

/**
 * A dependency that the packager replaced.
 *
 * @typedef {Object} Swap
 * @property {string} original
 * @property {string} replacement
 * @property {string} [reason]
 * @property {string} [limitations]
 */

/**
 * Where the telemetry is written, and where the shell may send it.
 *
 * @typedef {Object} Telemetry
 * @property {string} path
 * @property {string} upload_url
 */

/**
 * One start of the runtime. Milliseconds since exec.
 *
 * @typedef {Object} Timeline
 * @property {string} instance_id
 * @property {string} started_at
 * @property {string} app_version
 * @property {number | null} [ready_ms]
 * @property {string} [summary]
 * @property {Record<string, number>} [runtime]
 * @property {(Span)[]} [services]
 */

/**
 * What took how long in this start, and in earlier ones if they were asked for.
 *
 * @typedef {Object} Timelines
 * @property {Timeline} timeline
 * @property {(Timeline)[]} [earlier]
 */

/**
 * All the problems of the bundle; ``valid`` when there is no error.
 *
 * @typedef {Object} Validation
 * @property {boolean} valid
 * @property {(Problem)[]} [errors]
 * @property {(Problem)[]} [warnings]
 * @property {(MissingBinary)[]} [missing_binaries]
 * @property {(MissingAsset)[]} [missing_assets]
 * @property {(InvalidChecksum)[]} [invalid_checksums]
 */

module.exports = {};
