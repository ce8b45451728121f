/** Dumped arrays as tensors of the network: which tensor, of which samples, and what fits nothing. */
import { elementCount, formatDims } from '../../ir/elements.js';
import type { Candidate, OtherRun } from '../other-run.js';
import type { Target } from '../other/targets.js';
import { canHold } from './extents.js';
import type { DumpedArray } from './inventory.js';
import { NO_NAME, TensorNames, type Form } from './names.js';
import { SampleNames } from './sample-names.js';

/** An array that holds a tensor. */
export interface ActualArray {
  readonly array: DumpedArray;
  readonly target: Target;
  /** What its name says that it is. */
  readonly form: Form;
  /** Sample that it, or the first of its rows, belongs to. */
  readonly sample: number;
  /** Samples in it, one behind the other. */
  readonly samples: number;
  /** What was assumed. */
  readonly note?: string;
}

export interface Matches {
  /** In the order of the arrays. */
  readonly matched: readonly ActualArray[];
  readonly skipped: OtherRun['skipped'];
}

/** Folders and file that are looked at: names of tensors have few parts. */
const MOST_SEGMENTS = 12;

/** Of several arrays of one tensor, the one that needs the least guessing. */
const FORMS: readonly Form[] = ['codes', 'values', 'tensor'];

interface NamedArray {
  readonly array: DumpedArray;
  readonly target: Target;
  readonly form: Form;
  readonly level: number;
  /** Folders that are no part of the tensor's name. */
  readonly rest: readonly string[];
}

/** @param ids names of the samples in order */
export function matchArrays(
  candidate: Candidate,
  targets: readonly Target[],
  ids: readonly string[],
  arrays: readonly DumpedArray[],
): Matches {
  const names = new TensorNames(candidate, targets);
  const skipped: { subject: string; reason: string }[] = [];
  const named = arrays.flatMap((array): NamedArray[] => {
    const found = nameOf(array, names);
    if (typeof found !== 'string') return [found];
    skipped.push({ subject: array.label, reason: found });
    return [];
  });
  const samples = new SampleNames(ids).resolve(named.map(({ rest }) => rest));
  const chosen = new Map<string, { readonly match: ActualArray; readonly level: number }>();
  named.forEach((one, i) => {
    const { array, target, level } = one;
    const match = placed(one, samples[i], ids);
    if (typeof match === 'string') {
      skipped.push({ subject: array.label, reason: match });
      return;
    }
    const key = `${target.tensor}:${match.sample}`;
    const other = chosen.get(key);
    const better =
      other === undefined ||
      level < other.level ||
      (level === other.level && FORMS.indexOf(match.form) < FORMS.indexOf(other.match.form));
    if (better) chosen.set(key, { match, level });
    const left = better ? other?.match : match;
    if (left !== undefined) {
      const taken = chosen.get(key)!.match.array.label;
      skipped.push({ subject: left.array.label, reason: `${target.name} is read from ${taken}` });
    }
  });
  return { matched: [...chosen.values()].map(({ match }) => match), skipped };
}

/** Of all ways to divide a path into the name of a tensor and folders around it, the surest, then the longest name. */
function nameOf(array: DumpedArray, names: TensorNames): NamedArray | string {
  const segments = array.segments.slice(-MOST_SEGMENTS);
  const elements = elementCount(array.header.dims);
  let best: NamedArray | undefined;
  let ambiguous: string | undefined;
  // The second time: one folder a tensor, with a file for each sample.
  for (const end of [segments.length, segments.length - 1]) {
    for (let start = 0; start < end; start++) {
      const name = segments.slice(start, end).join('/');
      const match = names.find(name);
      if (match === undefined) continue;
      const { found, level } = match;
      // A folder called 0 is a sample.
      if (level >= NO_NAME && end < segments.length) continue;
      const fitting = found.length > 1 ? found.filter(({ target }) => elements % target.count === 0) : found;
      const [only, another] = fitting;
      if (only === undefined || another !== undefined) ambiguous ??= severalMeant(name, found);
      else if (best === undefined || level < best.level) {
        best = { array, ...only, level, rest: [...segments.slice(0, start), ...segments.slice(end)] };
      }
    }
  }
  return best ?? ambiguous ?? 'no tensor of the network is called so';
}

function severalMeant(name: string, found: readonly { readonly target: Target }[]): string {
  const shown = found.slice(0, 4).map(({ target }) => `${target.name} of ${target.node || 'the inputs'}`);
  return `${name} may be ${shown.join(', ')}${found.length > shown.length ? ', …' : ''}`;
}

/** The array with the samples it holds, or why it holds none. */
function placed(
  { array, target, form }: NamedArray,
  sample: number | undefined,
  ids: readonly string[],
): ActualArray | string {
  const { dims } = array.header;
  const elements = elementCount(dims);
  const samples = elements / target.count;
  const otherShape = `its shape is ${formatDims(dims)}; ${target.name} is ${formatDims(target.dims)} in one sample`;
  if (!Number.isInteger(samples)) return otherShape;
  if (sample !== undefined && samples > 1) {
    return `it holds ${samples} samples of ${target.name} and lies in the folder of one (${ids[sample] ?? sample})`;
  }
  if (samples > ids.length)
    return `it holds ${samples} samples of ${target.name}; the data has ${ids.length}`;
  if (samples > 1 && (dims[0] ?? 1) % samples !== 0) {
    return `its shape ${formatDims(dims)} does not divide into ${samples} samples along its first axis`;
  }
  const [rows = 1, ...rest] = dims;
  // Several rows a sample are several only because the tensor has an axis there: they are not split off one.
  if (!canHold([rows / samples, ...rest], target.dims, samples === 1 || rows === samples)) return otherShape;
  const partial = sample === undefined && samples < ids.length;
  const note = samples === 1 ? `taken as sample ${ids[0] ?? 0}` : `taken as the first ${samples} samples`;
  return { array, target, form, sample: sample ?? 0, samples, ...(partial ? { note } : {}) };
}
