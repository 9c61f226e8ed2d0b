/**
 * A suite's manifest: what its scripts need that they do not say, path by path. JSON:
 *
 *     { "scripts": { "tcp/sack/": { "set": { "dsack": false } },
 *                    "tcp/zerocopy/*.pkt": { "skip": "zerocopy is the kernel's" } } }
 *
 * A key is the end of a path, a folder (with a slash behind), or has `*` for any characters.
 * Later keys win over earlier ones.
 */
export interface ManifestEntry {
  /** Settings of TCP that differ. */
  readonly set?: Readonly<Record<string, unknown>>;
  readonly define?: Readonly<Record<string, string>>;
  readonly ip?: string;
  /** Not run, and why. */
  readonly skip?: string;
  /** Leniencies. */
  readonly ignorePush?: boolean;
  readonly toleranceUs?: number;
  readonly strict?: boolean;
  readonly strictSegments?: boolean;
}

export interface Manifest {
  readonly scripts: Readonly<Record<string, ManifestEntry>>;
}

const KEYS = new Set<string>([
  "set",
  "define",
  "ip",
  "skip",
  "ignorePush",
  "toleranceUs",
  "strict",
  "strictSegments",
] satisfies (keyof ManifestEntry)[]);

/** Throws SyntaxError with a sentence for what is no manifest. */
export function parseManifest(text: string): Manifest {
  const value = JSON.parse(text) as Manifest;
  if (typeof value !== "object" || typeof value?.scripts !== "object" || value.scripts === null) {
    throw new SyntaxError('a manifest is an object with "scripts", a path for each entry');
  }
  for (const [path, entry] of Object.entries(value.scripts)) {
    for (const key of Object.keys(entry)) {
      if (!KEYS.has(key)) throw new SyntaxError(`"${key}" of "${path}" is not known in a manifest`);
    }
  }
  return value;
}

/** All that a manifest says about a path. */
export function manifestEntry(manifest: Manifest, path: string): ManifestEntry {
  let found: ManifestEntry = {};
  for (const [pattern, entry] of Object.entries(manifest.scripts)) {
    if (!matches(pattern, path)) continue;
    found = {
      ...found,
      ...entry,
      set: { ...found.set, ...entry.set },
      define: { ...found.define, ...entry.define },
    };
  }
  return found;
}

function matches(pattern: string, path: string): boolean {
  const source = pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
  const end = pattern.endsWith("/") ? "" : "$";
  return new RegExp(`(?:^|/)${source}${end}`).test(path);
}
