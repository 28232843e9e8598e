import {
  NotReady,
  Runtime,
  start,
  type Progress,
  type StartOptions,
  type TelemetryEvent,
} from "bundlevisor";
import {
  Splash,
  promptForSecrets,
  runApplication,
  type ApplicationOptions,
} from "bundlevisor/electron";

const options: StartOptions = {
  manifest: "bundle.json",
  restart: { intensity: 2 },
};
declare const runtime: Runtime;
void start(options);

export const failed = (error: unknown): error is NotReady =>
  error instanceof NotReady;

async function main() {
  const progress: Progress = await runtime.waitUntilReady({
    show: ({ done, total }) => console.log(done / total),
  });
  for await (const event of runtime.events({ after: "latest" })) {
    const known: TelemetryEvent = event;
    console.log(known.service_id?.length);
  }
  const text: string = await runtime.logTail("api", { lines: 10 });
  const cpu: number | undefined = (await runtime.status()).services[0]
    ?.cpu_percent;
  const off: () => void = runtime.on("ended", ({ expected }) =>
    console.log(!expected),
  );
  const splash = new Splash({ log: () => text });
  splash.show(progress);
  const stored: boolean = await promptForSecrets(runtime, {
    ids: ["key"],
    parent: splash.window,
  });
  const application: ApplicationOptions = {
    page: "web",
    telemetry: { agreed: () => stored },
  };
  runApplication(application)?.quitAndInstall(
    { quitAndInstall: (silent: boolean) => void silent },
    true,
  );
  if (cpu === undefined) off();

  // @ts-expect-error lines is a number
  void runtime.logTail("api", { lines: "10" });
  // @ts-expect-error there is no such event
  runtime.on("finished", () => {});
  // @ts-expect-error which page is to be shown?
  runApplication({});
}

void main();
