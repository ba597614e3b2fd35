import type { Address } from "./lease/address.ts";
import type { Deadline } from "./lease/clock.ts";
import { describe, NotReadyFailure, PurchaseFailure } from "./lease/failure.ts";
import { formatUsd, isDearer } from "./lease/money.ts";
import type { Offer } from "./lease/offer.ts";
import { plain } from "./lease/plain.ts";
import { checkAddress } from "./machine/address.ts";
import type { MachineKit } from "./machine/kit.ts";
import type { LeaseKeys } from "./machine/lease-keys.ts";
import type { Machine } from "./machine/machine.ts";
import type { Rented, StoryDeps } from "./story.ts";

/** A machine that is logged in to and checked. */
export interface Reached extends Pick<Rented, "machine" | "reconnect"> {
  /** Files and outputs with which the next steps reach the machine; once a lease at most. */
  handOut(): void;
}

/** Reaches a machine that is ready, and checks what was bought. */
export async function makeUsable(
  offer: Offer,
  number: number,
  addresses: readonly [Address, ...Address[]],
  keys: LeaseKeys,
  deadline: Deadline,
  kit: MachineKit,
  deps: StoryDeps,
): Promise<Reached> {
  const { plan, clock, log, journal, outputs, signal } = deps;
  const [address] = addresses;
  const { privateKey: clientPrivateKey } = keys.client;
  // A guard only listens, so nothing else would tell it soon that the machine has vanished.
  const silence = plan.guarding === undefined ? {} : { silenceMs: GUARD_SILENCE };
  const world = { address, policy: plan.hostKey, clock, log, ...silence };
  for (const one of addresses) checkAddress(one);
  journal.note(number, { ready: clock.now() });
  outputs({ ip: address.host, "ssh-port": address.port, "ssh-user": address.user });
  log.info(`Ready at ${address.host}; connecting with SSH.`);
  const record = inspectRecord(offer, number, deps);
  const end = new AbortController();
  const watching = watchForEnd(number, end, deps);
  const reaching = AbortSignal.any([signal, end.signal]);
  let machine: Machine | undefined;
  try {
    const expected = plan.hostKey === "strict" ? { expectedHostKey: keys.host.publicKey } : {};
    machine = await kit.connect({ ...world, keys: { clientPrivateKey, ...expected }, signal: reaching, deadline });
    const bought = { family: offer.gpuFamily, gpuType: offer.gpuType, count: offer.gpuCount };
    if (plan.verifyGpu) await kit.checkGpus(machine, bought, { clock, log, signal: reaching, deadline });
    const objection = await record;
    if (objection !== undefined) throw objection;
    journal.note(number, { usable: clock.now() });
    const reached = machine;
    const { hostPublicKey: expectedHostKey } = machine;
    const reconnect = (within: Deadline) =>
      kit.connect({ ...world, keys: { clientPrivateKey, expectedHostKey }, signal, deadline: within });
    return { machine, reconnect, handOut: () => handOutAccess(addresses, keys, reached, kit, deps) };
  } catch (error) {
    machine?.close();
    throw error;
  } finally {
    end.abort();
    await watching;
  }
}

const GUARD_SILENCE = 30_000;
/** How long a look at the machine's record may take; the machine is usable without it. */
const LOOK = 15_000;

/**
 * Learns the machine's id where the purchase's answer did not tell it, sees that the record is of what was bought, and says whether
 * the marketplace kept the lease's name, by which a sweep can find the machine should everything else fail. Resolves to why the
 * machine must not be used, or undefined. Never rejects: a record that cannot be read is no reason.
 */
async function inspectRecord(offer: Offer, number: number, deps: StoryDeps): Promise<PurchaseFailure | undefined> {
  const { market, journal, log, outputs } = deps;
  const signal = AbortSignal.any([deps.signal, AbortSignal.timeout(LOOK)]);
  try {
    const attempt = journal.attempt(number);
    if (attempt.resourceIds.length === 0) {
      const { ours } = await market.holdings(attempt, signal);
      journal.note(number, { resourceIds: ours.map(({ id }) => id) });
    }
    const [id] = journal.attempt(number).resourceIds;
    if (id === undefined) return undefined;
    outputs({ "resource-id": id });
    const reading = await market.read(id, signal);
    if (reading.state !== "alive") return undefined;
    if (reading.isAnothers(attempt.leaseName)) {
      return new PurchaseFailure(`The marketplace sold us ${id}, which carries the name of another lease.`, "It is left alone.");
    }
    const { pricePerHour = 0 } = reading;
    if (isDearer(pricePerHour, offer.pricePerHour)) {
      journal.note(number, { pricePerHour });
      return new PurchaseFailure(
        `The machine is billed at ${formatUsd(pricePerHour)}/h, but its offer said ${formatUsd(offer.pricePerHour)}/h.`,
        "It is deleted.",
      );
    }
    log.info(
      reading.markOf?.(attempt.leaseName) ??
        (reading.name === attempt.leaseName
          ? `The marketplace shows the machine as '${attempt.leaseName}': a later sweep can see it by its name.`
          : "The marketplace did not keep the machine's name: a later sweep cannot see it, the post step finds it by its id."),
    );
  } catch (error) {
    // Release looks for the machine again, by id, offer and name.
    log.debug(`The machine could not be read back: ${plain(describe(error))}`);
  }
  return undefined;
}

/** A machine that ends while it is being reached is dialled in vain: the marketplace knows first. Never rejects. */
async function watchForEnd(number: number, end: AbortController, deps: StoryDeps): Promise<void> {
  const { clock, journal, market, plan } = deps;
  const signal = AbortSignal.any([deps.signal, end.signal]);
  while (!signal.aborted) {
    try {
      await clock.sleep(market.pace(plan.limits.pollInterval), signal);
      const { phase, detail } = await market.progress(journal.attempt(number), signal);
      if (phase === "failed")
        end.abort(new NotReadyFailure(`The marketplace reports: ${detail}`, "Whatever exists of it is deleted."));
    } catch (error) {
      // What the marketplace does not tell now is asked again at the next turn; SSH decides meanwhile.
      if (!signal.aborted) deps.log.debug(`The machine's state could not be read: ${plain(describe(error))}`);
    }
  }
}

/** Files and outputs with which the next steps reach the machine. */
function handOutAccess(
  addresses: readonly [Address, ...Address[]],
  keys: LeaseKeys,
  machine: Machine,
  kit: MachineKit,
  { accessDirectory, outputs }: StoryDeps,
): void {
  const [address] = addresses;
  const files = kit.writeSshFiles({
    directory: accessDirectory,
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
        // Only the machine that we logged in to has shown its key, so only for this one there is a command.
        ...(index === 0 ? { "ssh-command": files.command } : {}),
      })),
    ),
  });
}
