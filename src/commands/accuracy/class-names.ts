/** Names of a model's classes, as its own file has them. */

const LONGEST = 1_000_000;
/** `0: 'person'`, `1: "it's"` of the Python dictionary that Ultralytics writes. */
const ENTRY = /[{,]\s*["']?(\d{1,6})["']?\s*:\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")/g;
const MOST_CLASSES = 65_535;

/** @returns undefined when the metadata have none */
export function classNamesOf(metadata: ReadonlyMap<string, string>): readonly string[] | undefined {
  const lines = [...metadata].find(([key]) => /^tflite\.output\.\d+\.classes$/.test(key))?.[1];
  // '???' stands in the label files of the TensorFlow detection models for ids that nothing has.
  if (lines !== undefined) return lines.split('\n').map((line) => line.trim().replace(/^\?+$/, ''));
  const names = metadata.get('names');
  if (names === undefined || names.length > LONGEST) return undefined;
  const found = [...names.matchAll(ENTRY)].map(([, index, single, double]) => ({
    index: Number(index),
    name: (single ?? double ?? '').replace(/\\(.)/g, '$1'),
  }));
  const count = found.reduce((most, { index }) => Math.max(most, index + 1), 0);
  if (count === 0 || count > MOST_CLASSES) return undefined;
  const list = Array.from({ length: count }, () => '');
  for (const { index, name } of found) list[index] = name;
  return list;
}
