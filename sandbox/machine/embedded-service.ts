import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import ssh2, { type AuthContext, type Connection, type ServerChannel, type Session } from "ssh2";
import type { SshService, SshServiceOptions } from "./ssh-service.ts";

function isAuthorized(context: AuthContext, lines: readonly string[]): boolean {
  if (context.method !== "publickey") return false;
  return lines.some((line) => {
    const key = ssh2.utils.parseKey(line);
    if (key instanceof Error || !key.getPublicSSH().equals(context.key.data)) return false;
    // The first request only asks whether the key would do; the second one proves it.
    if (context.signature === undefined || context.blob === undefined) return true;
    return key.verify(context.blob, context.signature, context.hashAlgo) === true;
  });
}

/** Connects a child with a channel as sshd does: the exit status when it exits, the end when nobody holds its output any more. */
function attach(child: ChildProcess, channel: ServerChannel): void {
  const { stdin, stdout, stderr } = child;
  if (!stdin || !stdout || !stderr) throw new Error("The child has no pipes.");
  channel.pipe(stdin);
  stdout.pipe(channel, { end: false });
  stderr.pipe(channel.stderr, { end: false });
  // The client may be gone, or the child may not read: sshd does not care either.
  for (const stream of [stdin, stdout, stderr, channel]) stream.on("error", () => undefined);
  child.once("exit", (code, signal) => {
    if (signal) channel.exit(signal.replace(/^SIG/, ""), false, "");
    else channel.exit(code ?? 255);
  });
  child.once("close", () => channel.stderr.end(() => channel.end()));
  channel.once("close", () => {
    for (const stream of [stdin, stdout, stderr]) stream.destroy();
  });
}

/** An SSH server in this process, for where no OpenSSH is installed. Commands run as child processes. */
export function startEmbeddedService(options: SshServiceOptions): SshService {
  const clients = new Set<Connection>();
  const children = new Set<ChildProcess>();
  const authorizedKeys: string[] = [];
  let requests = 0;

  const serve = (session: Session) => {
    const own: Record<string, string> = {};
    const start = (channel: ServerChannel, args: readonly string[]) => {
      const child = spawn("sh", args, {
        cwd: options.home,
        env: { ...own, ...options.environment },
        detached: true,
        stdio: "pipe",
      });
      children.add(child);
      child.once("exit", () => children.delete(child));
      session.on("signal", (_accept, _reject, info) => {
        const numbers: Readonly<Record<string, number>> = constants.signals;
        child.kill(numbers[`SIG${info.name}`] ?? constants.signals.SIGTERM);
      });
      attach(child, channel);
    };
    session.on("env", (accept, _reject, info) => {
      own[info.key] = info.val;
      accept?.();
    });
    session.on("pty", (accept) => accept?.());
    session.on("exec", (accept, _reject, info) => start(accept(), ["-c", info.command]));
    session.on("shell", (accept) => start(accept(), []));
  };

  const server = new ssh2.Server({ hostKeys: [options.hostPrivateKey] }, (client) => {
    clients.add(client);
    // A client that breaks off is none of the server's business.
    client.on("error", () => undefined);
    client.on("close", () => clients.delete(client));
    client.on("authentication", (context) => {
      requests += 1;
      if (isAuthorized(context, authorizedKeys)) context.accept();
      else context.reject(["publickey"]);
    });
    client.on("session", (accept) => serve(accept()));
  });

  return {
    admit: (socket) => server.injectSocket(socket),
    async authorize(publicKey) {
      authorizedKeys.push(publicKey);
    },
    authenticationRequests: () => requests,
    roots: () => [...children].flatMap((child) => (child.pid === undefined ? [] : [child.pid])),
    async stop() {
      for (const client of clients) client.end();
      const ending = [...children].filter((child) => child.exitCode === null && child.signalCode === null);
      for (const child of ending) child.kill("SIGKILL");
      await Promise.all(ending.map((child) => once(child, "exit")));
    },
  };
}
