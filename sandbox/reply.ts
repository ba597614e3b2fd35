/** An answer of a stand-in server. A string and bytes go out as they are, anything else as JSON. */
export interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a proxy in front of an API answers when it does not reach it. */
export function htmlReply(status: number): Reply {
  return {
    status,
    body: `<html>\r\n<head><title>${status}</title></head>\r\n<body><center><h1>${status}</h1></center><hr></body>\r\n</html>\r\n`,
    headers: { "content-type": "text/html" },
  };
}

/** Bytes and headers of a reply. */
export function encodeReply(reply: Reply): { readonly text: string | Uint8Array; readonly headers: Record<string, string> } {
  if (reply.body instanceof Uint8Array)
    return { text: reply.body, headers: { "content-type": "application/octet-stream", ...reply.headers } };
  const isText = typeof reply.body === "string";
  const text = isText ? String(reply.body) : JSON.stringify(reply.body);
  return { text, headers: { "content-type": isText ? "text/plain" : "application/json", ...reply.headers } };
}
