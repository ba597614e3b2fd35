import { join } from "node:path";
import type { Clock } from "./lease/clock.ts";
import { deadlineAfter } from "./lease/clock.ts";
import { formatDuration } from "./lease/duration.ts";
import { describe, ExpiredFailure, NoOfferFailure, PurchaseFailure } from "./lease/failure.ts";
import type { Journal } from "./lease/journal.ts";
import { costOfAll, lifetimeWithin } from "./lease/lifetime.ts";
import type { Log } from "./lease/log.ts";
import { formatUsd } from "./lease/money.ts";
import { writeLeaseName } from "./lease/name.ts";
import type { Offer } from "./lease/offer.ts";
import type { Outputs } from "./lease/outputs.ts";
import { plain } from "./lease/plain.ts";
import type { Plan, RunContext } from "./lease/plan.ts";
import type { MachineKit } from "./machine/kit.ts";
import type { LeaseKeys } from "./machine/lease-keys.ts";
import type { Machine } from "./machine/machine.ts";
import type { Address, Market } from "./market/provider.ts";
import { purchase } from "./purchase.ts";
import { waitUntilReady } from "./ready.ts";

/** Everything that the story of main touches the world with. */
export interface StoryDeps {
  readonly plan: Plan;
  readonly context: RunContext;
  readonly market: Market;
  readonly clock: Clock;
  readonly log: Log;
  readonly journal: Journal;
  /** Fires when the step is cancelled. */
  readonly signal: AbortSignal;
  readonly outputs: (values: Outputs) => void;
  /** Shows lines of a machine, which may hold anything. */
  readonly showMachineOutput: () => MachineOutput;
  /** Loads the SSH stack, which only a purchase needs. */
  readonly loadMachineKit: () => Promise<MachineKit>;
  /** Leaves somebody behind who deletes the machine when its lease ends before the job does. */
  readonly watchExpiry: () => void;
}

export interface MachineOutput {
  stdout(line: string): void;
  stderr(line: string): void;
  close(): void;
}

/** A machine that is bought, reached and checked. */
export interface Rented {
  readonly attempt: number;
  readonly machine: Machine;
  readonly kit: MachineKit;
  /** Fires when the step is cancelled or the lease ends. */
  readonly signal: AbortSignal;
  /** Closes the connection; the machine stays. */
  close(): void;
}

/** Buys one offer and makes a usable machine of it, within `provision-timeout`. The journal knows the rest when it rejects. */
export async function rent(offer: Offer, number: number, deps: StoryDeps): Promise<Rented> {
  const { plan, context, market, clock, log, journal, outputs } = deps;
  const { limits } = plan;
  const kit = await deps.loadMachineKit();
  const lifetime = lifetimeWithin(limits, offer.pricePerHour, costOfAll(journal.read().attempts, clock.now()));
  if (lifetime === 0) throw new NoOfferFailure("'max-cost' is used up by the attempts so far.", "Nothing more is bought.");
  await refuseWhenSold(offer, deps);

  const expiresAt = clock.now() + lifetime;
  const leaseName = writeLeaseName({ ...context, expiresAt });
  const keys = kit.makeLeaseKeys(leaseName);
  const cloudInit = kit.composeCloudInit({ hostKey: keys.host, clientPublicKey: keys.client.publicKey }, plan.cloudInit);
  const deadline = deadlineAfter(clock, limits.provisionTimeout);
  const lease = startLease(lifetime, deps);
  try {
    journal.intend({
      number,
      stage: "intended",
      leaseName,
      offerId: offer.id,
      gpu: plain(`${offer.gpuCount}x ${offer.gpuFamily}`, 60),
      vendor: plain(offer.vendor, 60),
      region: plain(offer.region, 40),
      pricePerHour: offer.pricePerHour,
      resourceIds: [],
      expiresAt,
      sent: clock.now(),
    });
    outputs(describeForOutputs(offer, expiresAt));
    log.info(`Buying ${plain(offer.id)} as '${leaseName}', for ${formatDuration(lifetime)} at most.`);
    const order = { offerId: offer.id, leaseName, sshPublicKey: keys.client.publicKey, cloudInit };
    await purchase(order, number, deadline, { ...deps, signal: lease.signal });
    const { resourceIds } = journal.attempt(number);
    log.info(`Bought at ${formatUsd(offer.pricePerHour)}/h${resourceIds.length > 0 ? `: ${resourceIds.join(", ")}` : ""}.`);

    const addresses = await waitUntilReady(number, limits.pollInterval, deadline, { ...deps, signal: lease.signal });
    const [address] = addresses;
    journal.note(number, { ready: clock.now() });
    outputs({
      ip: address.host,
      "ssh-port": address.port,
      "ssh-user": address.user,
      "resource-id": journal.attempt(number).resourceIds[0] ?? "",
    });
    const told = sayWhatSweepSees(number, market, deps);
    const machine = await reach(address, keys, kit, deadline, { ...deps, signal: lease.signal });
    const closeAll = () => {
      lease.stop();
      machine.close();
    };
    try {
      if (plan.verifyGpu) {
        const bought = { family: offer.gpuFamily, gpuType: offer.gpuType, count: offer.gpuCount };
        await kit.checkGpus(machine, bought, { clock, log, signal: lease.signal, deadline });
      }
      journal.note(number, { usable: clock.now() });
      handOutAccess(addresses, keys, machine, kit, deps);
      await told;
      return { attempt: number, machine, kit, signal: lease.signal, close: closeAll };
    } catch (error) {
      closeAll();
      throw error;
    }
  } catch (error) {
    lease.stop();
    throw error;
  }
}

/** Jobs of a matrix may be shown the same offer; one that a sibling has bought meanwhile is not even asked for. */
async function refuseWhenSold(offer: Offer, { market, log, signal }: StoryDeps): Promise<void> {
  let standing: Awaited<ReturnType<Market["standing"]>> = "unknown";
  try {
    standing = await market.standing(offer.id, signal);
  } catch (error) {
    signal.throwIfAborted();
    // Only a precaution: the purchase itself is refused when the offer is gone.
    log.debug(`The offer could not be looked at again: ${plain(describe(error))}`);
  }
  if (standing === "available" || standing === "unknown") return;
  throw new PurchaseFailure(`Offer ${plain(offer.id)} is no longer for sale (it reads '${standing}').`, "Nothing was bought.");
}

/** The lease's own end, which stops whatever runs. */
function startLease(lifetime: number, { clock, signal }: StoryDeps): { signal: AbortSignal; stop: () => void } {
  const expiry = new AbortController();
  const stopped = new AbortController();
  const end = async () => {
    await clock.sleep(lifetime, stopped.signal);
    expiry.abort(
      new ExpiredFailure(
        `The lease is over after ${formatDuration(lifetime)} ('max-lifetime', 'max-cost').`,
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
    vendor: plain(offer.vendor),
    region: plain(offer.region),
    "gpu-type": plain(offer.gpuType),
    "gpu-count": offer.gpuCount,
    "price-per-hour": offer.pricePerHour,
    "expires-at": new Date(expiresAt).toISOString(),
  };
}

/** Whether this marketplace kept the lease's name decides whether a sweep can find the machine should everything else fail. */
async function sayWhatSweepSees(number: number, market: Market, { journal, log, signal }: StoryDeps): Promise<void> {
  const { resourceIds, leaseName } = journal.attempt(number);
  const [id] = resourceIds;
  if (id === undefined) return;
  try {
    const reading = await market.read(id, signal);
    if (reading.state !== "alive") return;
    log.info(
      reading.name === leaseName
        ? `The marketplace shows the machine as '${leaseName}': a later sweep can see it by its name.`
        : "The marketplace did not keep the machine's name: a later sweep cannot see it, the post step finds it by its id.",
    );
  } catch (error) {
    // Good to know, no more: the journal holds the id.
    log.debug(`The machine's name could not be read back: ${plain(describe(error))}`);
  }
}

async function reach(
  address: Address,
  keys: LeaseKeys,
  kit: MachineKit,
  deadline: ReturnType<typeof deadlineAfter>,
  deps: StoryDeps,
): Promise<Machine> {
  const { clock, log, plan, signal } = deps;
  log.info(`Ready at ${plain(address.host)}; connecting with SSH.`);
  return kit.connect({
    address,
    keys: { clientPrivateKey: keys.client.privateKey, expectedHostKey: keys.host.publicKey },
    policy: plan.hostKey,
    clock,
    log,
    signal,
    deadline,
  });
}

/** Files and outputs with which the next steps reach the machine. */
function handOutAccess(
  addresses: readonly [Address, ...Address[]],
  keys: LeaseKeys,
  machine: Machine,
  kit: MachineKit,
  { context, journal, outputs }: StoryDeps,
): void {
  const [address] = addresses;
  const directory = join(context.tempDirectory, `gpu-provision-${context.runId}-${process.pid}`);
  journal.noteLease({ files: directory });
  const files = kit.writeSshFiles({
    directory,
    address,
    clientPrivateKey: keys.client.privateKey,
    hostPublicKey: machine.hostPublicKey,
  });
  outputs({
    "ssh-command": files.command,
    "ssh-config-path": files.configPath,
    "ssh-key-path": files.keyPath,
    instances: JSON.stringify(
      addresses.map(({ host, port, user }, index) => ({
        ip: host,
        port,
        user,
        "ssh-command": index === 0 ? files.command : `ssh -i '${files.keyPath}' -p ${port} ${user}@${host}`,
      })),
    ),
  });
}
