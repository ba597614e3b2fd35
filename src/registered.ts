import type { GuardDeps } from "./guard.ts";
import { describe } from "./lease/failure.ts";
import type { GuardRecord } from "./lease/journal.ts";
import { plain } from "./lease/plain.ts";
import type { Registration } from "./runner/contract.ts";

type RegistryDeps = Pick<GuardDeps, "github" | "journal" | "log">;
type Record = GuardRecord["records"][number];

/** Registers a runner. Every name is in the journal before GitHub is asked for it, so that post finds what became of it. */
export async function register(name: string, { github, journal }: RegistryDeps, signal: AbortSignal): Promise<Registration> {
  const before = recordsIn(journal);
  const asked: Record[] = [];
  const registration = await github.registrations.mint(name, {
    signal,
    onIntent(one) {
      asked.push({ name: one });
      journal.noteGuard({ records: [...before, ...asked] });
    },
  });
  journal.noteGuard({ records: [...before, { name: registration.name, id: registration.id }] });
  return registration;
}

/** Removes a runner's record. Never rejects but with the signal's reason: what cannot be removed now is left to post. */
export async function unregister(record: Record, deps: RegistryDeps, signal: AbortSignal): Promise<void> {
  try {
    const { name, id } = record;
    await deps.github.registrations.remove(id === undefined ? { name } : { name, id }, signal);
    dropRecord(record.name, deps);
  } catch (error) {
    signal.throwIfAborted();
    deps.log.info(`The runner record '${record.name}' could not be removed: ${plain(describe(error))}`);
  }
}

/** Forgets a record that GitHub has removed. */
export function dropRecord(name: string, { journal }: Pick<RegistryDeps, "journal">): void {
  journal.noteGuard({ records: recordsIn(journal).filter((one) => one.name !== name) });
}

/** Runner records that may still exist. */
export function recordsIn(journal: RegistryDeps["journal"]): readonly Record[] {
  return journal.read().guard?.records ?? [];
}
