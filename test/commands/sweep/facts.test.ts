/** What a journal is held to: everything that outcomes depend on, files by what is in them. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { opened, prepared } from '../../../src/commands/sweep/prepared.js';
import type { SweepRequest } from '../../../src/commands/sweep/request.js';
import { sweepFacts } from '../../../src/commands/sweep/sweep-facts.js';
import { sweptGround } from '../../../src/commands/sweep/swept-ground.js';
import type { SweepFacts } from '../../../src/commands/sweep/trials/journal.js';
import { SCHEMES } from '../../../src/quant/presets.js';
import { NO_SELECTION } from '../../../src/quant/select.js';
import { digitFolders, imagesOf } from '../../support/labelled.js';
import { UNWATCHED } from '../../support/measured-networks.js';
import { UNJUDGED } from '../../support/requests.js';
import { workspace } from '../../support/workspace.js';
import { DIGITS, fixture } from './swept-ground.js';

const files = workspace();
const images = digitFolders(join(files.folder, 'flat'), [0, 1], 2, () => '.');

function labelled(name: string, labelOf: (digit: number) => number): string {
  const rows = [0, 1].flatMap((digit) =>
    imagesOf(digit)
      .slice(0, 2)
      .map((image) => `${image},${labelOf(digit)}`),
  );
  return files.file(name, `file,label\n${rows.join('\n')}\n`);
}

const labels = labelled('labels.csv', (digit) => digit);

const REQUEST: SweepRequest = {
  model: DIGITS.model,
  calib: [images],
  eval: [images],
  data: { preprocessing: { preset: 'unit' }, shapes: new Map(), skipUnreadable: false },
  scheme: SCHEMES['ort']!,
  selection: NO_SELECTION,
  accuracy: { ...UNJUDGED.accuracy, labels },
  parts: new Set(['alone']),
  groups: new Map(),
  to: 'float',
  exports: [],
  processes: 1,
  threads: 1,
  timestamp: false,
};

async function factsOf(changes: Partial<SweepRequest>): Promise<SweepFacts> {
  const request = { ...REQUEST, ...changes };
  const network = await prepared(await opened(request), request, UNWATCHED);
  return sweepFacts(request, network, await sweptGround(request, network));
}

/** Names of the facts that are not those of `REQUEST`. */
async function changed(changes: Partial<SweepRequest>): Promise<string[]> {
  const [own, other] = [await factsOf({}), await factsOf(changes)];
  return Object.entries(own)
    .filter(([name, value]) => other[name as keyof SweepFacts] !== value)
    .map(([name]) => name);
}

describe('what a journal is held to', () => {
  it('is the same for what outcomes do not depend on', async () => {
    expect(
      await changed({
        processes: 2,
        parts: new Set(['restored', 'search']),
        groups: new Map([['head', ['head/*']]]),
        target: { text: '1pt', source: 'command line' },
        resume: 'elsewhere.jsonl',
        timestamp: true,
      }),
    ).toEqual([]);
  });

  it('is not when the labels say something else, under the same name or another', async () => {
    const before = await factsOf({});
    labelled('labels.csv', (digit) => 1 - digit);
    const after = await factsOf({});
    labelled('labels.csv', (digit) => digit);
    expect(after.metric).not.toBe(before.metric);
    expect({ ...after, metric: before.metric }).toEqual(before);
    const other = labelled('other.csv', (digit) => digit + 1);
    expect(await changed({ accuracy: { ...REQUEST.accuracy, labels: other } })).toEqual(['metric']);
  });

  it('is not for another model, data, preprocessing, scheme, selection, metric or number of threads', async () => {
    const more = join(files.folder, 'more');
    cpSync(images, more, { recursive: true });
    cpSync(join(images, imagesOf(0)[0]!), join(more, 'another.png'));
    expect(await changed({ model: fixture('digits/digits_rescaled.onnx') })).toEqual(['model']);
    expect(await changed({ calib: [more] })).toEqual(['data']);
    expect(await changed({ data: { ...REQUEST.data, samples: 2 } })).toEqual(['data']);
    expect(await changed({ data: { ...REQUEST.data, preprocessing: { preset: 'tf' } } })).toEqual(['data']);
    expect(await changed({ scheme: SCHEMES['tensorrt']! })).toEqual(['scheme']);
    expect(await changed({ selection: { only: [], skip: ['op:Gemm'] } })).toEqual(['selection']);
    expect(await changed({ accuracy: { ...REQUEST.accuracy, metrics: ['top5'] } })).toEqual(['metric']);
    expect(await changed({ threads: 2 })).toEqual(['runtime']);
  });
});
