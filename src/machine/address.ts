import { isIP } from "node:net";
import type { Address } from "../lease/address.ts";
import { SshFailure } from "../lease/failure.ts";
import { plain } from "../lease/plain.ts";

const HOST_NAME = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*\.?$/i;
const USER_NAME = /^[a-z_][a-z0-9._-]{0,31}$/i;

const REFUSED = "The marketplace gave an address that cannot be used. This machine is deleted; another offer can be tried.";

/**
 * Throws SshFailure unless host (name, IPv4 or IPv6), port and user are nothing but that. They come from a vendor and end up in
 * an ssh configuration and in a command to paste, so neither an option nor a shell word may hide in them.
 */
export function checkAddress(address: Address): void {
  // A zone (`fe80::1%eth0`) is of no use between two networks, and the percent sign expands in ssh_config.
  const isAddress = isIP(address.host) !== 0 && !address.host.includes("%");
  if (!isAddress && !HOST_NAME.test(address.host))
    throw new SshFailure(`The machine's host '${plain(address.host, 80)}' is neither a host name nor an IP address.`, REFUSED);
  if (!Number.isInteger(address.port) || address.port < 1 || address.port > 65_535)
    throw new SshFailure(`The machine's SSH port ${address.port} is not between 1 and 65535.`, REFUSED);
  if (!USER_NAME.test(address.user))
    throw new SshFailure(`The machine's SSH user '${plain(address.user, 80)}' is not a user name.`, REFUSED);
}

/** `host:port`, with brackets where the host is IPv6. */
export function writeAddress(address: Pick<Address, "host" | "port">): string {
  return address.host.includes(":") ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
