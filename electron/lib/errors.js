"use strict";
// What can go wrong between a shell and its runtime. Every message is a sentence for a person.

/** Any error of this package; `code` is for programs. */
class BundlevisorError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.name = new.target.name;
    this.code = code;
  }
}

/** There is no runtime, or no bundle, where it is looked for; `looked` names the places. */
class NotFound extends BundlevisorError {
  /**
   * @param {string} message
   * @param {readonly string[]} looked
   */
  constructor(message, looked) {
    super("not_found", message);
    this.looked = looked;
  }
}

/** The shell passed an option that there is not, or a value that it does not take. */
class InvalidOption extends BundlevisorError {
  /** @param {string} message */
  constructor(message) {
    super("invalid_option", message);
  }
}

/** How a process ended: one of both is null, both are when it could not even be started. */
/** @typedef {{code: number | null, signal: NodeJS.Signals | null}} Exit */

/** The runtime ended, or said nothing, before it listened; `log` is what it wrote to stderr. */
class StartFailed extends BundlevisorError {
  /**
   * @param {string} message
   * @param {Exit} exit
   * @param {readonly string[]} log
   */
  constructor(message, exit, log) {
    super("start_failed", message);
    this.exit = exit;
    this.log = log;
  }
}

/** Another instance of the application holds the app-data and is not about to let it go. */
class AlreadyRunning extends BundlevisorError {
  /** @param {string} message */
  constructor(message) {
    super("already_running", message);
  }
}

/**
 * Nobody answers: the runtime is being started anew (`not_running`) or has ended for good
 * (`ended`).
 */
class NotRunning extends BundlevisorError {
  /**
   * @param {string} message
   * @param {"not_running" | "ended"} [code]
   */
  constructor(message, code = "not_running") {
    super(code, message);
  }
}

/** The control API refused a request; `code` is its own snake_case word. */
class ApiError extends BundlevisorError {
  /**
   * @param {string} request the method and the path, without the token
   * @param {number} status
   * @param {{error?: string, code?: string}} body
   */
  constructor(request, status, body) {
    super(body.code ?? "refused", `${request}: ${body.error ?? `HTTP status ${status}`}`);
    this.status = status;
  }
}

/** Values of secrets were refused, and nothing was stored; `problems` has a message for each. */
class SecretsRefused extends ApiError {
  /**
   * @param {string} request
   * @param {number} status
   * @param {{error?: string, code?: string, validation_errors: {id: string, message: string}[]}}
   *   body
   */
  constructor(request, status, body) {
    super(request, status, body);
    this.problems = body.validation_errors;
  }
}

/**
 * Services have failed for good, so that readiness will not come by itself; `reasons` has a sentence
 * for each of `services`.
 */
class NotReady extends BundlevisorError {
  /**
   * @param {string} message
   * @param {readonly string[]} services their ids
   * @param {readonly string[]} [reasons]
   */
  constructor(message, services, reasons = [message]) {
    super("not_ready", message);
    this.services = services;
    this.reasons = reasons;
  }
}

module.exports = {
  AlreadyRunning,
  ApiError,
  BundlevisorError,
  InvalidOption,
  NotFound,
  NotReady,
  NotRunning,
  SecretsRefused,
  StartFailed,
};
