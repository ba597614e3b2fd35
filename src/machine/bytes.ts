/** A chunk of a byte stream whose type the stream does not state. Text is taken as UTF-8. */
export function asBytes(chunk: unknown): Buffer {
  if (Buffer.isBuffer(chunk)) return chunk;
  if (chunk instanceof Uint8Array) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  if (typeof chunk === "string") return Buffer.from(chunk);
  throw new TypeError(`A byte stream delivered a ${typeof chunk}.`);
}
