// The same for `import`: one copy of the package serves both.
export {
  AlreadyRunning,
  ApiError,
  BundlevisorError,
  Client,
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
} from "./index.js";
