// The same for `import`: one copy of the package serves both.
export {
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
} from "./index.js";
