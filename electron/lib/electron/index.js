"use strict";
// What an Electron application needs beside the runtime. Main process only.

const { Application, runApplication } = require("./application");
const { start } = require("./defaults");
const { WEB_PREFERENCES, grantOnly, lockDown } = require("./lockdown");
const { PageWindow } = require("./page_window");
const { Quitting } = require("./quitting");
const { promptForSecrets } = require("./secrets");
const { Splash } = require("./splash");
const { uploadTelemetry } = require("../upload");

/** @typedef {import("./application").ApplicationOptions} ApplicationOptions */
/** @typedef {import("./secrets").PromptOptions} PromptOptions */
/** @typedef {import("./splash").Choice} Choice */
/** @typedef {import("./splash").SplashOptions} SplashOptions */
/** @typedef {import("../upload").UploadOptions} UploadOptions */

module.exports = {
  Application,
  PageWindow,
  Quitting,
  Splash,
  WEB_PREFERENCES,
  grantOnly,
  lockDown,
  promptForSecrets,
  runApplication,
  start,
  uploadTelemetry,
};
