/** Shapes that are not known before a network runs. */
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compare } from '../../src/commands/compare.js';
import { UsageError } from '../../src/errors.js';
import { TestModel } from '../loader/onnx-quantized/qoperator-model.js';
import { UNWATCHED } from '../support/measured-networks.js';
import { UNJUDGED } from '../support/requests.js';
import { workspace } from '../support/workspace.js';

const made = workspace();
const WEIGHT = Array.from({ length: 12 }, (_, i) => Math.sin(i));

/** x [4, 3] times a matrix. `isPicked`: only rows that it has to run to find, so that no shape behind is known. */
function product(isPicked: boolean): TestModel {
  const model = new TestModel()
    .input(
      'x',
      [4, 3],
      Array.from({ length: 12 }, (_, i) => i),
    )
    .constant('w', 'float32', [3, 4], WEIGHT)
    .constant('keep', 'bool', [4], [1, 0, 1, 1]);
  if (isPicked) model.node('Compress', ['x', 'keep'], ['rows'], { axis: 0 });
  return model.node('MatMul', [isPicked ? 'rows' : 'x', 'w'], ['y']).output('y', 'float32');
}

describe('a candidate of which no shape behind the inputs is known', () => {
  it('is refused by name, and ONNX Runtime is given no network without outputs', async () => {
    const paths = [false, true].map((isPicked) => {
      const path = made.file(`${isPicked ? 'picked' : 'plain'}.onnx`, '');
      writeFileSync(path, product(isPicked).bytes());
      return path;
    });
    const request = {
      reference: paths[0]!,
      candidate: paths[1]!,
      sources: [made.array('x.npy', [4, 3], WEIGHT)],
      data: { preprocessing: {}, shapes: new Map(), skipUnreadable: false },
      minAligned: 0,
      channels: [],
      eval: [],
      ...UNJUDGED,
      runtime: false,
      threads: 1,
      timestamp: false,
    };
    const error: unknown = await compare(request, UNWATCHED).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UsageError);
    const { message, places } = error as UsageError;
    expect(message).toBe(
      'there is nothing to judge by: nothing behind the inputs has a known shape and a counterpart',
    );
    expect(places.map((place) => place.split(':')[0])).toContain('y');
  });
});
