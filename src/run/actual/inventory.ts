/** The arrays in a folder of dumped tensors: .npy files, and entries of .npz archives as if these were folders. */
import { basename } from 'node:path';
import { DataError, UsageError } from '../../errors.js';
import type { ByteReader } from '../data/byte-reader.js';
import { isFeedable } from '../data/convert.js';
import { atMost, extensionOf, listFolder, statOf, type FolderListing } from '../data/files.js';
import type { ArrayHeader } from '../data/npy-header.js';
import { openNpy, readHeader } from '../data/npy.js';
import type { DataFile } from '../data/source.js';
import { zipEntries } from '../data/zip.js';
import type { OtherRun } from '../other-run.js';

export interface DumpedArray {
  /** Where it lies, for the user. */
  readonly label: string;
  /** Folders, archive and file, without extensions. */
  readonly segments: readonly string[];
  readonly header: ArrayHeader;
  open(): ByteReader;
}

export interface Inventory {
  readonly arrays: readonly DumpedArray[];
  readonly skipped: OtherRun['skipped'];
}

/**
 * @param path a folder, whose links are followed, or one .npy or .npz file
 * @returns `skipped`: files that hold no array of numbers, each with the reason
 * @throws UsageError when nothing is there or the folder cannot be listed
 */
export async function inventoryOf(path: string): Promise<Inventory> {
  const arrays: DumpedArray[] = [];
  const skipped: { subject: string; reason: string }[] = [];
  const { files, special } = await filesAt(path);
  if (special > 0) {
    const subject = special === 1 ? '1 entry' : `${special} entries`;
    skipped.push({ subject, reason: 'a device, a pipe or a link that leads nowhere' });
  }
  for (const file of files) {
    try {
      const extension = extensionOf(file.id);
      if (extension === '.npy') arrays.push(await plainArray(file));
      else if (extension === '.npz') await addArchive(file, arrays, skipped);
      else skipped.push({ subject: file.id, reason: 'it is neither .npy nor .npz' });
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      skipped.push({ subject: file.id, reason: error.message });
    }
  }
  return { arrays, skipped };
}

/** What was found, for the message that nothing fits. */
export function describeInventory({ arrays, skipped }: Inventory): string[] {
  if (arrays.length === 0 && skipped.length === 0) return ['no files'];
  const found = arrays.map(({ label, header: { dtype, dims } }) => `${label}: ${dtype} [${dims.join(', ')}]`);
  return atMost([...found, ...skipped.map(({ subject, reason }) => `${subject}: ${reason}`)]);
}

async function filesAt(path: string): Promise<Pick<FolderListing, 'files' | 'special'>> {
  try {
    const stats = await statOf(path);
    if (stats.isDirectory()) return await listFolder(path);
    return { files: [{ path, id: basename(path) }], special: 0 };
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new UsageError(`--actual ${path}: ${error.message}`, {
      hint: '--actual DIR with one .npy file per tensor, called as the tensor is',
      cause: error,
    });
  }
}

async function plainArray(file: DataFile): Promise<DumpedArray> {
  const array = await openNpy(file);
  return {
    label: file.id,
    segments: segmentsOf(file.id),
    header: usable(array.header),
    open: () => array.open(),
  };
}

async function addArchive(
  file: DataFile,
  arrays: DumpedArray[],
  skipped: { subject: string; reason: string }[],
): Promise<void> {
  const { size } = await statOf(file.path);
  for (const entry of await zipEntries(file.path, size)) {
    const label = `${file.id}/${entry.name}`;
    const reader = entry.open();
    try {
      const header = usable(await readHeader(reader, entry.size));
      const segments = [...segmentsOf(file.id), ...segmentsOf(entry.name)];
      arrays.push({ label, segments, header, open: () => entry.open() });
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      skipped.push({ subject: label, reason: error.message });
    } finally {
      await reader.close();
    }
  }
}

function usable(header: ArrayHeader): ArrayHeader {
  if (!isFeedable(header.dtype)) throw new DataError(`it holds ${header.dtype}, which is not read`);
  if (header.dims.includes(0)) throw new DataError(`its shape is [${header.dims.join(', ')}]: it is empty`);
  return header;
}

function segmentsOf(id: string): string[] {
  return id.replace(/\.np[yz]$/i, '').split('/');
}
