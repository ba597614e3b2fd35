import { scriptFaults } from "../faults.ts";
import { openLedger } from "../ledger.ts";
import type { MarketStand } from "../market-stand.ts";
import { htmlReply, type Reply } from "../reply.ts";
import type { RecordedRequest } from "../requests.ts";
import { parseRoute } from "../route.ts";
import { serve } from "../serve.ts";
import { trackTimers } from "../timers.ts";
import { startWorldClock, type WorldClock } from "../world-clock.ts";
import { type BootMachine, openAccount, type Stranger } from "./account.ts";
import { readOffersQuery } from "./offers-query.ts";
import { createProcureReader } from "./procure-request.ts";
import { brokenInside, createReplies, type Manner, offerNotFound, resourceAlreadyDeleted, resourceNotFound } from "./replies.ts";
import { defaultStock, type StockEntry } from "./stock.ts";
import { complainAboutId, validationReply } from "./validation.ts";

export interface ComputeClearOptions {
  readonly bootMachine: BootMachine;
  /** The bearer token of the account; its holder is `ours` in the ledger. */
  readonly token?: string;
  /** Further tokens of the same account, held by `sibling-1`, `sibling-2`… */
  readonly siblingTokens?: readonly string[];
  readonly stock?: readonly StockEntry[];
  /** Machines that are in the account already. */
  readonly strangers?: readonly Stranger[];
  /** `resource_name` is kept and shown as `name`, dropped, or refused with 422. */
  readonly keepsNames?: boolean | "rejects";
  readonly unknownKeys?: "ignored" | "refused";
  /** Everybody is shown the same offer ids. */
  readonly sharesOffers?: boolean;
  readonly manner?: Manner;
  /** Real milliseconds; 1500 and 800 unless told. */
  readonly provisionMs?: number;
  readonly deleteMs?: number;
  /** World milliseconds; 30 minutes unless told. */
  readonly offerLifetimeMs?: number;
  readonly clock?: WorldClock;
}

export type ComputeClearStand = MarketStand;

const MINUTE = 60_000;

/** Starts a stand-in for the Compute Clear API on a free port of loopback. */
export async function startComputeClear(options: ComputeClearOptions): Promise<ComputeClearStand> {
  const clock = options.clock ?? startWorldClock();
  const token = options.token ?? "sandbox-token-0000000000";
  const holders = new Map(
    [token, ...(options.siblingTokens ?? [])].map((one, index) => [one, index === 0 ? "ours" : `sibling-${index}`]),
  );
  const provisionMs = options.provisionMs ?? 1500;
  const ledger = openLedger(clock);
  const timers = trackTimers();
  const faults = scriptFaults();
  const account = openAccount({
    stock: options.stock ?? defaultStock,
    clock,
    ledger,
    timers,
    bootMachine: options.bootMachine,
    strangers: options.strangers ?? [],
    sharesOffers: options.sharesOffers ?? false,
    keepsNames: (options.keepsNames ?? true) === true,
    offerLifetimeMs: options.offerLifetimeMs ?? 30 * MINUTE,
    provisionMs,
    deleteMs: options.deleteMs ?? 800,
  });
  const replies = createReplies(
    account,
    options.manner ?? {},
    (offer) => clock.now() - (offer.procuredAt ?? 0) >= (provisionMs / 2) * clock.scale,
  );
  const readProcureRequest = createProcureReader({
    unknownKeys: options.unknownKeys ?? "ignored",
    resourceName: options.keepsNames === "rejects" ? "refused" : "taken",
  });

  type Handler = (request: RecordedRequest, id: string, holder: string) => Reply;
  const withId = (place: "offer_id" | "resource_id", handler: Handler): Handler => {
    return (request, id, holder) => {
      const issue = complainAboutId(["path", place], id);
      return issue ? validationReply([issue]) : handler(request, id, holder);
    };
  };
  const onOffer = (answer: typeof replies.offer): Handler =>
    withId("offer_id", (_request, id) => {
      const offer = account.offer(id);
      return offer ? answer(offer) : offerNotFound;
    });
  const handlers: Readonly<Record<string, Handler>> = {
    "POST /get_offers": (request) => {
      const query = readOffersQuery(request.body, request.headers["content-type"]);
      return "issues" in query ? validationReply(query.issues) : replies.offers(account.show(query.value), query.value);
    },
    "POST /procure_offer": (request, _id, holder) => {
      const checked = readProcureRequest(request.body, request.headers["content-type"]);
      if ("issues" in checked) return validationReply(checked.issues);
      const { offer_id: offerId, ssh_public_key: sshPublicKey, cloud_init: cloudInit, resource_name: name } = checked.value;
      const sale = account.procure({
        offerId,
        sshPublicKey,
        buyer: holder,
        ...(typeof cloudInit === "string" ? { cloudInit } : {}),
        ...(name === undefined ? {} : { name }),
      });
      return replies.sale(sale, account.offer(offerId));
    },
    "GET /offers/:id": onOffer((offer) => replies.offer(offer)),
    "GET /offers/:id/status": onOffer((offer) => replies.offerStatus(offer)),
    "GET /resources": (request) => {
      const offerId = request.query.get("offer_id") ?? undefined;
      const issue = offerId === undefined ? undefined : complainAboutId(["query", "offer_id"], offerId);
      return issue ? validationReply([issue]) : replies.resourceList(offerId);
    },
    "GET /resources/:id": withId("resource_id", (_request, id) => {
      const resource = account.resource(id);
      if (resource?.conduct.resourceReads === "html-404") return htmlReply(404);
      return resource ? replies.resource(resource) : resourceNotFound;
    }),
    "DELETE /resources/:id": withId("resource_id", (request, id, holder) => {
      const erasure = account.erase(id, { by: holder, request: request.number });
      if (erasure === "unknown-resource") return resourceNotFound;
      if (erasure === "already-deleted") return resourceAlreadyDeleted;
      if (erasure === "broken") return brokenInside;
      return { status: 200, body: { resource_id: id, status: "deleting", message: "Deletion has started" } };
    }),
    "GET /available_gpus": () => replies.gpus(),
    "GET /available_vendors": () => replies.catalogue("vendors"),
    "GET /available_regions": () => replies.catalogue("regions"),
    "GET /available_contracts": () => replies.catalogue("contracts"),
  };
  const routes = Object.entries(handlers).map(([pattern, handler]) => ({ route: parseRoute(pattern), handler }));

  const answer = (request: RecordedRequest): Reply => {
    const [, given] = /^Bearer (\S+)$/.exec(request.headers.authorization ?? "") ?? [];
    const holder = given === undefined ? undefined : holders.get(given);
    if (holder === undefined)
      return {
        status: 401,
        body: { detail: given === undefined ? "Not authenticated" : "Invalid authentication credentials" },
        headers: { "www-authenticate": "Bearer" },
      };
    for (const { route, handler } of routes) {
      const parameters = route.match(request.method, request.path);
      if (parameters) return handler(request, parameters["id"] ?? "", holder);
    }
    const isKnownPath = routes.some(({ route }) => route.matchesPath(request.path));
    return isKnownPath ? { status: 405, body: { detail: "Method Not Allowed" } } : { status: 404, body: { detail: "Not Found" } };
  };

  const server = await serve({ clock, faults, timers, answer });

  return {
    url: server.url,
    watch: server.watch,
    token,
    faults,
    ledger,
    clock,
    requests: server.requests,
    bootFailures: () => account.bootFailures(),
    reclaim: (resourceId) => account.reclaim(resourceId),
    async close() {
      timers.clear();
      await server.close();
      await account.close();
    },
  };
}
