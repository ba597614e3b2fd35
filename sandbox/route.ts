/** A route such as `DELETE /resources/:id`: a method and a path in which `:name` stands for one segment. */
export interface Route {
  /** The parameters of a path of this route, or undefined when it is another. */
  match(method: string, path: string): Readonly<Record<string, string>> | undefined;
  /** Whether the path is one of this route, whatever the method. */
  matchesPath(path: string): boolean;
}

/** Throws when the pattern is not `METHOD /path`. */
export function parseRoute(pattern: string): Route {
  const [, method, path] = /^([A-Z]+) (\/\S*)$/.exec(pattern) ?? [];
  if (method === undefined || path === undefined) throw new Error(`'${pattern}' is not a route like 'GET /offers/:id'.`);
  const segments = path.split("/");
  const parameters = (actual: string) => {
    const given = actual.split("/");
    if (given.length !== segments.length) return undefined;
    const found: Record<string, string> = {};
    for (const [index, segment] of segments.entries()) {
      const value = given[index] ?? "";
      if (segment.startsWith(":")) found[segment.slice(1)] = value;
      else if (segment !== value) return undefined;
    }
    return found;
  };
  return {
    match: (actualMethod, actualPath) => (actualMethod === method ? parameters(actualPath) : undefined),
    matchesPath: (actualPath) => parameters(actualPath) !== undefined,
  };
}
