import type { Reply } from "../reply.ts";

/** One complaint, in the form of FastAPI. */
export interface Issue {
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly type: string;
}

/** What was read, or what is wrong with it. */
export type Checked<T> = { readonly value: T } | { readonly issues: readonly Issue[] };

export function validationReply(issues: readonly Issue[]): Reply {
  return { status: 422, body: { detail: issues } };
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** What is wrong with an id in a path or a query; undefined when it is a UUID. */
export function complainAboutId(loc: Issue["loc"], id: string): Issue | undefined {
  return UUID.test(id) ? undefined : { loc, msg: "Input should be a valid UUID", type: "uuid_parsing" };
}
