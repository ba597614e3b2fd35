import * as z from "zod";
import { deadlineAfter, systemClock } from "../src/lease/clock.ts";
import { silentLog } from "../src/lease/log.ts";
import { connect } from "../src/machine/connect.ts";

/** The process that uploads: told what by one message, it answers with one. Apart, so that its memory and its core are its own. */
const orderSchema = z.object({
  address: z.object({ host: z.string(), port: z.number(), user: z.string() }),
  clientPrivateKey: z.string(),
  hostPublicKey: z.string(),
  from: z.string(),
  to: z.string(),
});

export const uploadedSchema = z.object({ ms: z.number(), files: z.number(), bytes: z.number(), peakBytes: z.number() });

async function upload(message: unknown): Promise<z.infer<typeof uploadedSchema>> {
  const { address, clientPrivateKey, hostPublicKey, from, to } = orderSchema.parse(message);
  const { signal } = new AbortController();
  const machine = await connect({
    address,
    keys: { clientPrivateKey, expectedHostKey: hostPublicKey },
    policy: "strict",
    clock: systemClock,
    log: silentLog,
    signal,
    deadline: deadlineAfter(systemClock, 20_000),
  });
  const started = performance.now();
  const tally = await machine.upload({ from, to }, [], signal);
  const ms = performance.now() - started;
  machine.close();
  return { ms, ...tally, peakBytes: process.resourceUsage().maxRSS * 1024 };
}

if (import.meta.main) {
  process.once("message", async (message) => {
    try {
      process.send?.(await upload(message));
    } finally {
      process.disconnect();
    }
  });
}
