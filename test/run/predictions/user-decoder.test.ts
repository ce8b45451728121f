import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { chooseDecoder } from '../../../src/run/predictions/index.js';
import { decodeTemplate } from '../../../src/run/predictions/decode-template.js';
import type { DecodeContext, Prediction, PredictionKind } from '../../../src/run/predictions/prediction.js';
import { loadUserDecoder } from '../../../src/run/predictions/user-decoder.js';
import { contextOf, output, requestOf } from './support.js';

const folder = mkdtempSync(join(tmpdir(), 'qdbg-decoder-'));
afterAll(() => rmSync(folder, { recursive: true }));

let written = 0;
function moduleOf(text: string, extension = 'mjs'): string {
  const path = join(folder, `${(written++).toString()}.${extension}`);
  writeFileSync(path, text);
  return path;
}

const context: DecodeContext = { ...contextOf(), sample: 'cat.jpg' };
const outputs = [output('y', [1, 3], [1, 3, 2])];

async function run(text: string, wanted?: readonly PredictionKind[]): Promise<Prediction> {
  const path = moduleOf(text);
  const decoder = await chooseDecoder(
    requestOf(outputs, { decode: path, ...(wanted === undefined ? {} : { wanted }) }),
  );
  return decoder.decode(outputs, context);
}

/** The message without the path of the module. */
async function messageOf(text: string, wanted?: readonly PredictionKind[]): Promise<string> {
  try {
    await run(text, wanted);
  } catch (error) {
    expect(error).toMatchObject({ name: 'DataError', exitCode: 2 });
    return (error as Error).message.replace(/^.*?\.mjs/, 'M');
  }
  throw new Error('nothing was wrong');
}

const returning = (value: string, kind = 'boxes'): string =>
  `export const kind = '${kind}'; export default () => (${value});`;

describe('decoders of the user', () => {
  it('are a function with its kind beside it', async () => {
    const text = `export const kind = 'class'; export default ([y], { input }) => ({ kind: 'class', label: y.data[1] + input.width });`;
    expect(await run(text)).toEqual({ kind: 'class', label: 99 });
  });

  it('are a function and its kind in one object, and may be asynchronous', async () => {
    const text = `export default { kind: 'scores', async decode([y]) { return { kind: 'scores', scores: [...y.data] }; } };`;
    expect(await run(text)).toEqual({ kind: 'scores', scores: Float64Array.of(1, 3, 2) });
  });

  it('may leave the kind to what is wanted, and are CommonJS modules too', async () => {
    const path = moduleOf(`module.exports = () => ({ kind: 'class', label: 1 });`, 'cjs');
    const decoder = await loadUserDecoder(path, ['scores', 'class']);
    expect(decoder.kind).toBe('scores');
    expect(await decoder.decode(outputs, context)).toEqual({ kind: 'class', label: 1 });
  });

  it('cannot change the outputs', async () => {
    await run(
      `export const kind = 'class'; export default ([y]) => { y.data.fill(0); return { kind, label: 0 }; }`,
    );
    expect([...outputs[0]!.data]).toEqual([1, 3, 2]);
  });

  it('may give masks and boxes without counts of ties and values that are not finite', async () => {
    expect(await run(returning(`{ kind: 'mask', width: 2, height: 1, data: [1, 0] }`, 'mask'))).toEqual({
      kind: 'mask',
      width: 2,
      height: 1,
      data: Uint16Array.of(1, 0),
      ties: 0,
      nonFinite: 0,
    });
    const box = { x0: -0.1, y0: 0, x1: 1.5, y1: 1, label: 1, score: 3 };
    expect(
      await run(returning(`{ kind: 'boxes', boxes: [${JSON.stringify({ ...box, more: 1 })}] }`)),
    ).toEqual({
      kind: 'boxes',
      boxes: [box],
      nonFinite: 0,
    });
  });

  it.each([
    ['export const kind = ;', 'M cannot be loaded: it threw '],
    [`throw new Error('no\\nluck'); export default 1;`, 'M cannot be loaded: it threw Error: no luck'],
    [
      'export const kind = 1;',
      'M has no default export; a function (outputs, context) => prediction is wanted',
    ],
    ['export default { decode: 1 };', 'M has the default export object; a function'],
    [
      'export const kind = "box"; export default () => 1;',
      'M exports the kind box; it can be scores, class,',
    ],
    ['export default () => 1;', 'M does not say what its predictions are: scores, class,'],
    [returning('null'), "M, sample cat.jpg: it returned null; an object with kind 'boxes' is wanted"],
    [returning("{ kind: 'scores' }"), "M, sample cat.jpg: kind is 'scores'; 'boxes' is wanted"],
    [returning("{ kind: 'boxes' }"), 'M, sample cat.jpg: boxes is undefined; an array is wanted'],
    [
      returning("{ kind: 'boxes', boxes: [{ x0: NaN, y0: 0, x1: 1, y1: 1, label: 0, score: 1 }] }"),
      'M, sample cat.jpg: boxes[0].x0 is NaN; a finite number is wanted',
    ],
    [
      returning("{ kind: 'boxes', boxes: [{ x0: 0, y0: 0, x1: 1, y1: 1, label: 0.5, score: 1 }] }"),
      'M, sample cat.jpg: boxes[0].label is 0.5; a whole number from 0 to 65534 is wanted',
    ],
    [
      returning("{ kind: 'mask', width: 2, height: 2, data: [1] }", 'mask'),
      'M, sample cat.jpg: data has 1 classes; 2 x 2 = 4 are wanted',
    ],
    [
      returning("{ kind: 'mask', width: 1, height: 1, data: [-1] }", 'mask'),
      'M, sample cat.jpg: data[0] is -1; a whole number',
    ],
    [returning("{ kind: 'class', label: '1' }", 'class'), "M, sample cat.jpg: label is '1'; a whole number"],
    [
      returning("{ kind: 'scores', scores: [1, '2'] }", 'scores'),
      "M, sample cat.jpg: scores[1] is '2'; a number",
    ],
    [returning("{ kind: 'scores', scores: [] }", 'scores'), 'M, sample cat.jpg: scores is empty'],
    [
      returning("{ kind: 'scores', scores: { length: 1e9 } }", 'scores'),
      'M, sample cat.jpg: scores is an object; an array of numbers is wanted',
    ],
    [
      returning("{ kind: 'class', get label() { throw 1; } }", 'class'),
      'M, sample cat.jpg: what it returned cannot be read',
    ],
    [
      `export const kind = 'class'; export default () => { throw new TypeError('oh'); }`,
      'M, sample cat.jpg: it threw TypeError: oh',
    ],
    [
      `export const kind = 'class'; export default () => Promise.reject('no');`,
      'M, sample cat.jpg: it threw no',
    ],
  ])('are told what is wrong: %s', async (text, message) => {
    expect((await messageOf(text)).slice(0, message.length)).toBe(message);
  });

  it('are told all that is wrong with a prediction', async () => {
    const path = moduleOf(
      returning("{ kind: 'boxes', boxes: [{ y0: 0, x1: 1, y1: 1, label: 0, score: null }, 7] }"),
    );
    const decoder = await loadUserDecoder(path, undefined);
    await expect(decoder.decode(outputs, context)).rejects.toMatchObject({
      places: [
        'boxes[0].score is null; a finite number is wanted',
        'boxes[1] is 7; an object with x0, y0, x1, y1, label, score is wanted',
      ],
    });
  });

  it('are refused when their kind is not wanted', async () => {
    expect(await messageOf(returning('1'), ['scores', 'class'])).toBe(
      'M exports the kind boxes; labels and metric take scores or class',
    );
  });

  it('have to be there', async () => {
    await expect(
      chooseDecoder(requestOf(outputs, { decode: join(folder, 'missing.js') })),
    ).rejects.toMatchObject({
      name: 'UsageError',
      message: expect.stringContaining('no such file') as string,
    });
  });

  it('are not waited for without end', async () => {
    const path = moduleOf(`export const kind = 'class'; export default () => new Promise(() => {});`);
    const decoder = await loadUserDecoder(path, undefined, 20);
    await expect(decoder.decode(outputs, context)).rejects.toThrow(
      'sample cat.jpg: it did not answer within 0.02 s',
    );
  });
});

describe('decodeTemplate', () => {
  it('works for a classifier as it stands', async () => {
    const found = await run(decodeTemplate());
    if (found.kind !== 'scores') throw new Error('scores are wanted');
    const sum = Math.exp(1) + Math.exp(3) + Math.exp(2);
    [1, 3, 2].forEach((logit, at) => expect(found.scores[at]).toBeCloseTo(Math.exp(logit) / sum, 12));
  });

  it('works for a detector once the two lines that it names are changed', async () => {
    const text = decodeTemplate()
      .replace("export const kind = 'scores';", "export const kind = 'boxes';")
      .replace('export default classification;', 'export default detection;');
    const decoder = await loadUserDecoder(moduleOf(text), ['boxes']);
    // The second box overlaps the first by 0.8, the third is of another class.
    const boxes = output('boxes', [1, 3, 4], [48, 32, 20, 10, 48, 33, 20, 10, 48, 32, 20, 10]);
    const scores = output('scores', [1, 3, 2], [0.9, 0, 0.8, 0, 0, 0.7]);
    const found = await decoder.decode([boxes, scores], context);
    expect(found).toMatchObject({
      kind: 'boxes',
      boxes: [
        { x0: 38 / 96, y0: 27 / 64, x1: 58 / 96, y1: 37 / 64, label: 0 },
        { x0: 38 / 96, label: 1 },
      ],
    });
  });
});
