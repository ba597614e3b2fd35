import { createHash } from "node:crypto";
import type { Reply } from "../reply.ts";
import { notFound } from "./replies.ts";

export interface ApplicationOptions {
  /** `2.336.0` unless told; the newest one, which the list of downloads names. */
  readonly version?: string;
  /** Further versions with a release of their own. */
  readonly olderVersions?: readonly string[];
  /** The archive of a version; a few bytes that are no archive unless told. */
  buildArchive?(version: string): Promise<{ readonly bytes: Uint8Array }>;
  /** Neither list tells checksums when false. */
  readonly tellsChecksums?: boolean;
}

/** The archives of the runner application, for Linux on two architectures. */
export interface Downloads {
  readonly version: string;
  /** `GET …/actions/runners/downloads` */
  list(origin: string): Reply;
  /** `GET /repos/actions/runner/releases/tags/{tag}` */
  release(tag: string, origin: string): Reply;
  file(name: string): Reply;
}

const ARCHITECTURES = ["x64", "arm64"] as const;
const filename = (version: string, architecture: string) => `actions-runner-linux-${architecture}-${version}.tar.gz`;

export async function offerDownloads(options: ApplicationOptions): Promise<Downloads> {
  const { version = "2.336.0", olderVersions = [], tellsChecksums = true } = options;
  const build = options.buildArchive ?? (async (one: string) => ({ bytes: Buffer.from(`no archive of ${one}`) }));
  const archives = new Map<string, { readonly bytes: Uint8Array; readonly sha256: string }>();
  for (const one of [version, ...olderVersions]) {
    const { bytes } = await build(one);
    archives.set(one, { bytes, sha256: createHash("sha256").update(bytes).digest("hex") });
  }
  const url = (origin: string, name: string) => `${origin}/_downloads/${name}`;
  return {
    version,
    list(origin) {
      const sha256 = archives.get(version)?.sha256;
      const body = ARCHITECTURES.map((architecture) => ({
        os: "linux",
        architecture,
        download_url: url(origin, filename(version, architecture)),
        filename: filename(version, architecture),
        ...(tellsChecksums ? { sha256_checksum: sha256 } : {}),
      }));
      return { status: 200, body };
    },
    release(tag, origin) {
      const archive = archives.get(tag.replace(/^v/, ""));
      if (!archive || !tag.startsWith("v")) return notFound;
      const assets = ARCHITECTURES.map((architecture, index) => ({
        id: index + 1,
        name: filename(tag.slice(1), architecture),
        size: archive.bytes.length,
        content_type: "application/x-gzip",
        digest: tellsChecksums ? `sha256:${archive.sha256}` : null,
        browser_download_url: url(origin, filename(tag.slice(1), architecture)),
      }));
      return { status: 200, body: { id: 1, tag_name: tag, name: tag, draft: false, prerelease: false, assets } };
    },
    file(name) {
      for (const [one, { bytes }] of archives)
        if (ARCHITECTURES.some((architecture) => filename(one, architecture) === name)) return { status: 200, body: bytes };
      return notFound;
    },
  };
}
