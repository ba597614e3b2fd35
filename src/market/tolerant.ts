import * as z from "zod";

/** What replies of marketplaces are read with: their documents leave envelopes, types and many fields open. */

export const text = z.union([z.string(), z.number()]).transform(String);
export const amount = z.union([z.number(), z.string().trim().min(1).transform(Number)]).pipe(z.number().nonnegative());
export const maybe = <T extends z.ZodType>(schema: T) =>
  schema
    .nullish()
    .transform((value) => value ?? undefined)
    .catch(undefined);
/** A list that keeps the rows which can be read. */
export const rows = <T extends z.ZodType>(schema: T) =>
  z.array(z.unknown()).transform((all) =>
    all.flatMap((row) => {
      const read = schema.safeParse(row);
      return read.success ? [read.data] : [];
    }),
  );
/** The rows that can be read of an optional list. */
export const some = <T extends z.ZodType>(schema: T) =>
  z
    .unknown()
    .optional()
    .transform((value) => rows(schema).safeParse(value).data ?? []);

/** A list may come bare or under one of these keys, once more wrapped in `data` or not. */
function unwrapList(keys: readonly string[]) {
  const find = (value: unknown, depth: number): unknown => {
    if (Array.isArray(value)) return value;
    if (typeof value !== "object" || value === null || depth === 0) return undefined;
    const entries = new Map(Object.entries(value));
    for (const key of keys) {
      const found = find(entries.get(key), depth - 1);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return (value: unknown) => find(value, 2);
}

export const listOf = <T extends z.ZodType>(list: T, keys: readonly string[]) =>
  z.preprocess(unwrapList([...keys, "data", "items", "results"]), list);

/** An object may come bare or under `data`. */
export const objectOf = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => {
    const wrapped = z.object({ data: z.record(z.string(), z.unknown()) }).safeParse(value);
    return wrapped.success ? wrapped.data.data : value;
  }, schema);
