"""What ``bundlevisor --help`` says, and what a wrong command line is shown."""

from __future__ import annotations

USAGE = """\
usage: bundlevisor run [--manifest FILE] [flags]     start, watch, restart, stop
       bundlevisor [-manifest FILE] [flags]          the same, as a dry run unless -dry-run=false
       bundlevisor COMMAND [flags]                   ask a running instance
"""
TOP = f"""\
bundlevisor runs the services of a desktop bundle.

{USAGE}
run
  --manifest FILE      the bundle (bundle.json)
  --app-data DIR       where the application keeps its data (from the app's name)
  --bundle-root DIR    where the bundle's files are (the manifest's folder)
  --dry-run[=BOOL]     control API and validation only: no service is started
  --keep-running       live on when the process that started the runtime ends
  --verify HOW         assets that were verified before: cached or full (cached)
  --overlay FILE       changes the bundle for this run; may be given again
  --watch              restart services whose files have changed

ask (all take --app-data DIR or --manifest FILE to say which instance; --json where it helps)
  status               every service: state, restarts, pid, ports, and what it waits for; --watch
  top                  the same on a screen, with processor time, memory, and keys
  health               how the bundle is, in one word
  ready                whether all services are ready; --wait SECONDS
  ports                where the services listen
  port ID              one of them: [--port-name NAME]
  logs [ID…]           the last lines of services: [-f] [--lines N] [--since 5m] [--grep RE]
                       [--previous] [--timestamps] [--json] [--raw]
  events               what happened: [-f] [--service ID] [--after SEQ|latest] [--lines N]
  start, stop, restart ID [--wait SECONDS]
  exec ID -- COMMAND…  a command in the environment of a service
  shutdown             the orderly stop of everything; --wait [SECONDS]
  secrets list         which secrets the bundle has
  secrets set ID       give one its value: typed unseen, or --stdin
  telemetry            where the events are written
  explain ID           why it is in this state, back to the root cause
  dashboard            a page with all of it, in the browser; --no-open prints its address
  timeline             what took how long from exec to ready; --svg FILE|-, --blame,
                       --compare, --otlp [URL]

without an instance
  init [DIR]           a folder with a bundle that runs at once: [--language python|node]
  validate             all the problems of a bundle and its files: [--manifest FILE]
                       [--overlay FILE] [--bundle-root DIR] [--app-data DIR]
                       [--verify cached|full]
  config [ID…]         what would be started, with which environment; [--json]
  graph                which services need which: [--mermaid|--dot]
                       (both take what validate takes)
  support              one file for whoever is to help: manifest, status, events, logs, versions
                       (works with and without an instance): [--output FILE]
  completion SHELL     a script for bash, zsh, fish or powershell
  schema [--strict]    the JSON Schema of bundle.json; strict: for editors
  version              also --version
  help [COMMAND]       also --help

exit codes
  0 ok   1 the answer is no (not ready, failed, refused, not valid)   2 usage or manifest errors
  3 another instance runs on the app-data   4 no running instance found
  5 the instance did not answer, or refused the token   130 interrupted
"""
