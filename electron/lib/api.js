"use strict";
// Written by packaging/pages.py from the control API's Structs: change nothing here.

/**
 * A way for one browser into the dashboard, once.
 *
 * @typedef {Object} DashboardCode
 * @property {string} code
 * @property {string} path where a browser takes it, code and all
 * @property {number} expires_in_s
 */

/**
 * One telemetry event.
 *
 * @typedef {Object} Event
 * @property {string} ts RFC 3339, UTC, milliseconds
 * @property {number} seq
 * @property {"runtime_start" | "bundle_validation" | "ready" | "runtime_shutdown" | "runtime_died" | "runtime_error" | "system_resumed" | "slow_turn" | "app_data_removed" | "state_set_aside" | "telemetry_dropped" | "guardian_replaced" | "guardian_failed" | "ipc_port_reassigned" | "service_start" | "service_start_failed" | "service_ready" | "service_not_ready" | "unhealthy" | "service_exit" | "service_killed" | "restart" | "backoff" | "gave_up" | "service_blocked" | "secrets_missing" | "log_match_given_up" | "playwright_chromium_fallback" | "port_assigned" | "port_reassigned" | "port_answered_by_other" | "files_changed" | "bundle_changed" | "api_request" | "secrets_updated" | "gpu_status" | "gpu_details" | "gpu_details_unknown" | "gpu_required_missing" | "gpu_fallback_cpu" | "gpu_optional_unavailable" | "app_downgraded" | "migration_start" | "migration_applied" | "migration_failed" | "migration_snapshot_taken" | "migration_snapshot_skipped" | "migration_rolled_back" | "asset_missing" | "asset_is_directory" | "asset_unreadable" | "asset_size_exceeded" | "asset_size_suspicious" | "checksum_mismatch" | "checksum_malformed" | "asset_size_warning"} event runtime_start: the runtime starts the bundle; bundle_validation: what was found wrong with the manifest as it was started; ready: all services are ready for the first time; runtime_shutdown: the orderly stop is over; runtime_died: the runtime died without one; the guardian has ended what it left; runtime_error: an error of ours; system_resumed: the system slept; slow_turn: the loop was held up; app_data_removed: app-data was removed; our files are back; state_set_aside: a file of ours could not be used; telemetry_dropped: events are missing here; guardian_replaced: the guardian died; another one guards; guardian_failed: a guardian could not be started, or has not answered; ipc_port_reassigned: the manifest's control port is taken or reserved; service_start: its process runs; service_start_failed: it could not be started; service_ready: it is ready; service_not_ready: it did not become ready; unhealthy: its health check failed too often in a row; service_exit: its leader has ended; service_killed: it did not stop in time, and is killed; restart: it will be restarted; backoff: it pauses before that; gave_up: it has failed for good; service_blocked: it waits for what will not come; secrets_missing: it waits for secrets; log_match_given_up: its log is searched no longer; playwright_chromium_fallback: it gets Electron's Chromium; port_assigned: it gets a port that was not to be had when the runtime started; port_reassigned: a port that it was given is taken, or reserved, as it is started; port_answered_by_other: another program listens on its port; files_changed: files of it have changed, and it is restarted (`run --watch`); bundle_changed: bundle.json or an overlay has changed (noticed by `run --watch`, else when a service is started or restarted by command); the runtime goes on with what it has read; api_request: somebody asks for a command, new secrets, a way into the dashboard, or the end; secrets_updated: secrets got other values; gpu_status: whether there is a GPU; gpu_details: which GPU it is; gpu_details_unknown: that is not to be had; gpu_required_missing: there is no GPU for it; gpu_fallback_cpu: there is no GPU for it; gpu_optional_unavailable: there is no GPU for it; app_downgraded: the app is older than its data; migration_start: a migration begins; migration_applied: it has succeeded; migration_failed: it has failed; migration_snapshot_taken: its data was copied before; migration_snapshot_skipped: there is no way back; migration_rolled_back: its data is what it was before; asset_missing: an asset's file is not there; asset_is_directory: an asset with a sum is a folder; asset_unreadable: an asset's file cannot be read; asset_size_exceeded: an asset is larger than its size_bytes allows; asset_size_suspicious: an asset is under half of its size_bytes; checksum_mismatch: an asset's SHA-256 is not the stated one; checksum_malformed: an asset's sha256 is not 64 hexadecimal digits, so it is not checked; asset_size_warning: an asset is slightly larger than its size_bytes
 * @property {string} [service_id]
 * @property {Record<string, unknown>} [details]
 */

/**
 * Telemetry events in order; ask for the next ones with ``after=next``.
 *
 * @typedef {Object} EventPage
 * @property {(Event)[]} events
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
 * @property {string} [file]
 * @property {string} [path]
 * @property {string} message
 */

/**
 * How far the start of the bundle is.
 *
 * @typedef {Object} Progress
 * @property {number} fraction 0 to 1: a share of time; 1 once all is ready, and it never goes back before
 * @property {number} done how many services are ready
 * @property {number} total how many there are, without those that are skipped
 * @property {(Work)[]} [working_on] the services on their way, those that wait for others or for secrets last
 * @property {number | null} [remaining_s] until all is ready, where that can be foreseen from earlier starts
 * @property {string | null} [slowest] the service that something has been done for longest
 * @property {string | null} [last_line] the last line of its log in this start; secrets are hidden
 */

/**
 * Whether every service that is not skipped is ready.
 *
 * @typedef {Object} Readiness
 * @property {boolean} ready
 * @property {Record<string, ServiceDetail>} details
 * @property {Gpu} gpu
 * @property {Progress} progress
 * @property {number} version of this answer; ?change=1&after= it waits for a later one
 */

/**
 * A secret of the bundle; never its value. While it is ``pending`` the key store is asked.
 *
 * @typedef {Object} Secret
 * @property {string} id
 * @property {string} class
 * @property {boolean} required
 * @property {boolean} has_value
 * @property {boolean} [pending]
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
 * Nothing has been stored, and why: for each value, where the body itself can be read.
 *
 * @typedef {Object} SecretsError
 * @property {string} error a sentence
 * @property {string} code snake_case, for programs
 * @property {(SecretError)[]} [validation_errors]
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
 * @property {string} [note] that the bundle was changed since the start, without effect
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
 * @property {(string)[]} [output] what it wrote around the reason of its last failure, by lines
 */

/**
 * One service in ``/status``; CPU and memory are those of its whole process tree.
 *
 * @typedef {Object} ServiceStatus
 * @property {string} id
 * @property {State} state
 * @property {number} cpu_percent 100 is one core; of a process that several pages share, an equal part each
 * @property {number} rss_bytes of a process that several pages share, an equal part each
 * @property {number} restarts
 * @property {number} uptime_s
 * @property {string} message
 * @property {boolean} [skipped]
 * @property {number} [pid]
 * @property {Record<string, number>} [ports]
 * @property {number} [ready_after_s] from its start
 * @property {(string)[]} [waiting_for]
 * @property {(string)[]} [output] what it wrote around the reason of its last failure, by lines
 * @property {(string)[]} [dependencies]
 */

/**
 * One service's first start. Milliseconds since exec; None: has not happened.
 *
 * @typedef {Object} Span
 * @property {string} id
 * @property {(string)[]} [dependencies]
 * @property {number} [waiting_ms]
 * @property {(Step)[]} [preparation]
 * @property {number | null} [spawned_ms]
 * @property {number | null} [output_ms]
 * @property {number | null} [listening_ms]
 * @property {number | null} [ready_ms]
 * @property {boolean} [critical]
 */

/** The state of a service as it is shown: written by the supervisor only. @typedef {"backoff" | "failed" | "inactive" | "ready" | "starting" | "stopped" | "stopping" | "unhealthy" | "waiting"} State */

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
 * One preparation before a service is spawned. Milliseconds since exec.
 *
 * @typedef {Object} Step
 * @property {string} what
 * @property {number} begin_ms
 * @property {number} end_ms
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

/**
 * A service on its way to be ready, and what is done for it right now.
 *
 * @typedef {Object} Work
 * @property {string} service
 * @property {"assets" | "dependencies" | "migration" | "probing" | "restarting" | "secrets" | "spawning"} phase
 * @property {string} text in a few words: its own, a migration's name, or what stands in the way
 * @property {number} elapsed_s since its start was begun; 0 while it waits for others
 * @property {number | null} [usual_s] what its start takes in the median of earlier ones
 * @property {number | null} [fraction] 0 to 1: how far that is, where somebody says so
 * @property {number | null} [remaining_s] what it still needs by itself, where that can be foreseen
 */

module.exports = {};
