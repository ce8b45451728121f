/** YOLO's text labels: one file an image, one object a line. */
import { basename, dirname } from 'node:path';
import { DataError } from '../../errors.js';
import type { Assumption } from '../data/dataset.js';
import { atMost } from '../data/files.js';
import type { DataFile } from '../data/source.js';
import { describedNames } from './described-names.js';
import { filesBelow, foldersBeside, ROLE_FOLDERS, shownPath } from './image-folders.js';
import { matchLabels } from './match.js';
import { noted } from './source.js';
import type { LabelRequest, LabelSource } from './source.js';
import { readText } from './text-file.js';
import type { BoxesTruth, TruthBox } from './truth.js';

/** Ten thousand objects. */
const MAX_FILE_BYTES = 1 << 24;
/** How far edges may lie outside the image: rounding of what wrote them. */
const OUTSIDE = 1e-3;
/** Text files beside labels that are none. */
const NO_LABELS = /^(classes|names|train|val|test|readme.*|license.*|requirements|notes?|obj|labels)\.txt$/i;

/** @returns undefined when there is no file of boxes beside the images */
export async function yoloBeside(request: LabelRequest): Promise<LabelSource | undefined> {
  const folders = await foldersBeside(request.samples, ['labels']);
  const files = await textFiles(folders, request, true);
  return files.length === 0 ? undefined : yoloSource(folders, files, request);
}

/** @returns undefined when the folder holds no text files */
export async function yoloFolder(folder: string, request: LabelRequest): Promise<LabelSource | undefined> {
  const files = await textFiles([folder], request, false);
  return files.length === 0 ? undefined : yoloSource([folder], files, request);
}

function textFiles(
  folders: readonly string[],
  { samples }: LabelRequest,
  isBeside: boolean,
): Promise<readonly DataFile[]> {
  const accept = (id: string): boolean => /\.txt$/i.test(id) && !NO_LABELS.test(basename(id));
  return filesBelow(folders, samples, { accept, isBeside });
}

async function yoloSource(
  folders: readonly string[],
  files: readonly DataFile[],
  { samples, root }: LabelRequest,
): Promise<LabelSource> {
  const shown = folders.map((folder) => shownPath(folder, root)).join(', ');
  const labels = files.map((file) => ({
    name: file.id,
    place: shownPath(file.path, root),
    label: file.path,
  }));
  const { bySample, byBasename } = matchLabels(labels, samples, {
    isSame: (a, b) => a === b,
    passOver: ROLE_FOLDERS,
  });
  if (bySample.size === 0) {
    throw new DataError(`none of the ${files.length} .txt files in ${shown} is named like a sample`, {
      places: [`such as ${files[0]!.id}`, `the first sample is ${samples[0]?.id ?? ''}`],
      hint: '--labels FOLDER with NAME.txt for NAME.jpg, or --labels none',
    });
  }
  const { used, counts, boxes, polygons } = await checkAll(
    [...bySample.values()].map(({ label }) => label),
    root,
  );
  const { names, assumed } = await describedNames(dirname(bySample.values().next().value!.label), 'boxes');
  const without = samples.length - bySample.size;
  return {
    kind: 'boxes',
    source: `${boxes} boxes of YOLO text files in ${shown}`,
    classes: { names, used, boxes: counts, ...(names.size === 0 ? {} : { count: names.size }) },
    assumed: [...assumed, ...remarks(without, polygons, byBasename)],
    missing: new Set(),
    async read({ id }): Promise<BoxesTruth> {
      const path = bySample.get(id)?.label;
      if (path === undefined) return { kind: 'boxes', boxes: [] };
      const problems: string[] = [];
      const parsed = parseYolo(await readText(path, MAX_FILE_BYTES), (line, reason) =>
        problems.push(`${shownPath(path, root)}:${line}: ${reason}`),
      );
      if (problems.length > 0) throw new DataError(problems[0]!);
      return { kind: 'boxes', boxes: parsed.boxes };
    },
  };
}

function remarks(without: number, polygons: number, byBasename: number): Assumption[] {
  const found: Assumption[] = [];
  if (without > 0) found.push(noted('images without objects', `${without} have no .txt file`));
  if (polygons > 0) found.push(noted('polygons', `${polygons}, taken as the boxes around them`));
  if (byBasename > 0) found.push(noted('matching', 'by the file name alone, the folders differ'));
  return found;
}

interface Checked {
  /** Label -> the first file that has it. */
  readonly used: ReadonlyMap<number, string>;
  /** Label -> boxes. */
  readonly counts: ReadonlyMap<number, number>;
  /** In all. */
  readonly boxes: number;
  readonly polygons: number;
}

/**
 * Reads every file once and keeps none: what is wrong is said before a network runs.
 *
 * @throws DataError naming every malformed line
 */
async function checkAll(paths: readonly string[], root: string): Promise<Checked> {
  const used = new Map<number, string>();
  const counts = new Map<number, number>();
  const problems: string[] = [];
  let boxes = 0;
  let polygons = 0;
  let badFiles = 0;
  for (const path of paths) {
    const place = shownPath(path, root);
    const before = problems.length;
    try {
      const parsed = parseYolo(await readText(path, MAX_FILE_BYTES), (line, reason) =>
        problems.push(`${place}:${line}: ${reason}`),
      );
      boxes += parsed.boxes.length;
      polygons += parsed.polygons;
      for (const { label } of parsed.boxes) {
        counts.set(label, (counts.get(label) ?? 0) + 1);
        if (!used.has(label)) used.set(label, place);
      }
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      problems.push(error.message);
    }
    if (problems.length > before) badFiles++;
  }
  if (problems.length === 0) return { used, counts, boxes, polygons };
  const lines = problems.length === 1 ? 'line is' : 'lines are';
  throw new DataError(
    `${problems.length} ${lines} no boxes of YOLO, in ${badFiles} of ${paths.length} label files`,
    {
      places: atMost(problems),
      hint: 'a line is: class centre-x centre-y width height, from 0 to 1. --labels none does without labels',
    },
  );
}

/**
 * Lines of `class cx cy w h` or, of yolo-seg, `class x y x y x y ...`, as shares of the image's extents.
 *
 * @param report takes the number of a malformed line and what is wrong with it.
 */
function parseYolo(
  text: string,
  report: (line: number, reason: string) => void,
): { readonly boxes: readonly TruthBox[]; readonly polygons: number } {
  const boxes: TruthBox[] = [];
  let polygons = 0;
  for (const [i, line] of text.split(/\r\n|\n|\r/).entries()) {
    const words = line.trim().split(/\s+/);
    if (words[0] === '' || words[0] === '\uFEFF') continue;
    const box = boxOf(words);
    if (typeof box === 'string') report(i + 1, box);
    else boxes.push(box);
    if (words.length > 5) polygons++;
  }
  return { boxes, polygons };
}

/** @returns what is wrong with the line, as text. */
function boxOf(words: readonly string[]): TruthBox | string {
  const bad = words.find((word) => !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(word));
  if (bad !== undefined) return `${bad.slice(0, 40)} is not a number`;
  const [label = -1, ...values] = words.map(Number);
  if (!Number.isSafeInteger(label) || label < 0)
    return `the class is ${words[0]!.slice(0, 40)}, not an integer`;
  if (values.length !== 4 && (values.length < 6 || values.length % 2 !== 0)) {
    return `it has ${words.length} numbers; 5 are a box, 7 and more in pairs a polygon`;
  }
  const [x0, y0, x1, y1] = values.length === 4 ? edgesOfBox(values) : edgesOfPolygon(values);
  if (x1 < x0 || y1 < y0) return 'its width or height is negative';
  const outermost = [x0, y0, 1 - x1, 1 - y1].reduce((a, b) => Math.min(a, b));
  if (outermost < -OUTSIDE) {
    return `it reaches ${(-outermost).toPrecision(3)} of the image's extent outside; shares from 0 to 1 are wanted`;
  }
  return { x0, y0, x1, y1, label, crowd: false };
}

type Edges = readonly [number, number, number, number];

function edgesOfBox([cx = 0, cy = 0, w = 0, h = 0]: readonly number[]): Edges {
  return [cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2];
}

function edgesOfPolygon(values: readonly number[]): Edges {
  const xs = values.filter((_, i) => i % 2 === 0);
  const ys = values.filter((_, i) => i % 2 === 1);
  const least = (list: readonly number[]): number => list.reduce((a, b) => Math.min(a, b));
  const most = (list: readonly number[]): number => list.reduce((a, b) => Math.max(a, b));
  return [least(xs), least(ys), most(xs), most(ys)];
}
