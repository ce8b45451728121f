/** Lists of class names: the known ones by keyword, and files of them. */
import { basename } from 'node:path';
import { DataError, UsageError } from '../../errors.js';
import { extensionOf, statOf } from '../data/files.js';
import { isRecord, parseJson, readText, shownValue } from './text-file.js';

/** A list of class names larger than this is none. */
const MAX_BYTES = 1 << 24;
/** ImageNet-22k and Open Images are below. */
const MAX_CLASSES = 65_535;

/** Categories of COCO by their ids (https://cocodataset.org, instances_val2017.json); ids that were dropped are empty. */
const COCO_BY_ID =
  'person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,,stop sign,parking meter,bench,' +
  'bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,,backpack,umbrella,,,handbag,tie,suitcase,frisbee,skis,' +
  'snowboard,sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,,wine glass,cup,fork,' +
  'knife,spoon,bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,couch,potted plant,bed,,' +
  'dining table,,,toilet,,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,toaster,sink,refrigerator,,book,clock,' +
  'vase,scissors,teddy bear,hair drier,toothbrush';

/** Pascal VOC 2012, in the order of its masks. */
const VOC =
  'background,aeroplane,bicycle,bird,boat,bottle,bus,car,cat,chair,cow,diningtable,dog,horse,motorbike,person,' +
  'pottedplant,sheep,sofa,train,tvmonitor';

/** batches.meta.txt of CIFAR-10. */
const CIFAR10 = 'airplane,automobile,bird,cat,deer,dog,frog,horse,ship,truck';

const KNOWN: ReadonlyMap<string, readonly string[]> = new Map([
  ['coco80', COCO_BY_ID.split(',').filter((name) => name !== '')],
  ['coco91', COCO_BY_ID.split(',')],
  ['voc21', VOC.split(',')],
  ['cifar10', CIFAR10.split(',')],
]);

/** Two spellings of one class: `Traffic_Light` and `traffic light`. */
export function sameSpelling(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replace(/[\s_-]+/g, ' ');
}

/**
 * The names of a model's classes, class i at i; an empty name is a class without one.
 *
 * @param text a keyword (coco80, coco91: the ids of TensorFlow's detectors less 1, voc21, cifar10) or a file: one name a line, a
 * JSON list or object of number to name, YAML with `names:` or `classes:`.
 * @throws UsageError when it is neither, DataError when the file holds no names
 */
export async function namedClasses(text: string): Promise<readonly string[]> {
  const known = KNOWN.get(text.toLowerCase());
  if (known !== undefined) return known;
  const isThere = await statOf(text).then(
    (stats) => stats.isFile(),
    () => false,
  );
  if (!isThere) {
    throw new UsageError(
      `--classes ${text}: neither a known list (${[...KNOWN.keys()].join(', ')}) nor a file`,
      {
        hint: '--classes FILE with one name a line, in the order of the classes',
      },
    );
  }
  const names = await classesOfFile(text);
  const count = Math.max(-1, ...names.keys()) + 1;
  return Array.from({ length: count }, (_, i) => names.get(i) ?? '');
}

/** @throws DataError when the file holds no names of classes */
export async function classesOfFile(path: string): Promise<ReadonlyMap<number, string>> {
  const text = await readText(path, MAX_BYTES);
  const name = basename(path);
  const extension = extensionOf(name);
  if (extension === '.json') return namesIn(parseJson(text, name), name);
  if (extension === '.yaml' || extension === '.yml') return namesIn(await parseYaml(text, name), name);
  const lines = text.split(/\r\n|\n|\r/).map((line) => line.trim());
  while (lines.at(-1) === '') lines.pop();
  return namesIn(lines, name);
}

/**
 * YAML whose aliases cannot multiply without bound.
 *
 * @throws DataError when it is none
 */
export async function parseYaml(text: string, name: string): Promise<unknown> {
  const { parse } = await import('yaml');
  try {
    return parse(text, { logLevel: 'error', maxAliasCount: 100 }) as unknown;
  } catch (cause) {
    const reason = (cause as Error).message.split('\n')[0] ?? '';
    throw new DataError(`${name} is not YAML: ${reason.slice(0, 160)}`, { cause });
  }
}

/**
 * Names out of a list, an object of number to name (or, as some tools write it, of name to number), or one of these under
 * `names` or `classes`.
 *
 * @throws DataError when there are none
 */
export function namesIn(value: unknown, file: string): ReadonlyMap<number, string> {
  const list = isRecord(value) ? (value['names'] ?? value['classes'] ?? value) : value;
  const entries = Array.isArray(list)
    ? list.map((name, i) => [String(i), name as unknown] as const)
    : undefined;
  const pairs = entries ?? (isRecord(list) ? Object.entries(list) : []);
  const names = new Map<number, string>();
  const bad: string[] = [];
  for (const [key, entry] of pairs) {
    const [number, name] = typeof entry === 'number' && !isNumber(key) ? [entry, key] : [Number(key), entry];
    const isName = typeof name === 'string' || typeof name === 'number';
    if (!isName || !(isNumber(key) || typeof entry === 'number') || !(number >= 0 && number < MAX_CLASSES)) {
      bad.push(`${key.slice(0, 60)}: ${shownValue(entry)}`);
    } else names.set(number, String(name).trim().slice(0, 200));
  }
  if (bad.length > 0) {
    throw new DataError(`${file}: ${bad.length} of its ${pairs.length} entries are not names of classes`, {
      places: bad.slice(0, 5),
    });
  }
  if (![...names.values()].some((name) => name !== ''))
    throw new DataError(`${file} holds no names of classes`);
  return names;
}

function isNumber(key: string): boolean {
  return /^\d{1,5}$/.test(key);
}
