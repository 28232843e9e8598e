"use strict";
// What a shell needs of the runtime, without anything of Electron.

const { Client } = require("./client");
const {
  AlreadyRunning,
  ApiError,
  BundlevisorError,
  InvalidOption,
  NotFound,
  NotReady,
  NotRunning,
  SecretsRefused,
  StartFailed,
} = require("./errors");
const { locateManifest, locateRuntime } = require("./locate");
const { folderNames } = require("./platform");
const { progressOf } = require("./progress");
const { Runtime } = require("./runtime");
const { prepare, start } = require("./start");
const { uploadTelemetry } = require("./upload");

/** @typedef {import("./events").TelemetryEvent} TelemetryEvent */
/** @typedef {import("./progress").Progress} Progress */
/** @typedef {import("./text").LogLine} LogLine */
/** @typedef {import("./progress").Awaited} Awaited */
/** @typedef {import("./restarts").RestartBound} RestartBound */
/** @typedef {import("./runtime").Ended} Ended */
/** @typedef {import("./runtime").RuntimeEvents} RuntimeEvents */
/** @typedef {import("./start").StartOptions} StartOptions */
/** @typedef {import("./upload").UploadOptions} UploadOptions */

module.exports = {
  AlreadyRunning,
  ApiError,
  BundlevisorError,
  Client,
  InvalidOption,
  NotFound,
  NotReady,
  NotRunning,
  Runtime,
  SecretsRefused,
  StartFailed,
  folderNames,
  locateManifest,
  locateRuntime,
  prepare,
  progressOf,
  start,
  uploadTelemetry,
};
