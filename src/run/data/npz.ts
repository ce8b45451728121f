/** .npz archives: one array per input of the model. */
import { DataError } from '../../errors.js';
import { arraySource } from './arrays.js';
import type { StoredArray } from './arrays.js';
import type { Assumption, InputSpec } from './dataset.js';
import { statOf } from './files.js';
import { readHeader } from './npy.js';
import { openAll } from './problems.js';
import type { DataFile, Source, SourceContext } from './source.js';
import { zipEntries } from './zip.js';
import type { ZipEntry } from './zip.js';

/** What one archive gives. */
interface Archive {
  /** In the order of the inputs. */
  readonly arrays: readonly StoredArray[];
  readonly notes: readonly string[];
}

/**
 * One source per input.
 *
 * @throws DataError when an archive cannot be read or does not hold what the inputs need.
 */
export async function openNpz(
  files: readonly DataFile[],
  inputs: readonly InputSpec[],
  context: SourceContext,
): Promise<Source[]> {
  const { opened, excluded } = await openAll(files, context.skipUnreadable, (file) =>
    openArchive(file, inputs),
  );
  const notes = new Set(opened.flatMap((archive) => archive.notes));
  const assumed = [...notes].map((value): Assumption => ({ what: 'arrays', value, from: 'data' }));
  const sources = inputs.map((input, i) => {
    const arrays = opened.map((archive) => archive.arrays[i]!);
    return arraySource(input, arrays, context, { kind: 'npz', excluded });
  });
  checkAligned(sources);
  return sources.map((source) => ({ ...source, assumed: [...source.assumed, ...assumed] }));
}

async function openArchive(file: DataFile, inputs: readonly InputSpec[]): Promise<Archive> {
  const { size } = await statOf(file.path);
  if (size === 0) throw new DataError('it is empty');
  const { chosen, notes } = chooseEntries(await zipEntries(file.path, size), inputs);
  const arrays: StoredArray[] = [];
  for (const entry of chosen) arrays.push(await openEntry(file, entry));
  return { arrays, notes };
}

async function openEntry({ id, path }: DataFile, entry: ZipEntry): Promise<StoredArray> {
  const reader = entry.open();
  try {
    return { id, path, header: await readHeader(reader, entry.size), open: () => entry.open() };
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new DataError(`its array ${keyOf(entry)}: ${error.message}`, { cause: error });
  } finally {
    await reader.close();
  }
}

/** Arrays are entries called KEY.npy. */
function keyOf({ name }: ZipEntry): string {
  return name.replace(/\.npy$/, '');
}

/** The entry of each input: by name, or by position where names say nothing. */
function chooseEntries(
  entries: readonly ZipEntry[],
  inputs: readonly InputSpec[],
): { readonly chosen: readonly ZipEntry[]; readonly notes: readonly string[] } {
  const byKey = new Map(entries.map((entry) => [keyOf(entry), entry]));
  const keys = [...byKey.keys()];
  const named = inputs.flatMap(({ name }) => byKey.get(name) ?? []);
  if (named.length === inputs.length) {
    const unused = keys.filter((key) => !inputs.some(({ name }) => name === key));
    return { chosen: named, notes: unused.length === 0 ? [] : [`${unused.join(', ')} not used`] };
  }
  // numpy.savez calls arrays that were passed without a name arr_0, arr_1, ...; with one array there is no choice.
  const positional = inputs.flatMap((_, i) => byKey.get(`arr_${i}`) ?? []);
  const sole = inputs.length === 1 ? [...byKey.values()] : [];
  const chosen = positional.length === inputs.length ? positional : sole;
  if (keys.length !== inputs.length || chosen.length !== inputs.length) {
    const wanted = inputs.map(({ name }) => name).join(', ');
    throw new DataError(`it holds ${keys.join(', ') || 'no arrays'}; arrays called ${wanted} are wanted`);
  }
  return { chosen, notes: chosen.map((entry, i) => `${keyOf(entry)} fed to input ${inputs[i]!.name}`) };
}

/** Sample i of every input must come from the same place of the same archive. */
function checkAligned(sources: readonly Source[]): void {
  const [first, ...others] = sources;
  if (first === undefined) return;
  for (const other of others) {
    const length = Math.max(first.count, other.count);
    for (let i = 0; i < length; i++) {
      if (i < first.count && i < other.count && first.id(i) === other.id(i)) continue;
      const file = (i < first.count ? first : other).id(i).replace(/#\d+$/, '');
      const held = `inputs ${first.input.name} and ${other.input.name} have different numbers of samples`;
      throw new DataError(`${file}: ${held} (${first.count} and ${other.count} in all)`);
    }
  }
}
