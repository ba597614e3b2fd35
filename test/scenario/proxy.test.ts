import { createServer, request } from "node:http";
import { connect } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { annotations, judge, setStage } from "./stage.ts";

interface Proxy {
  readonly url: string;
  /** What it was asked for: `CONNECT host:port`, or `GET http://host:port/path`. */
  readonly seen: readonly string[];
  /** All that it could read besides tunnelled bytes. */
  readonly headers: readonly string[];
}

/** A proxy that forwards and tunnels to loopback, and refuses any other host with 502, as one does that cannot resolve it. */
async function startProxy(): Promise<Proxy> {
  const seen: string[] = [];
  const headers: string[] = [];
  const server = createServer((incoming, outgoing) => {
    seen.push(`${incoming.method} ${incoming.url}`);
    const forwarded = request(incoming.url ?? "", { method: incoming.method, headers: incoming.headers }, (reply) => {
      outgoing.writeHead(reply.statusCode ?? 502, reply.headers);
      reply.pipe(outgoing);
    });
    forwarded.on("error", () => outgoing.writeHead(502).end());
    incoming.pipe(forwarded);
  });
  server.on("connect", (incoming, client, head) => {
    seen.push(`CONNECT ${incoming.url}`);
    headers.push(...incoming.rawHeaders);
    client.on("error", () => undefined);
    const [host, port] = (incoming.url ?? "").split(":");
    if (host !== "127.0.0.1") {
      client.end("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n");
      return;
    }
    const tunnel = connect(Number(port), host, () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      tunnel.write(head);
      tunnel.pipe(client).pipe(tunnel);
    });
    tunnel.on("error", () => client.destroy());
    client.on("close", () => tunnel.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The proxy has no port.");
  return { url: `http://127.0.0.1:${address.port}`, seen, headers };
}

test("HTTP_PROXY: every request of main and post goes through the proxy", async () => {
  const stage = await setStage();
  const proxy = await startProxy();
  const story = await stage.play({ env: { HTTP_PROXY: proxy.url } });
  expect(story.main.conclusion).toBe("success");
  const market = new URL(stage.world.market.url).host;
  expect(proxy.seen.length).toBeGreaterThan(1);
  for (const line of proxy.seen) expect(line).toContain(market);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("NO_PROXY: the proxy sees nothing", async () => {
  const stage = await setStage();
  const proxy = await startProxy();
  const story = await stage.play({ env: { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url, NO_PROXY: "example.org,127.0.0.1" } });
  expect(story.main.conclusion).toBe("success");
  expect(proxy.seen).toEqual([]);
  expect(judge(stage, story)).toBe("nothing is left");
});

test("HTTPS_PROXY: a marketplace on https is asked for through a tunnel, and the proxy never sees the token", async () => {
  const stage = await setStage();
  const proxy = await startProxy();
  const story = await stage.play({
    env: { HTTPS_PROXY: proxy.url },
    inputs: { "api-url": "https://market.invalid/api" },
  });
  expect(story.main.exitCode).toBe(1);
  expect(annotations(story.main, "error")).toContain("market.invalid");
  expect(new Set(proxy.seen)).toEqual(new Set(["CONNECT market.invalid:443"]));
  expect(proxy.headers.join("\n")).not.toContain(stage.world.market.token);
  expect(judge(stage, story)).toBe("nothing is left");
});
