import { type FileHandle, open, readdir, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import type { FileFolder, FileStore, OpenFile } from "../../services/static-files.ts";

/**
 * The files below a folder of the disk, for `staticFiles`. Names that begin
 * with a dot are hidden, and a link that leads out of the folder counts as
 * absent.
 */
export async function folder(root: string): Promise<FileStore> {
  const top = await realpath(root);
  return {
    async open(path): Promise<OpenFile | FileFolder | undefined> {
      if (path.split("/").some((part) => part.startsWith("."))) return undefined;
      const full = await realpath(join(top, path)).catch(() => undefined);
      if (
        full === undefined ||
        (full !== top && !full.startsWith(top.endsWith(sep) ? top : top + sep))
      ) {
        return undefined;
      }
      const info = await stat(full).catch(() => undefined);
      if (info?.isDirectory()) return { kind: "folder", list: () => list(full) };
      // A pipe or a device could hold the reader up for ever.
      if (!info?.isFile() || path.endsWith("/")) return undefined;
      const handle = await open(full, "r").catch(() => undefined);
      return handle === undefined ? undefined : openFile(handle);
    },
  };
}

async function openFile(handle: FileHandle): Promise<OpenFile> {
  const { size, mtime, mtimeMs } = await handle.stat();
  return {
    kind: "file",
    size,
    lastModified: mtime.toUTCString(),
    etag: `"${size.toString(16)}-${Math.floor(mtimeMs).toString(16)}"`,
    read: async (into, position) => (await handle.read(into, 0, into.length, position)).bytesRead,
    close: () => handle.close(),
  };
}

async function list(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true });
  return entries
    .filter((entry) => !entry.name.startsWith("."))
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
    .sort();
}
