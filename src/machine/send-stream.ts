import { asBytes } from "./bytes.ts";
import type { RemoteProcess } from "./remote-process.ts";

const BLOCK = 65_536;

/**
 * Sends a byte stream to a process on the machine, no faster than it takes it, in blocks that are worth an SSH packet. Resolves
 * to true when all is sent, to false when the process has ended or the connection is lost before: `exited` says which.
 */
export async function sendStream(process: RemoteProcess, stream: AsyncIterable<unknown>): Promise<boolean> {
  let over = false;
  let goOn: () => void = () => undefined;
  const end = () => {
    over = true;
    goOn();
  };
  process.exited.then(end, end);
  const send = (block: Buffer) =>
    new Promise<void>((resolve) => {
      goOn = resolve;
      process.stdin.write(block, () => resolve());
    });

  let waiting: Buffer[] = [];
  let size = 0;
  for await (const piece of stream) {
    const chunk = asBytes(piece);
    waiting.push(chunk);
    size += chunk.length;
    if (size < BLOCK) continue;
    await send(Buffer.concat(waiting));
    if (over) return false;
    waiting = [];
    size = 0;
  }
  if (size > 0) await send(Buffer.concat(waiting));
  if (!over) process.stdin.end();
  return true;
}
