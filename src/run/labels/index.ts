/**
 * Labels of the samples in use, from wherever they are: a file, a folder, the names of the files, or found beside the images;
 * in the classes of the model.
 */
import { basename, join, resolve } from 'node:path';
import { DataError, UsageError } from '../../errors.js';
import type { Assumption } from '../data/dataset.js';
import { atMost, extensionOf, statOf } from '../data/files.js';
import { classFolders } from './class-folders.js';
import { checkClassFlags, resolveClasses } from './class-map.js';
import type { ClassResolution } from './class-map.js';
import { cocoSource, isCoco } from './coco.js';
import { isFolder, kindOfPath } from './image-folders.js';
import { jsonRows } from './json-labels.js';
import { maskFolder, masksBeside } from './masks.js';
import { namePattern, PATTERN_PREFIX } from './name-pattern.js';
import { npyLabels } from './npy-labels.js';
import { plainLabels } from './plain-labels.js';
import { noted } from './source.js';
import type { LabelRequest, LabelSource, StoredMask, StoredTruth } from './source.js';
import { readTable } from './table.js';
import { parseJson, readText } from './text-file.js';
import { IGNORED } from './truth.js';
import type { Labels, MaskTruth, SampleName, Truth, TruthBox } from './truth.js';
import { yoloBeside, yoloFolder } from './yolo.js';

export type { LabelRequest } from './source.js';
export { namedClasses } from './class-names.js';

/** Does without labels that would be found. */
const NONE = 'none';
/** Files in the data's folder that hold its labels; the second is that of MLPerf Tiny. */
const LABEL_FILES = ['labels.csv', 'y_labels.csv', 'labels.tsv', 'labels.json'];
/** Masks that are read on opening: a numbering that is not the model's is said before a network runs. */
const MASKS_LOOKED_AT = 8;

/**
 * @returns undefined when no labels were given and none are found, or none can be used
 * @throws UsageError or DataError saying everything that is wrong with them
 */
export async function openLabels(request: LabelRequest): Promise<Labels | undefined> {
  const { labels, samples, wanted } = request;
  checkClassFlags(request);
  if (labels === NONE || wanted.length === 0 || samples.length === 0) return undefined;
  const source = labels === undefined ? await beside(request) : await given(labels, request).catch(withHint);
  if (source === undefined) return undefined;
  const missing = unlabelled(source, request);
  const classes = resolveClasses(source.kind, source.classes, request);
  const dropped = await checkClasses(source, classes, request, missing);
  const { names, assumed } = classes;
  return {
    kind: source.kind,
    source: source.source,
    classNames: names,
    // Many labels may be one class of the model then.
    ...(source.classes.count === undefined || request.classMap !== undefined
      ? {}
      : { labelCount: source.classes.count }),
    assumed: [
      { what: 'labels', value: source.source, from: labels === undefined ? 'data' : 'flag' },
      ...source.assumed,
      ...(source.kind === 'values' ? [] : assumed),
      ...dropped,
      ...(missing.size > 0 ? [noted('samples without a label', `${missing.size}, left out`)] : []),
    ],
    unlabelled: missing,
    async read(sample) {
      if (missing.has(sample.id)) throw new DataError(`${sample.id} has no label`);
      return inModelClasses(await source.read(sample), classes, sample);
    },
  };
}

/** What is wrong with a file is said by its readers; what to do is always the same. */
function withHint(error: unknown): never {
  if (!(error instanceof DataError) || error.hint !== undefined) throw error;
  throw new DataError(error.message, {
    places: error.places,
    hint: '--labels FILE that is whole, or --labels none, which does without',
    cause: error,
  });
}

/** The best kind of labels that lies beside the samples. */
async function beside(request: LabelRequest): Promise<LabelSource | undefined> {
  for (const kind of request.wanted) {
    const found = await besideOf({ ...request, wanted: [kind] });
    if (found !== undefined) return found;
  }
  return undefined;
}

async function besideOf(request: LabelRequest): Promise<LabelSource | undefined> {
  const [kind] = request.wanted;
  if (kind === 'boxes') return (await yoloBeside(request)) ?? (await cocoBeside(request));
  if (kind === 'mask') return masksBeside(request);
  const folders = kind === 'class' ? await classFolders(request) : undefined;
  return folders ?? (await listBeside(request));
}

/** The annotations of coco/val2017 are coco/annotations/instances_val2017.json; Roboflow has its own beside the images. */
async function cocoBeside(request: LabelRequest): Promise<LabelSource | undefined> {
  const root = resolve(request.root);
  const instances = join('annotations', `instances_${basename(root)}.json`);
  for (const path of [
    join(root, '_annotations.coco.json'),
    join(root, '..', instances),
    join(root, '../..', instances),
  ]) {
    if (await isFile(path)) return fromFile(path, request);
  }
  return undefined;
}

function isFile(path: string): Promise<boolean> {
  return statOf(path).then(
    (stats) => stats.isFile(),
    () => false,
  );
}

/** A file of labels in the folder of the data. */
async function listBeside(request: LabelRequest): Promise<LabelSource | undefined> {
  if (!(await isFolder(request.root))) return undefined;
  for (const name of LABEL_FILES) {
    const path = join(request.root, name);
    if (!(await isFile(path))) continue;
    try {
      return await fromFile(path, request);
    } catch (error) {
      // Labels of another kind that nobody asked for.
      if (!(error instanceof UsageError)) throw error;
    }
  }
  return undefined;
}

async function given(labels: string, request: LabelRequest): Promise<LabelSource> {
  const { wanted } = request;
  if (labels.startsWith(PATTERN_PREFIX)) {
    refuseKind('class', 'classes in the names of files', request);
    return namePattern(labels.slice(PATTERN_PREFIX.length), request);
  }
  if ((await kindOfPath(labels)) === 'file') return fromFile(labels, request);
  for (const kind of wanted) {
    const found =
      kind === 'boxes'
        ? await yoloFolder(labels, request)
        : kind === 'mask'
          ? await maskFolder(labels, request)
          : kind === 'class' && resolve(labels) === resolve(request.root)
            ? await classFolders(request)
            : undefined;
    if (found !== undefined) return found;
  }
  const looked = wanted.map((kind) => WANTED_IN_FOLDER[kind]).join(' or ');
  throw new DataError(`--labels ${labels}: the folder holds no ${looked}`, {
    hint: "--labels FILE.csv, .json or .npy, a folder of .png masks or of YOLO's .txt boxes",
  });
}

const WANTED_IN_FOLDER = {
  boxes: '.txt files of boxes',
  mask: '.png masks',
  class: 'class folders that are those of the data',
  values: 'file of values',
} as const;

/** @throws UsageError when labels of this kind are of no use */
function refuseKind(kind: Truth['kind'], what: string, { wanted }: LabelRequest): void {
  if (wanted.includes(kind)) return;
  throw new UsageError(`--labels holds ${what}; wanted are ${wanted.join(' or ')}`, {
    hint: '--labels with such labels, or another --metric',
  });
}

async function fromFile(path: string, request: LabelRequest): Promise<LabelSource> {
  const extension = extensionOf(path);
  const file = basename(path);
  switch (extension) {
    case '.npy':
      return npyLabels(path, request);
    case '.csv':
    case '.tsv':
    case '.txt':
      return plainLabels(await readTable(path), request);
    case '.json': {
      const content = parseJson(await readText(path), file);
      if (!isCoco(content)) return plainLabels(jsonRows(content, file), request);
      refuseKind('boxes', 'boxes of COCO', request);
      return cocoSource(content, file, request);
    }
    default:
      throw new DataError(`${path} is of a kind that holds no labels`, {
        hint: '--labels FILE.csv, .tsv, .txt, .json or .npy, or a folder of masks or boxes',
      });
  }
}

/** @throws DataError when samples have no label, unless they may be left out */
function unlabelled({ source, missing }: LabelSource, request: LabelRequest): ReadonlySet<string> {
  const { samples, skipUnlabelled } = request;
  if (missing.size === 0 || (skipUnlabelled && missing.size < samples.length)) return missing;
  throw new DataError(`${missing.size} of ${samples.length} samples have no label in ${source}`, {
    places: atMost([...missing]),
    hint:
      missing.size < samples.length
        ? '--skip-unlabelled leaves them out'
        : '--labels none does without labels',
  });
}

/** @throws DataError about classes that the model does not have, as far as they can be known beforehand */
async function checkClasses(
  source: LabelSource,
  resolution: ClassResolution,
  { samples }: LabelRequest,
  missing: ReadonlySet<string>,
): Promise<Assumption[]> {
  const { kind, classes } = source;
  if (kind === 'values') return [];
  const met = new Map(classes.used);
  const labelled = samples.filter(({ id }) => !missing.has(id));
  if (kind === 'mask') {
    for (const [label, name] of classes.names) met.set(label, `class ${label}, ${name}`);
    const count = Math.min(MASKS_LOOKED_AT, labelled.length);
    for (let i = 0; i < count; i++) {
      const sample = labelled[Math.floor((i * labelled.length) / count)]!;
      for (const label of labelsOf((await source.read(sample)) as StoredMask)) {
        if (!met.has(label)) met.set(label, sample.id);
      }
    }
  }
  const unknown = [...met].filter(([label]) => resolution.of(label) === undefined);
  if (unknown.length > 0) resolution.refuse(new Map(unknown));
  const inUse = new Set(
    [...met.keys()].map((label) => resolution.of(label)).filter((label) => label !== IGNORED),
  );
  if (met.size > 0 && inUse.size === 0)
    throw new DataError('all labels are ignored, or of no class of the model', { hint: '--class-map' });
  return kind === 'class' && inUse.size === 1 && labelled.length > 1
    ? [noted('one class only', 'accuracy on samples of a single class says little')]
    : [];
}

function labelsOf({ data }: StoredMask): readonly number[] {
  const seen = new Uint8Array(IGNORED + 1);
  for (const label of data) seen[label] = 1;
  return Array.from(seen.keys()).filter((label) => seen[label] === 1);
}

/** @throws DataError when the label is no class of the model */
function inModelClasses(truth: StoredTruth, classes: ClassResolution, sample: SampleName): Truth {
  switch (truth.kind) {
    case 'values':
      return truth;
    case 'class':
      return {
        kind: 'class',
        label: classes.of(truth.label) ?? classes.refuse(new Map([[truth.label, sample.id]])),
      };
    case 'boxes':
      return { kind: 'boxes', boxes: truth.boxes.flatMap((box) => boxInModel(box, classes, sample)) };
    case 'mask':
      return maskInModel(truth, classes, sample);
  }
}

/** Boxes of ignored classes ask for nothing. */
function boxInModel(box: TruthBox, classes: ClassResolution, { id }: SampleName): readonly TruthBox[] {
  const label = classes.of(box.label) ?? classes.refuse(new Map([[box.label, id]]));
  return label === IGNORED ? [] : [{ ...box, label }];
}

function maskInModel(mask: StoredMask, classes: ClassResolution, { id }: SampleName): MaskTruth {
  const table = new Uint16Array(IGNORED + 1);
  const unknown = new Map<number, string>();
  for (const label of labelsOf(mask)) {
    const found = classes.of(label);
    if (found === undefined) unknown.set(label, id);
    else table[label] = found;
  }
  if (unknown.size > 0) classes.refuse(unknown);
  const { kind, width, height } = mask;
  const data = new Uint16Array(mask.data.length);
  for (let i = 0; i < data.length; i++) data[i] = table[mask.data[i]!]!;
  return { kind, width, height, data };
}
