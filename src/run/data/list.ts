/**
 * List files: one sample a line, as a path or one path per input.
 *
 * Read are the lists of rknn (paths separated by spaces, in the order of the inputs), SNPE and QNN (`input:=path`, `#` and
 * `%` lines name outputs), darknet and Caffe (a path, then labels or boxes, which are passed over).
 */
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { DataError, UsageError } from '../../errors.js';
import { arraySource } from './arrays.js';
import { openBin } from './bin.js';
import type { Assumption, InputSpec } from './dataset.js';
import { extensionOf, reasonOf, statOf } from './files.js';
import { IMAGE_EXTENSIONS, openImages, UNREAD_IMAGE_EXTENSIONS } from './images.js';
import { openNpy } from './npy.js';
import { openAll } from './problems.js';
import type { DataFile, Source, SourceContext } from './source.js';

export const LIST_EXTENSIONS: ReadonlySet<string> = new Set(['.txt', '.lst', '.list']);

const MAX_LIST_BYTES = 1 << 26;

/** A line, with the file of each input. */
interface Line {
  readonly id: string;
  readonly files: readonly DataFile[];
  /** Text after the path that is no path: labels, boxes. */
  readonly rest: string;
}

/**
 * One source per input.
 *
 * @throws DataError naming the entries that do not exist or cannot be read.
 */
export async function openList(
  list: DataFile,
  inputs: readonly InputSpec[],
  context: SourceContext,
): Promise<Source[]> {
  const lines = await readLines(list);
  const folder = dirname(list.path);
  const { opened, excluded } = await openAll(lines, context.skipUnreadable, (line) =>
    readLine(line, inputs, folder),
  );
  const passedOver = opened.find(({ rest }) => rest !== '')?.rest;
  const notes: Assumption[] =
    passedOver === undefined
      ? []
      : [
          {
            what: 'list',
            value: `text after the path is passed over, such as ${passedOver.slice(0, 40)}`,
            from: 'data',
          },
        ];
  const sources: Source[] = [];
  for (const [column, input] of inputs.entries()) {
    const files = opened.map((line) => line.files[column]!);
    const source = await openColumn(files, input, context, inputs.length > 1);
    sources.push({
      ...source,
      kind: 'list',
      assumed: [...source.assumed, ...notes],
      excluded: [...excluded, ...source.excluded],
    });
  }
  return sources;
}

async function readLines({ path, id }: DataFile): Promise<{ id: string; text: string }[]> {
  const { size } = await statOf(path);
  if (size > MAX_LIST_BYTES)
    throw new DataError(`${id} has ${size} bytes; lists of up to ${MAX_LIST_BYTES} are read`);
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new DataError(`${id}: ${reasonOf(cause)}`, { cause });
  });
  if (text.includes('\0')) throw new DataError(`${id} is not text; a list has one path a line`);
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .map((line, i) => ({ id: `${id}:${i + 1}`, text: line.trim() }))
    .filter((line) => line.text !== '' && !/^[#%]/.test(line.text));
  if (lines.length === 0) throw new DataError(`${id} lists no files`);
  return lines;
}

/** @throws DataError when the line does not have one existing file per input. */
async function readLine(
  { id, text }: { id: string; text: string },
  inputs: readonly InputSpec[],
  folder: string,
): Promise<Line> {
  const fileOf = async (entry: string): Promise<DataFile> => {
    const path = isAbsolute(entry) ? entry : join(folder, entry);
    if (!(await statOf(path)).isFile()) throw new DataError('it is not a file');
    return { path, id: entry.replaceAll('\\', '/') };
  };
  const tokens = text.split(/\s+/);
  try {
    if (inputs.length > 1) {
      const files: DataFile[] = [];
      for (const entry of entriesByInput(tokens, inputs)) files.push(await fileOf(entry));
      return { id, files, rest: '' };
    }
    const entry = withoutName(text, inputs[0]!);
    const [first = '', ...rest] = withoutName(tokens.join(' '), inputs[0]!).split(' ');
    // Numbers after a path are labels or boxes; anything else belongs to a name with spaces.
    const labelled = rest.length > 0 && rest.every((token) => /^[-+\d.,:e]+$/i.test(token));
    const whole = await fileOf(entry).catch((error: unknown) => {
      if (!labelled || !(error instanceof DataError)) throw error;
      return undefined;
    });
    if (whole !== undefined) return { id, files: [whole], rest: '' };
    return { id, files: [await fileOf(first)], rest: rest.join(' ') };
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new DataError(`${text.slice(0, 200)}: ${error.message}`, { cause: error });
  }
}

/** `input:=path` without the name of the only input. */
function withoutName(text: string, { name }: InputSpec): string {
  return text.startsWith(`${name}:=`) ? text.slice(name.length + 2) : text;
}

/** The paths of a line in the order of the inputs. */
function entriesByInput(tokens: readonly string[], inputs: readonly InputSpec[]): readonly string[] {
  if (tokens.length !== inputs.length) {
    const names = inputs.map(({ name }) => name).join(', ');
    throw new DataError(
      `it has ${tokens.length} entries; ${inputs.length} are wanted, one per input: ${names}`,
    );
  }
  if (!tokens.some((token) => token.includes(':='))) return tokens;
  return inputs.map(({ name }) => {
    const token = tokens.find((candidate) => candidate.startsWith(`${name}:=`));
    if (token === undefined) throw new DataError(`it has no entry ${name}:=PATH`);
    return token.slice(name.length + 2);
  });
}

async function openColumn(
  files: readonly DataFile[],
  input: InputSpec,
  context: SourceContext,
  paired: boolean,
): Promise<Source> {
  // Leaving out a file of one input would shift it against the others.
  const own = paired ? { ...context, skipUnreadable: false } : context;
  const kinds = new Set(files.map(({ id }) => kindOf(extensionOf(id))));
  const [kind] = kinds;
  if (kinds.size !== 1 || kind === undefined) {
    const extensions = [...new Set(files.map(({ id }) => extensionOf(id)))].join(' ');
    throw new UsageError(
      `the list has files ${extensions} for input ${input.name}; all images, all .npy or all .bin are wanted`,
    );
  }
  if (kind === 'image') return openImages(files, input, own);
  const { opened, excluded } = await openAll(files, own.skipUnreadable, (file) =>
    kind === 'npy' ? openNpy(file) : openBin(file, input, own),
  );
  return arraySource(input, opened, own, { kind: 'list', onePerFile: paired, excluded });
}

function kindOf(extension: string): 'image' | 'npy' | 'bin' | undefined {
  if (IMAGE_EXTENSIONS.has(extension) || UNREAD_IMAGE_EXTENSIONS.has(extension)) return 'image';
  if (extension === '.npy') return 'npy';
  return extension === '.bin' || extension === '.raw' ? 'bin' : undefined;
}
