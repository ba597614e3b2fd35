import { type Deadline, deadlineBeside } from "./lease/clock.ts";
import { formatDuration } from "./lease/duration.ts";
import { describe, ExpiredFailure, NoOfferFailure, PurchaseFailure, SetupFailure } from "./lease/failure.ts";
import { costOfAll, lifetimeWithin, SHORTEST_LEASE } from "./lease/lifetime.ts";
import { formatUsd, isDearer } from "./lease/money.ts";
import { writeLeaseName } from "./lease/name.ts";
import type { Offer } from "./lease/offer.ts";
import { describeOffer } from "./lease/offer.ts";
import type { Outputs } from "./lease/outputs.ts";
import { plain, plainWord } from "./lease/plain.ts";
import type { CloudInitPart } from "./machine/cloud-init-parts.ts";
import type { MachineKit } from "./machine/kit.ts";
import type { LeaseKeys } from "./machine/lease-keys.ts";
import type { Standing } from "./market/provider.ts";
import { purchase } from "./purchase.ts";
import { waitUntilReady } from "./ready.ts";
import type { Purpose, Rented, StoryDeps } from "./story.ts";
import { sweepAside } from "./sweep-aside.ts";
import { makeUsable } from "./usable.ts";

/** Buys one offer and makes a usable machine of it, within `provision-timeout`. The journal knows the rest when it rejects. */
export async function rent(offer: Offer, number: number, purpose: Purpose, deps: StoryDeps): Promise<Rented> {
  const { plan, clock, journal, market } = deps;
  const kit = await deps.loadMachineKit();
  const lifetime = lifetimeWithin(plan.limits, offer, costOfAll(journal.read().attempts, clock.now()));
  if (lifetime < SHORTEST_LEASE) {
    throw new NoOfferFailure(
      `What is left of 'max-cost' buys only ${formatDuration(lifetime)} of ${plain(describeOffer(offer))}.`,
      "Nothing more is bought. Raise 'max-cost', or ask for a cheaper machine.",
    );
  }
  await refuseWhenChanged(offer, deps);

  const lease = startLease(lifetime, deps);
  const leased = { ...deps, signal: lease.signal };
  const deadline = deadlineBeside(clock, plan.limits.provisionTimeout, deps.market.heldUp);
  try {
    const { keys, parts } = await buy(offer, number, lifetime, deadline, purpose, kit, leased);
    const addresses = await sweepMeanwhile(number, leased, () =>
      waitUntilReady(number, plan.limits.pollInterval, deadline, leased),
    );
    const reached = await makeUsable(offer, number, addresses, keys, deadline, kit, leased);
    let { machine } = reached;
    const reconnect = async (within: Deadline) => {
      machine.close();
      machine = await reached.reconnect(within);
      return machine;
    };
    const close = () => {
      lease.stop();
      machine.close();
    };
    const rented: Rented = { attempt: number, machine, reconnect, signal: lease.signal, close };
    try {
      if (market.traits.rents === "container") {
        await runUserScript(rented, deps);
        await kit.applyParts(machine, parts, lease.signal);
      }
      await purpose.engage(rented, deadline);
      reached.handOut();
    } catch (error) {
      close();
      throw error;
    }
    return rented;
  } catch (error) {
    lease.stop();
    throw error;
  }
}

/**
 * Journals the intent, sends the purchase and waits for what comes of it. Resolves to the keys of the machine that is made, and to
 * what it has to be given over SSH where no boot script brings it.
 */
async function buy(
  offer: Offer,
  number: number,
  lifetime: number,
  deadline: Deadline,
  purpose: Purpose,
  kit: MachineKit,
  deps: StoryDeps,
): Promise<{ readonly keys: LeaseKeys; readonly parts: readonly CloudInitPart[] }> {
  const { plan, context, clock, log, journal, market, outputs, signal } = deps;
  const expiresAt = clock.now() + lifetime;
  const leaseName = writeLeaseName({ ...context, expiresAt });
  const keys = kit.makeLeaseKeys(leaseName);
  const parts = await purpose.equip({ name: leaseName, lifetime }, signal);
  const ours = { hostKey: keys.host, clientPublicKey: keys.client.publicKey, parts };
  const boot = market.traits.rents === "vm" ? { cloudInit: kit.composeCloudInit(ours, plan.cloudInit) } : {};
  outputs(describeForOutputs(offer, expiresAt));
  log.info(`Buying ${plain(offer.id)} as '${leaseName}', for ${formatDuration(lifetime)} at most.`);
  journal.intend({
    number,
    stage: "intended",
    leaseName,
    offerId: offer.id,
    gpu: plain(`${offer.gpuCount}x ${offer.gpuFamily}`, 60),
    vendor: plain(offer.vendor, 60),
    region: plain(offer.region, 40),
    pricePerHour: offer.pricePerHour,
    ...(offer.upfront === undefined ? {} : { upfront: offer.upfront }),
    resourceIds: [],
    expiresAt,
    sent: clock.now(),
  });
  await purchase({ offerId: offer.id, leaseName, sshPublicKey: keys.client.publicKey, ...boot }, number, deadline, deps);
  const { resourceIds } = journal.attempt(number);
  log.info(`Bought at ${formatUsd(offer.pricePerHour)}/h${resourceIds.length > 0 ? `: ${resourceIds.join(", ")}` : ""}.`);
  return { keys, parts };
}

/** The first wait of a lease is used to look for what earlier runs have left. */
async function sweepMeanwhile<T>(number: number, deps: StoryDeps, wait: () => Promise<T>): Promise<T> {
  const over = new AbortController();
  const sweeping = number === 1 ? sweepAside(deps, AbortSignal.any([deps.signal, over.signal])) : Promise.resolve();
  try {
    return await wait();
  } finally {
    over.abort(new Error("The machine is ready."));
    await sweeping;
  }
}

/** The user's own script, which cloud-init would have run where there is one. */
async function runUserScript({ machine, signal }: Rented, { log, plan, showMachineOutput }: StoryDeps): Promise<void> {
  const { cloudInit } = plan;
  if (cloudInit === undefined) return;
  log.info("Running the script of 'cloud-init' over SSH:");
  const output = showMachineOutput();
  let code: number;
  try {
    code = await machine.run({ text: cloudInit, shell: "chmod 700 {0} && exec {0}", env: {} }, output, signal);
  } finally {
    output.close();
  }
  if (code === 0) return;
  throw new SetupFailure(
    `The script of 'cloud-init' ended with exit code ${code}.`,
    "The machine is deleted; its time until now is billed. The output above says why it failed.",
  );
}

/**
 * Looks at an offer once more right before the purchase: jobs of a matrix may be shown the same one, which a sibling has bought
 * meanwhile, and prices move.
 */
async function refuseWhenChanged(offer: Offer, { market, log, signal }: StoryDeps): Promise<void> {
  let standing: Standing = { state: "unknown" };
  try {
    standing = await market.standing(offer.id, signal);
  } catch (error) {
    signal.throwIfAborted();
    // Only a precaution: the purchase itself is refused when the offer is gone.
    log.debug(`The offer could not be looked at again: ${plain(describe(error))}`);
  }
  const { state, pricePerHour = offer.pricePerHour } = standing;
  if (state !== "available" && state !== "unknown") {
    throw new PurchaseFailure(`Offer ${plain(offer.id)} is no longer for sale (it reads '${state}').`, "Nothing was bought.");
  }
  if (isDearer(pricePerHour, offer.pricePerHour)) {
    throw new PurchaseFailure(
      `Offer ${plain(offer.id)} now costs ${formatUsd(pricePerHour)}/h instead of ${formatUsd(offer.pricePerHour)}/h.`,
      "Nothing was bought.",
    );
  }
}

/** The lease's own end, which stops whatever runs. */
function startLease(lifetime: number, { clock, plan, signal }: StoryDeps): { signal: AbortSignal; stop: () => void } {
  const expiry = new AbortController();
  const stopped = new AbortController();
  const end = async () => {
    await clock.sleep(lifetime, stopped.signal);
    expiry.abort(
      new ExpiredFailure(
        `The lease is over after ${formatDuration(lifetime)} ('${lifetime < plan.limits.maxLifetime ? "max-cost" : "max-lifetime"}').`,
        "The machine is being deleted. Allow more if the work needs it.",
      ),
    );
  };
  end().catch((error: unknown) => {
    if (!stopped.signal.aborted) expiry.abort(error);
  });
  return { signal: AbortSignal.any([signal, expiry.signal]), stop: () => stopped.abort() };
}

function describeForOutputs(offer: Offer, expiresAt: number): Outputs {
  return {
    "offer-id": offer.id,
    vendor: plainWord(offer.vendor),
    region: plainWord(offer.region),
    "gpu-type": plainWord(offer.gpuType),
    "gpu-count": offer.gpuCount,
    "price-per-hour": offer.pricePerHour,
    "expires-at": new Date(expiresAt).toISOString(),
  };
}
