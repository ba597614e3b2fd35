import type { Address } from "./lease/address.ts";
import type { Deadline } from "./lease/clock.ts";
import { describe } from "./lease/failure.ts";
import type { Offer } from "./lease/offer.ts";
import { plain } from "./lease/plain.ts";
import { checkAddress } from "./machine/address.ts";
import type { MachineKit } from "./machine/kit.ts";
import type { LeaseKeys } from "./machine/lease-keys.ts";
import type { Machine } from "./machine/machine.ts";
import type { StoryDeps } from "./story.ts";

/** Reaches a machine that is ready, checks what was bought, and hands out the access for the steps that follow. */
export async function makeUsable(
  offer: Offer,
  number: number,
  addresses: readonly [Address, ...Address[]],
  keys: LeaseKeys,
  deadline: Deadline,
  kit: MachineKit,
  deps: StoryDeps,
): Promise<Machine> {
  const { plan, clock, log, journal, outputs, signal } = deps;
  const [address] = addresses;
  for (const one of addresses) checkAddress(one);
  journal.note(number, { ready: clock.now() });
  outputs({ ip: address.host, "ssh-port": address.port, "ssh-user": address.user });
  log.info(`Ready at ${address.host}; connecting with SSH.`);
  const introduced = introduce(number, deps);
  const machine = await kit.connect({
    address,
    keys: {
      clientPrivateKey: keys.client.privateKey,
      // Some images never apply the host key that cloud-init carries; 'first-sight' is for them.
      ...(plan.hostKey === "strict" ? { expectedHostKey: keys.host.publicKey } : {}),
    },
    policy: plan.hostKey,
    clock,
    log,
    signal,
    deadline,
  });
  try {
    const bought = { family: offer.gpuFamily, gpuType: offer.gpuType, count: offer.gpuCount };
    if (plan.verifyGpu) await kit.checkGpus(machine, bought, { clock, log, signal, deadline });
    journal.note(number, { usable: clock.now() });
    handOutAccess(addresses, keys, machine, kit, deps);
    await introduced;
    return machine;
  } catch (error) {
    machine.close();
    throw error;
  }
}

/**
 * Learns the machine's id where neither the purchase's answer nor the offer told it, and says whether the marketplace kept the
 * lease's name, by which a sweep can find the machine should everything else fail. Never rejects: the machine is usable without.
 */
async function introduce(number: number, { market, journal, log, outputs, signal }: StoryDeps): Promise<void> {
  try {
    const attempt = journal.attempt(number);
    if (attempt.resourceIds.length === 0) {
      const { ours } = await market.holdings(attempt, signal);
      journal.note(number, { resourceIds: ours.map(({ id }) => id) });
    }
    const [id] = journal.attempt(number).resourceIds;
    if (id === undefined) return;
    outputs({ "resource-id": id });
    const reading = await market.read(id, signal);
    if (reading.state !== "alive") return;
    log.info(
      reading.name === attempt.leaseName
        ? `The marketplace shows the machine as '${attempt.leaseName}': a later sweep can see it by its name.`
        : "The marketplace did not keep the machine's name: a later sweep cannot see it, the post step finds it by its id.",
    );
  } catch (error) {
    // Release looks for the machine again, by id, offer and name.
    log.debug(`The machine could not be read back: ${plain(describe(error))}`);
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
