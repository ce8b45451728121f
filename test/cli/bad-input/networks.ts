/** Sound models that cannot be simulated, and odd ones that can. */
import { onnx } from '../../../src/onnx/proto.js';
import type { GraphProto, NodeProto, TensorProto } from '../../../src/onnx/proto.js';
import type { Workspace } from '../../support/workspace.js';
import {
  behindConvolution,
  BOOL,
  convolution,
  DOUBLE,
  doubles,
  filled,
  floats,
  INPUT,
  INT64,
  node,
  STRING,
  value,
  WEIGHT,
  weight,
} from './proto-models.js';
import { fine, refused, type Row } from './row.js';

import { HOSTILE } from './hostile.js';

export function networkRows(files: Workspace): Row[] {
  return [...odd(files), ...operators(files)];
}

function odd(files: Workspace): Row[] {
  const values = filled(WEIGHT);
  const replaced = (first: number): TensorProto => floats('w', WEIGHT, [first, ...values.slice(1)]);
  const graphs: Readonly<Record<string, GraphProto>> = {
    'nan.onnx': { initializer: [replaced(NaN)] },
    'infinite.onnx': { initializer: [replaced(Infinity)] },
    'nothing.onnx': {
      initializer: [
        floats(
          'w',
          WEIGHT,
          values.map(() => 0),
        ),
      ],
    },
    'denormal.onnx': {
      initializer: [
        floats(
          'w',
          WEIGHT,
          values.map(() => 1e-42),
        ),
      ],
    },
    'overflow.onnx': {
      initializer: [
        floats(
          'w',
          WEIGHT,
          values.map(() => 3e38),
        ),
      ],
    },
    'empty-dim.onnx': { input: [value('x', [1, 3, 0, 4])] },
    'empty-batch.onnx': { input: [value('x', [0, 3, 4, 4])] },
    'no-shape.onnx': { input: [value('x')] },
    'no-inputs.onnx': { input: [], initializer: [weight('w', WEIGHT), weight('x', INPUT)] },
    'constant.onnx': { node: [], input: [], output: [value('w')] },
    'integers.onnx': { node: [node('Add', ['x', 'x'], ['y'])], input: [value('x', [1, 4], INT64)] },
    'passed.onnx': { node: [], output: [value('x')] },
    'both.onnx': { output: [value('c'), value('y')] },
    'text-input.onnx': { node: [node('Identity', ['x'], ['y'])], input: [value('x', [1], STRING)] },
    'sequence.onnx': {
      node: [node('SequenceAt', ['x', 'i'], ['y'])],
      input: [{ name: 'x', type: { sequenceType: { elemType: { tensorType: { elemType: 1 } } } } }],
      initializer: [{ name: 'i', dims: [], dataType: INT64, rawData: new Uint8Array(8) }],
    },
    'same-names.onnx': {
      node: [node('Conv', ['x', 'w'], ['c'], { name: 'n' }), node('Relu', ['c'], ['y'], { name: 'n' })],
    },
    'no-names.onnx': {
      node: [node('Conv', ['x', 'w'], ['c'], { name: '' }), node('Relu', ['c'], ['y'], { name: '' })],
    },
    'hostile-input.onnx': {
      node: [node('Conv', [HOSTILE, 'w'], ['y'], { name: HOSTILE })],
      input: [value(HOSTILE, INPUT)],
    },
    'long-names.onnx': {
      node: [node('Conv', ['x', 'w'], ['c'.repeat(10_000)]), node('Relu', ['c'.repeat(10_000)], ['y'])],
    },
    'log.onnx': { node: [node('Log', ['x'], ['l']), node('Conv', ['l', 'w'], ['y'])] },
    'batch4.onnx': { input: [value('x', [4, 3, 4, 4])] },
    'batch3.onnx': { input: [value('x', [3, 3, 4, 4])] },
    'open-batch.onnx': { input: [value('x', ['N', 3, 4, 4])] },
    'open-size.onnx': { input: [value('x', ['N', 3, 'H', 'W'])] },
    'gray.onnx': { input: [value('x', [1, 1, 4, 4])], initializer: [weight('w', [2, 1, 1, 1])] },
    'seven.onnx': { input: [value('x', [1, 7, 8, 8])], initializer: [weight('w', [2, 7, 1, 1])] },
  };
  for (const [name, graph] of Object.entries(graphs)) files.file(name, convolution(graph));
  return [
    refused('NaN in a weight', 'nan.onnx x.npy', 'NaN or infinite', "'w': 1 value", 'hint: --skip'),
    refused('infinity in a weight', 'infinite.onnx x.npy', 'NaN or infinite', "'w': 1 value"),
    fine('a weight of zeros', 'nothing.onnx x.npy'),
    fine('a weight of the smallest numbers', 'denormal.onnx x.npy'),
    fine('a weight of the largest numbers', 'overflow.onnx x.npy'),
    refused('an input without rows', 'empty-dim.onnx x.npy', 'size 0', 'x has shape [1, 3, 0, 4]'),
    refused('an input without rows, random data', 'empty-dim.onnx random', 'size 0'),
    refused('a batch of none', 'empty-batch.onnx x.npy', 'size 0', '[0, 3, 4, 4]'),
    refused('an input of unknown rank', 'no-shape.onnx x.npy', 'what shape', 'hint: --shape x='),
    fine('an input of unknown rank that is told', 'no-shape.onnx x.npy --shape x=1x3x4x4'),
    refused('no inputs', 'no-inputs.onnx random', 'has no inputs'),
    refused('constants alone', 'constant.onnx random', 'has no inputs'),
    refused(
      'no floats',
      'integers.onnx random',
      'nothing to quantize',
      'no node of this model computes with floats',
    ),
    refused('an output that is the input', 'passed.onnx x.npy', 'nothing to quantize'),
    fine('two outputs', 'both.onnx x.npy'),
    refused('an input of text', 'text-input.onnx random', 'input x has type string'),
    refused('an input that is a sequence', 'sequence.onnx random', 'sequences', '\n  x\n'),
    fine('nodes of the same name', 'same-names.onnx x.npy'),
    fine('nodes without names', 'no-names.onnx x.npy'),
    fine('an input whose name steers the terminal', 'hostile-input.onnx x.npy'),
    fine('names of ten thousand letters', 'long-names.onnx x.npy'),
    fine('a network that computes NaN', 'log.onnx x.npy'),
    fine('a batch of four', 'batch4.onnx x.npy'),
    refused('a batch of four for images', 'batch4.onnx images', 'a fixed batch of 4'),
    refused('four samples in batches of three', 'batch3.onnx x.npy', '[4, 3, 4, 4]', '[3, 3, 4, 4]'),
    fine('an open batch', 'open-batch.onnx random'),
    fine('an open size that the data has', 'open-size.onnx x.npy'),
    refused('an open size for images', 'open-size.onnx images', 'to what size', 'hint: --shape x=1x3x'),
    refused(
      'an open size for random data',
      'open-size.onnx random',
      'needs fixed sizes',
      'hint: --shape x=1x3x',
    ),
    fine('an open size that is told', 'open-size.onnx images --shape x=1x3x4x4'),
    refused('an open size told as 0', 'open-size.onnx images --shape x=1x3x0x4', 'positive integers'),
    refused(
      'an open size that no memory holds',
      'open-size.onnx random --shape x=1x3x60000x60000',
      '60000',
      'bytes',
    ),
    refused('a size that is not the model’s', 'good.onnx x.npy --shape x=1x3x5x5', '[1, 3, 4, 4]'),
    refused('a size of an input that is not there', 'good.onnx x.npy --shape z=1', 'no input "z"'),
    refused('a size that is none', 'good.onnx x.npy --shape x=axb', 'is not NAME=DIMS'),
    fine('colour images for a grey model', 'gray.onnx images'),
    refused(
      'images for seven channels',
      'seven.onnx images',
      '7 channels',
      'images give 1 or 3',
      'hint: --calib x=',
    ),
  ];
}

function operators(files: Workspace): Row[] {
  const mine = (op: string, input: string, output: string, name: string): NodeProto =>
    node(op, [input], [output], { domain: 'my.domain', name });
  const body = (op: string): GraphProto => ({
    name: op,
    node: [mine(op, 'c', 'inner', 'inside')],
    output: [value('inner')],
  });
  const attribute = (name: string, op: string): NonNullable<NodeProto['attribute']>[number] => ({
    name,
    type: onnx.AttributeProto.AttributeType.GRAPH,
    g: body(op),
  });
  files.file(
    'custom.onnx',
    behindConvolution([
      mine('Frobnicate', 'c', 'f', 'first'),
      node('Abs', ['f'], ['a']),
      mine('Wibble', 'a', 'b', 'second'),
      mine('Frobnicate', 'b', 'y', ''),
    ]),
  );
  files.file(
    'missing-op.onnx',
    behindConvolution([node('NoSuchOp', ['c'], ['d']), node('Nor', ['d'], ['y'])]),
  );
  files.file(
    'quantized-path.onnx',
    behindConvolution([mine('Frob', 'c', 'd', 'frob'), node('Conv', ['d', 'v'], ['y'])], {
      initializer: [weight('w', WEIGHT), weight('v', [2, 2, 1, 1])],
    }),
  );
  files.file(
    'in-body.onnx',
    behindConvolution(
      [
        node('If', ['b'], ['y'], {
          attribute: [attribute('then_branch', 'Frob'), attribute('else_branch', 'Wob')],
        }),
      ],
      { input: [value('x', INPUT), value('b', [], BOOL)] },
    ),
  );
  files.file(
    'kernels.onnx',
    behindConvolution(
      [
        mine('Frob', 'c', 'f', 'frob'),
        node('Conv', ['c', 'v'], ['d'], { name: 'again' }),
        node('Cast', ['d'], ['s'], {
          attribute: [{ name: 'to', type: onnx.AttributeProto.AttributeType.INT, i: 1 }],
        }),
        node('Conv', ['s', 'u'], ['y'], { name: 'single' }),
      ],
      {
        input: [value('x', INPUT, DOUBLE)],
        output: [value('y'), value('f')],
        initializer: [doubles('w', WEIGHT), doubles('v', [2, 2, 1, 1]), weight('u', [2, 2, 1, 1])],
      },
    ),
  );
  files.file(
    'hostile-op.onnx',
    behindConvolution([mine('F\u001b[31mRED\u202e', 'c', 'y', 'N'.repeat(10_000))]),
  );
  files.file(
    'quantized.onnx',
    behindConvolution(
      [node('QuantizeLinear', ['c', 's'], ['q']), node('DequantizeLinear', ['q', 's'], ['y'])],
      { initializer: [weight('w', WEIGHT), floats('s', [], [0.1])] },
    ),
  );
  return [
    refused(
      'operators that the runtime lacks: all of them, with their places',
      'custom.onnx x.npy',
      '3 of the 5 nodes',
      'node 1 first: my.domain:Frobnicate',
      'node 3 second: my.domain:Wibble',
      'node 4 Frobnicate#4: my.domain:Frobnicate',
    ),
    refused('operators that ONNX lacks', 'missing-op.onnx x.npy', '2 of the 3 nodes', 'NoSuchOp', ': Nor'),
    refused(
      'an operator among quantized ones',
      'quantized-path.onnx x.npy',
      '1 of the 3',
      'frob: my.domain:Frob',
    ),
    refused(
      'operators inside a branch',
      ['in-body.onnx', 'x=x.npy', '--calib', 'b=random'],
      '1 of the 2 nodes',
      'inside If',
      'my.domain:Frob',
      'my.domain:Wob',
    ),
    refused(
      'operators that the runtime has for other types',
      'kernels.onnx random',
      '3 of the 5 nodes',
      'node 0 conv: Conv of float64',
      'node 1 frob: my.domain:Frob',
      'node 2 again: Conv of float64',
    ),
    refused('an operator whose name steers the terminal', 'hostile-op.onnx x.npy', 'F\\u001b[31mRED', '…'),
    refused(
      'a scheme for a model that is quantized already',
      'quantized.onnx x.npy --scheme tflite',
      'quantized.onnx is quantized already',
    ),
  ];
}
