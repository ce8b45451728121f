/**
 * Operators that only move elements, where recorded runs of the interpreter cannot tell: what is refused, and which nodes they
 * become. What they compute is held against the interpreter's own results in fixtures/tflite/ops.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { intsAttr } from '../../../src/ir/graph.js';
import { buildGraph } from '../../../src/loader/tflite/lower/build-graph.js';
import type { OptionValue } from '../../../src/loader/tflite/model.js';
import { readTflite } from '../../../src/loader/tflite/read-file.js';
import { described, nodeNamed, Subgraph } from './subgraph.js';

type Options = Record<string, OptionValue>;

/** A shape of an activation, or the integers of a constant, or how many are computed while the network runs. */
type Input = readonly number[] | { readonly integers: readonly number[] } | { readonly computed: number };

function lowered(
  op: string,
  inputs: readonly Input[],
  options: Options = {},
  output: readonly number[] = [1],
) {
  const net = new Subgraph();
  const ids = inputs.map((input) => {
    if ('integers' in input) return net.integers(input.integers);
    return 'computed' in input ? net.computedIntegers(input.computed) : net.tensor(input);
  });
  return net.graph(net.op(op, ids, output, options));
}

const ints = (...integers: number[]): Input => ({ integers });

/** STRIDED_SLICE without masks. */
const PLAIN: Options = {
  beginMask: 0,
  endMask: 0,
  ellipsisMask: 0,
  newAxisMask: 0,
  shrinkAxisMask: 0,
  offset: false,
};
const HUGE = 2 ** 30;

describe('an operator that does not fit its input stays in the graph, opaque, with the reason', () => {
  it.each<[string, readonly Input[], Options, string]>([
    ['RESHAPE', [[2, 3], ints(4, -1)], {}, 'shape [2,3] does not fit [4,-1]'],
    ['RESHAPE', [[2, 3], ints(-2, -3)], {}, 'shape [2,3] does not fit [-2,-3]'],
    ['RESHAPE', [[2, 3], { computed: 2 }], {}, "'t1' is computed while it runs; a constant is wanted"],
    ['SQUEEZE', [[2, 3]], {}, 'shape [2,3] does not fit [1]'],
    ['TRANSPOSE', [[2, 3], ints(0, 0)], {}, 'permutation [0,0] of a tensor of rank 2'],
    ['TRANSPOSE', [[2, 3], ints(0, 2)], {}, 'permutation [0,2] of a tensor of rank 2'],
    ['TRANSPOSE', [[2, 3], ints(0)], {}, 'permutation [0] of a tensor of rank 2'],
    [
      'CONCATENATION',
      [
        [2, 3],
        [2, 3],
      ],
      { axis: 2 },
      'axis 2 of a tensor of rank 2',
    ],
    ['PACK', [[2, 3]], { axis: -4 }, 'axis -4 of a tensor of rank 3'],
    ['UNPACK', [[2, 3]], { axis: 0 }, '1 results of an axis of 2'],
    ['BROADCAST_ARGS', [[HUGE], [2]], {}, `shapes of rank ${HUGE}`],
    ['SPLIT', [ints(-3), [2, 3]], {}, 'axis -3 of a tensor of rank 2'],
    ['SPLIT_V', [[2, 3], ints(2), ints(1)], {}, 'an axis of 3 in parts [2]'],
    ['SPLIT_V', [[2, 3], ints(-1, 4), ints(1)], {}, 'an axis of 3 in parts [-1,4]'],
    ['SLICE', [[2, 3], ints(0, 2), ints(2, 2)], {}, '2 from 2 of an axis of 3'],
    ['SLICE', [[2, 3], ints(-1, 0), ints(1, 1)], {}, '1 from -1 of an axis of 2'],
    ['SLICE', [[2, 3], { computed: 2 }, ints(1, -1)], {}, 'it reaches to the end from a computed begin'],
    ['STRIDED_SLICE', [[2], ints(0), ints(2), ints(0)], PLAIN, 'begin [0], end [2], strides [0]'],
    ['STRIDED_SLICE', [[2], ints(0), ints(2, 1), ints(1)], PLAIN, 'begin [0], end [2,1], strides [1]'],
    [
      'STRIDED_SLICE',
      [[2], ints(0, 0), ints(2, 1), ints(1, 1)],
      PLAIN,
      '2 ranges and 0 ellipses for a tensor of rank 1',
    ],
    [
      'STRIDED_SLICE',
      [[2], ints(0, 0), ints(2, 1), ints(1, 1)],
      { ...PLAIN, ellipsisMask: 3 },
      '0 ranges and 2 ellipses for a tensor of rank 1',
    ],
    [
      'STRIDED_SLICE',
      [[2], ints(2), ints(3), ints(1)],
      { ...PLAIN, shrinkAxisMask: 1 },
      'index 2 of an axis of 2',
    ],
    ['REVERSE_V2', [[2, 3], ints(2)], {}, 'axis 2 of a tensor of rank 2'],
    ['REVERSE_SEQUENCE', [[2, 3], ints(1, 1)], { batchDim: 0, seqDim: 3 }, 'axis 3 of a tensor of rank 2'],
    ['DYNAMIC_UPDATE_SLICE', [[2, 3], [1, 4], ints(0, 0)], {}, 'an update of [1,4] in [2,3]'],
    ['DYNAMIC_UPDATE_SLICE', [[HUGE], [HUGE - 1], ints(0)], {}, `an update of [${HUGE - 1}]`],
    ['PAD', [[2, 3], ints(0, 1)], {}, 'paddings [0,1] of a tensor of rank 2'],
    ['PAD', [[2], ints(0, -1)], {}, 'paddings [0,-1] of a tensor of rank 1'],
    ['MIRROR_PAD', [[2], ints(2, 0)], { mode: 'REFLECT' }, '2 before and 0 after mirrored from an axis of 2'],
    [
      'MIRROR_PAD',
      [[HUGE], ints(1, HUGE)],
      { mode: 'SYMMETRIC' },
      `1 before and ${HUGE} after mirrored from an axis of ${HUGE}`,
    ],
    ['GATHER', [[2, 3], ints(0)], { axis: 2, batchDims: 0 }, 'axis 2 of a tensor of rank 2'],
    ['GATHER', [[2, 3], ints(0, 1)], { axis: 0, batchDims: 1 }, 'axis 0 of batches over 1 axes'],
    ['GATHER', [[2, 3], ints(0, 1)], { axis: 1, batchDims: -2 }, 'axis 1 of batches over -1 axes'],
    ['SEGMENT_SUM', [[2, 3], { computed: 2 }], {}, "'t1' is computed while it runs; a constant is wanted"],
    [
      'NON_MAX_SUPPRESSION_V4',
      [[2, 4], [2], ints(-1), [], []],
      {},
      'max_output_size is -1, not 1 to 1048576',
    ],
  ])('%s of %j with %j: %s', (op, inputs, options, reason) => {
    expect(described(lowered(op, inputs, options))).toEqual([`${op}: ${reason}`]);
  });
});

function layoutNodes(path: string): string[] {
  const [main] = readTflite(readFileSync(path)).subgraphs;
  if (main === undefined) throw new Error(`no subgraph in ${path}`);
  return buildGraph(main)
    .graph.nodes.filter(({ origin }) => origin.part === 'layout')
    .map(({ op }) => op);
}

describe('the order of axes', () => {
  it.each(['float', 'int8'])(
    'stays that of convolutions through operators that work along an axis: %s picture, in and out once',
    (kind) => {
      const path = `fixtures/tflite/ops/between_convolutions_${kind}.tflite`;
      expect(layoutNodes(path)).toEqual(['Transpose', 'Transpose']);
    },
  );

  it('is only renamed by a TRANSPOSE to what convolutions work in', () => {
    expect(described(lowered('TRANSPOSE', [[1, 3, 4, 5], ints(0, 2, 3, 1)], {}, [1, 4, 5, 3]))).toEqual([
      'Identity',
      // At the end, where the file's order is wanted.
      'Transpose',
    ]);
  });

  it('makes no Transpose where only extents of 1 change places', () => {
    expect(described(lowered('RESHAPE', [[1, 1, 1, 6], ints(2, 3)], {}, [2, 3]))).toEqual(['Reshape']);
  });
});

describe('shapes', () => {
  it("are the file's where it has them, whatever the new shape says", () => {
    const net = new Subgraph();
    const shape = net.computedIntegers(2);
    const graph = net.graph(net.op('RESHAPE', [net.tensor([2, 6]), shape], [3, 4]));
    expect(described(graph)).toEqual(['Reshape']);
    expect(nodeNamed(graph, 'Reshape').inputs).not.toContain(shape);
  });

  it('of no elements are kept', () => {
    const graph = lowered('RESHAPE', [[0, 3], ints(3, 0)], {}, [3, 0]);
    expect(nodeNamed(graph, 'Reshape').attrs.get('allowzero')).toEqual({ type: 'int', value: 1n });
  });

  it('of sequences are turned so that batch and time come first, and back', () => {
    const graph = lowered(
      'REVERSE_SEQUENCE',
      [[1, 2, 3, 4], ints(1, 1, 1, 1)],
      { batchDim: 3, seqDim: 1 },
      [1, 2, 3, 4],
    );
    expect(described(graph)).toEqual(['Cast', 'Transpose', 'ReverseSequence', 'Transpose']);
    const turns = graph.nodes.filter(({ op }) => op === 'Transpose');
    expect(turns.map((node) => intsAttr(node, 'perm'))).toEqual([
      [1, 3, 0, 2],
      [2, 0, 3, 1],
    ]);
  });
});
