import type { Clock } from "../lease/clock.ts";
import type { Log } from "../lease/log.ts";
import { download } from "./download.ts";
import { execute } from "./execute.ts";
import type { Machine } from "./machine.ts";
import type { Connection } from "./remote-process.ts";
import { runScript } from "./run-script.ts";
import { upload } from "./upload.ts";

/** All that can be done with a machine, over one connection to it. */
export function machineOver(connection: Connection, world: { readonly clock: Clock; readonly log: Log }): Machine {
  return {
    hostPublicKey: connection.hostPublicKey,
    lost: connection.lost,
    close: () => connection.close(),
    exec: (command, options = {}) => execute(connection, command, options, world.clock),
    run: (script, sink, signal) => runScript(connection, script, sink, signal, world.clock),
    upload: (transfer, ignore, signal) => upload(connection, transfer, ignore, signal, world),
    download: (transfer, signal) => download(connection, transfer, signal, world),
  };
}
