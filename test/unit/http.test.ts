import { createServer, type IncomingMessage, request as openRequest, type ServerResponse } from "node:http";
import { connect, type Server, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { MarketFailure } from "../../src/lease/failure.ts";
import { type HttpRequest, openHttp, UnreachableFailure } from "../../src/market/http.ts";
import { keptLog } from "../kept-log.ts";

const closers: (() => Promise<void> | void)[] = [];
beforeEach(() => {
  for (const name of ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"]) {
    vi.stubEnv(name, undefined);
    vi.stubEnv(name.toLowerCase(), undefined);
  }
});
afterEach(async () => {
  vi.unstubAllEnvs();
  for (const close of closers.splice(0).reverse()) await close();
});

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server does not listen on a port.");
  return address.port;
}

type Answer = (response: ServerResponse, message: IncomingMessage) => void;

/** A server on loopback that answers its requests in turn, the last answer again and again; `seen` are their methods and paths. */
async function listen(...answers: Answer[]) {
  const seen: string[] = [];
  const bodies: string[] = [];
  const headers: IncomingMessage["headers"][] = [];
  const server = createServer(async (message, response) => {
    seen.push(`${message.method} ${message.url}`);
    headers.push(message.headers);
    const answer = answers[seen.length - 1] ?? answers.at(-1);
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(Buffer.from(chunk));
    bodies.push(Buffer.concat(chunks).toString());
    answer?.(response, message);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const port = portOf(server);
  return { server, seen, bodies, headers, port, url: `http://127.0.0.1:${port}` };
}

/** A proxy on loopback that passes on what it is asked for; `passed` are the hosts that it was asked to reach. */
async function startProxy() {
  const passed: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((message, response) => {
    const target = new URL(message.url ?? "");
    passed.push(target.host);
    const onward = openRequest(target, { method: message.method, headers: message.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    message.pipe(onward);
  });
  server.on("connect", (message, client) => {
    passed.push(message.url ?? "");
    const { hostname, port } = new URL(`http://${message.url}`);
    if (hostname !== "127.0.0.1") {
      client.end("HTTP/1.1 403 Forbidden\r\n\r\n");
      return;
    }
    const onward = connect(Number(port), hostname, () => {
      client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      onward.pipe(client).pipe(onward);
    });
    sockets.add(onward);
  });
  server.on("connection", (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const port = portOf(server);
  return { passed, url: `http://127.0.0.1:${port}` };
}

function open(baseUrl: string) {
  const log = keptLog();
  const http = openHttp({ baseUrl, secret: "secret-token", authorise: (secret) => ({ authorization: `Bearer ${secret}` }), log });
  closers.push(() => http.close());
  return { ...http, log };
}

const json =
  (body: unknown, status = 200, headers: Record<string, string> = {}): Answer =>
  (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify(body));
  };
const hang: Answer = () => undefined;
const cut: Answer = (_response, message) => message.socket.resetAndDestroy();
const cutInBody: Answer = (response) => {
  response.writeHead(200, { "content-length": "1000" });
  response.write('{"half":', () => response.destroy());
};

const read: HttpRequest = { kind: "read", method: "GET", path: "/offers/1?x=2" };
const query: HttpRequest = {
  kind: "query",
  method: "POST",
  path: "/get_offers",
  body: { type: "application/yaml", text: "a: 1\n" },
};
const erase: HttpRequest = { kind: "erase", method: "DELETE", path: "/resources/1" };
const purchase: HttpRequest = {
  kind: "purchase",
  method: "POST",
  path: "/procure_offer",
  body: { type: "application/json", text: "{}" },
};

describe("a request", () => {
  test("goes below the base URL with its headers and body, and its answer comes back as it was", async () => {
    const server = await listen(json({ ok: true }, 201));
    const http = open(`${server.url}/v1/`);
    expect(await http.send(query)).toMatchObject({ status: 201, json: { ok: true }, text: '{"ok":true}' });
    expect(server.seen).toEqual(["POST /v1/get_offers"]);
    expect(server.bodies).toEqual(["a: 1\n"]);
    expect(server.headers[0]).toMatchObject({
      authorization: "Bearer secret-token",
      "content-type": "application/yaml",
      accept: "application/json",
      "user-agent": "gpu-provision",
    });
  });

  test("statuses are for the caller, and what is not JSON is undefined", async () => {
    const server = await listen((response) => response.writeHead(404).end("<html>not here</html>"));
    expect(await open(server.url).send(read)).toEqual({ status: 404, json: undefined, text: "<html>not here</html>" });
  });

  test("an answer that repeats the token is read without it", async () => {
    const server = await listen(json({ detail: "Unknown token secret-token" }, 401));
    expect(await open(server.url).send(read)).toMatchObject({
      json: { detail: "Unknown token ***" },
      text: '{"detail":"Unknown token ***"}',
    });
  });

  test.each([
    ["429", read, json({}, 429)],
    ["503", read, json({}, 503)],
    ["503", query, json({}, 503)],
    ["a cut connection", read, cut],
    ["a cut connection", query, cut],
  ] as const)("that may be repeated is, after %s", async (_why, request, trouble) => {
    const server = await listen(trouble, json({ ok: true }));
    expect(await open(server.url).send(request)).toMatchObject({ status: 200, json: { ok: true } });
    expect(server.seen).toHaveLength(2);
    expect(new Set(server.bodies).size).toBe(1);
  });

  test("that is repeated in vain gives the last answer", async () => {
    const server = await listen(json({ detail: "down" }, 503));
    expect(await open(server.url).send(read)).toMatchObject({ status: 503, json: { detail: "down" } });
    expect(server.seen).toHaveLength(3);
  });

  test.each([
    ["a purchase after 503", purchase, json({}, 503)],
    ["a purchase after 429", purchase, json({}, 429)],
    ["a deletion after 503", erase, json({}, 503)],
  ] as const)("is never repeated by itself when it is %s", async (_why, request, trouble) => {
    const server = await listen(trouble, json({ ok: true }));
    expect((await open(server.url).send(request)).status).toBeGreaterThanOrEqual(400);
    expect(server.seen).toHaveLength(1);
  });

  test.each([
    ["a cut connection", cut],
    ["an answer that breaks off", cutInBody],
  ] as const)("a purchase is sent once, and %s does not mean that it had no effect", async (_why, trouble) => {
    const server = await listen(trouble, json({ ok: true }));
    const failure: unknown = await open(server.url)
      .send(purchase)
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UnreachableFailure);
    expect(failure).toMatchObject({ neverLeft: false });
    expect(server.seen).toHaveLength(1);
  });
});

describe("Retry-After", () => {
  const inAnHour = new Date(Date.now() + 3_600_000).toUTCString();

  test.each([
    ["7", 7_000, 7_000],
    ["0", 0, 0],
    ["1.5", 1_500, 1_500],
    [inAnHour, 3_000_000, 3_600_000],
  ])("'%s' is told in milliseconds", async (header, least, most) => {
    const server = await listen(json({}, 429, { "retry-after": header }));
    const { retryAfterMs } = await open(server.url).send(purchase);
    expect(retryAfterMs).toBeGreaterThanOrEqual(least);
    expect(retryAfterMs).toBeLessThanOrEqual(most);
  });

  test.each(["soon", "-5", "Wed, 21 Oct 2015 07:28:00 GMT", "Infinity"])("'%s' is not told", async (header) => {
    const server = await listen(json({}, 429, { "retry-after": header }));
    expect(await open(server.url).send(purchase)).not.toHaveProperty("retryAfterMs");
  });
});

describe("a signal", () => {
  const reason = new Error("cancelled");

  test("that has fired: nothing is sent", async () => {
    const server = await listen(json({}));
    await expect(open(server.url).send({ ...read, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(server.seen).toEqual([]);
  });

  test.each([
    ["for an answer", hang],
    ["for the rest of one", (response: ServerResponse) => void response.write('{"half":')],
  ] as const)("ends the wait %s, with its own reason", async (_what, answer) => {
    const server = await listen(answer);
    const controller = new AbortController();
    const sent = open(server.url).send({ ...read, signal: controller.signal });
    while (server.bodies.length === 0) await pause(5);
    controller.abort(reason);
    await expect(sent).rejects.toBe(reason);
  });

  test("ends the pause before a repetition at once", async () => {
    const server = await listen(json({}, 503, { "retry-after": "20" }), json({ ok: true }));
    const controller = new AbortController();
    const sent = open(server.url)
      .send({ ...read, signal: controller.signal })
      .catch((error: unknown) => error);
    while (server.bodies.length === 0) await pause(5);
    await pause(50);
    controller.abort(reason);
    expect(await Promise.race([sent, pause(10_000, "still waiting", { ref: false })])).toBe(reason);
    expect(server.seen).toHaveLength(1);
  });
});

describe("when nobody can be reached", () => {
  test("the request never left, and the failure says whom, how and what to check", async () => {
    const server = await listen(json({}));
    server.server.close();
    const http = open(server.url);
    const failure: unknown = await http.send(purchase).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(MarketFailure);
    expect(failure).toMatchObject({
      neverLeft: true,
      message: expect.stringMatching(
        new RegExp(`^No answer from 127\\.0\\.0\\.1:${server.port} to POST /procure_offer: .*ECONNREFUSED`),
      ),
      hint: expect.stringContaining("HTTPS_PROXY"),
    });
  });

  test("neither the failure nor the log holds the token or a query", async () => {
    const server = await listen(json({}));
    const http = open(server.url);
    await http.send(read);
    server.server.closeAllConnections();
    server.server.close();
    const failure: unknown = await http.send({ ...erase, path: "/resources/1?x=2" }).catch((error: unknown) => error);
    expect(http.log.lines).toHaveLength(2);
    expect(`${http.log.text()} ${failure}`).not.toMatch(/secret-token|x=2/);
  });
});

describe("a proxy", () => {
  test.each(["HTTP_PROXY", "http_proxy"])("in %s is asked for a plain address", async (name) => {
    const [server, proxy] = [await listen(json({ ok: true })), await startProxy()];
    vi.stubEnv(name, proxy.url);
    expect(await open(server.url).send(purchase)).toMatchObject({ status: 200, json: { ok: true } });
    expect(proxy.passed).toEqual([`127.0.0.1:${server.port}`]);
    expect(server.seen).toHaveLength(1);
  });

  test("in HTTPS_PROXY is asked for a tunnel, without the token", async () => {
    const proxy = await startProxy();
    vi.stubEnv("HTTPS_PROXY", proxy.url);
    await expect(open("https://supply.invalid").send(erase)).rejects.toThrow(UnreachableFailure);
    expect(proxy.passed).toEqual(["supply.invalid:443"]);
  });

  test.each(["127.0.0.1", "other.example,127.0.0.1", "*"])("is left out for what NO_PROXY names (%s)", async (names) => {
    const [server, proxy] = [await listen(json({ ok: true })), await startProxy()];
    vi.stubEnv("HTTP_PROXY", proxy.url);
    vi.stubEnv("NO_PROXY", names);
    expect(await open(server.url).send(read)).toMatchObject({ status: 200 });
    expect(proxy.passed).toEqual([]);
  });

  test("that cannot be reached: the purchase never left", async () => {
    const server = await listen(json({ ok: true }));
    const gone = await listen(json({}));
    gone.server.close();
    vi.stubEnv("HTTP_PROXY", gone.url);
    await expect(open(server.url).send(purchase)).rejects.toMatchObject({ neverLeft: true });
    expect(server.seen).toEqual([]);
  });
});
