import { createServer, type Socket } from "node:net";

/** The machine's SSH port, which can be closed, opened late, and slammed. */
export interface FrontDoor {
  readonly port: number;
  /** Connections that were let in so far. */
  visits(): number;
  open(): Promise<void>;
  /** Cuts every open connection, without a word. */
  slam(): void;
  close(): Promise<void>;
}

function listen(server: ReturnType<typeof createServer>, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      const address = server.address();
      resolve(typeof address === "object" && address ? address.port : 0);
    });
  });
}

/** A port of loopback that nothing listens on at this moment. */
export async function findFreePort(): Promise<number> {
  const probe = createServer();
  const port = await listen(probe, 0);
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  return port;
}

/** Chooses a port and keeps it shut until `open`. Each connection goes to `admit`; it is cut `cutAfterMs` later where that is given. */
export async function buildFrontDoor(admit: (socket: Socket) => void, cutAfterMs?: number): Promise<FrontDoor> {
  const port = await findFreePort();
  const sockets = new Set<Socket>();
  let visits = 0;
  let closed = false;
  const server = createServer({ noDelay: true }, (socket) => {
    visits += 1;
    sockets.add(socket);
    const timer = cutAfterMs === undefined ? undefined : setTimeout(() => socket.destroy(), cutAfterMs);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => {
      clearTimeout(timer);
      sockets.delete(socket);
    });
    admit(socket);
  });
  const slam = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port,
    visits: () => visits,
    async open() {
      if (!closed) await listen(server, port);
    },
    slam,
    async close() {
      closed = true;
      slam();
      if (server.listening) await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
