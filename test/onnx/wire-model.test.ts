import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { decodeModel, onnx } from '../../src/onnx/proto.js';
import {
  editedModel,
  editedNode,
  tensorProto,
  wireModel,
  type ModelEdits,
} from '../../src/onnx/wire-model.js';
import { nestedNames, withRenamedCaptures } from '../../src/onnx/wire-subgraphs.js';
import { bytesField, joined, stringField, wireFields } from '../../src/onnx/wire.js';

function fixture(name: string): Uint8Array {
  return readFileSync(fileURLToPath(new URL(`../../fixtures/${name}.onnx`, import.meta.url)));
}

const NOTHING: ModelEdits = {
  first: [],
  nodes: new Map(),
  initializers: new Map(),
  addedInitializers: [],
  inputs: new Map(),
  addedInputs: [],
  opsets: new Map(),
};
const identity = (input: string, output: string): Uint8Array =>
  onnx.NodeProto.encode({ opType: 'Identity', input: [input], output: [output] }).finish();

describe('a model as fields', () => {
  it('tells versions and names', () => {
    const model = wireModel(fixture('sweep/qdq/legacy'));
    expect([model.irVersion, [...model.opsets]]).toEqual([3, [['', 11]]]);
    expect(model.nodes[0]).toMatchObject({ op: 'Conv', name: 'conv1', inputs: ['x', 'W'], outputs: ['c1'] });
    expect(model.inputs.has('gamma') && model.initializers.has('gamma')).toBe(true);
    expect(model.outputs).toEqual(['y']);
    expect(wireModel(fixture('sweep/qdq/sparse')).initializers.has('S')).toBe(true);
  });

  it.each(['loader/modern', 'sweep/qdq/attention', 'loader/functions'])(
    'with no edits is %s again',
    (name) => {
      const bytes = fixture(name);
      expect(Buffer.compare(joined(editedModel(wireModel(bytes), NOTHING)), bytes)).toBe(0);
    },
  );

  it('whose graph is in two pieces has it in one', () => {
    const bytes = joined([
      fixture('sweep/qdq/branches'),
      ...bytesField(7, bytesField(1, identity('y', 'z'))),
    ]);
    const made = decodeModel(joined(editedModel(wireModel(bytes), NOTHING)));
    expect(made.graph?.node?.map(({ opType }) => opType)).toEqual([
      'Gemm',
      'ReduceSum',
      'Greater',
      'If',
      'Gemm',
      'Identity',
    ]);
    expect(made.graph?.initializer).toHaveLength(5);
  });

  it('has nodes, initializers and inputs put in and taken out', () => {
    const model = wireModel(fixture('sweep/qdq/legacy'));
    const edits: ModelEdits = {
      ...NOTHING,
      first: [identity('x', 'a')],
      nodes: new Map([
        [0, { before: [identity('a', 'b')], node: undefined, after: [identity('b', 'c')] }],
        [1, { before: [], node: model.nodes[1]!.bytes, after: [identity('c', 'd')] }],
      ]),
      initializers: new Map([['W', [tensorProto('W8', 3, [2], Uint8Array.of(1, 255))]]]),
      inputs: new Map([['W', []]]),
      opsets: new Map([['com.microsoft', 1]]),
    };
    const made = decodeModel(joined(editedModel(model, edits)));
    expect(made.graph?.node?.slice(0, 5).map(({ output }) => output?.[0])).toEqual([
      'a',
      'b',
      'c',
      'n1',
      'd',
    ]);
    const [first] = made.graph?.initializer ?? [];
    expect([first?.name, first?.dataType, [...(first?.rawData ?? [])]]).toEqual(['W8', 3, [1, 255]]);
    expect(made.graph?.input?.some(({ name }) => name === 'W')).toBe(false);
    expect(made.opsetImport?.map(({ domain }) => domain)).toEqual(['', 'com.microsoft']);
  });
});

describe('a node as fields', () => {
  const { nodes } = wireModel(fixture('sweep/qdq/attention'));

  it('keeps all but its inputs and outputs, fields of no schema too', () => {
    const node = nodes.find(({ op, name }) => op === 'MatMul' && name === 'value')!;
    const others = (bytes: Uint8Array): string[] =>
      wireFields(bytes)
        .filter(({ number }) => number > 2)
        .map((field) => Buffer.from(field.bytes).toString('hex'));
    const made = editedNode(node, ['p', 'q', 'r'], ['s']);
    expect(others(made)).toEqual(others(node.bytes));
    expect(onnx.NodeProto.decode(made)).toMatchObject({
      input: ['p', 'q', 'r'],
      output: ['s'],
      name: 'value',
    });
  });

  it('is given inputs where it had none', () => {
    const made = editedNode({ ...nodes[0]!, bytes: joined(stringField(4, 'Op')) }, ['a'], []);
    expect(onnx.NodeProto.decode(made)).toMatchObject({ input: ['a'], opType: 'Op' });
  });
});

describe('graphs inside nodes', () => {
  const inner = (input: string): object => ({
    node: [
      { opType: 'Relu', input: [input], output: ['own'] },
      { opType: 'Neg', input: ['own'], output: ['out'] },
    ],
    output: [{ name: 'out' }],
  });
  const branch = (graph: object): Uint8Array =>
    onnx.AttributeProto.encode({
      name: 'body',
      type: onnx.AttributeProto.AttributeType.GRAPH,
      g: graph,
    }).finish();
  const renamed = (graph: object): string[] => {
    const made = withRenamedCaptures(branch(graph), new Map([['x', 'x_read']]));
    return onnx.AttributeProto.decode(made).g!.node!.flatMap(({ input }) => input ?? []);
  };

  it('read values around them under other names', () => {
    expect(renamed(inner('x'))).toEqual(['x_read', 'own']);
  });

  it('hide names with values of their own', () => {
    expect(renamed({ ...inner('x'), initializer: [{ name: 'x' }] })).toEqual(['x', 'own']);
    expect(renamed({ ...inner('x'), input: [{ name: 'x' }] })).toEqual(['x', 'own']);
  });

  it('are reached inside each other', () => {
    const outer = {
      node: [
        {
          opType: 'If',
          input: ['x'],
          output: ['out'],
          attribute: [{ name: 'then_branch', type: onnx.AttributeProto.AttributeType.GRAPH, g: inner('x') }],
        },
      ],
    };
    const made = withRenamedCaptures(branch(outer), new Map([['x', 'x_read']]));
    const node = onnx.AttributeProto.decode(made).g!.node![0]!;
    expect([node.input![0], node.attribute![0]!.g!.node![0]!.input![0]]).toEqual(['x_read', 'x_read']);
  });

  it('that read none of the names stay the very bytes', () => {
    const attribute = branch(inner('other'));
    expect(withRenamedCaptures(attribute, new Map([['x', 'y']]))).toBe(attribute);
  });

  it('have names to tell', () => {
    const node = wireModel(fixture('sweep/qdq/branches')).nodes[3]!;
    expect([...nestedNames(node.bytes)].sort()).toEqual(['W2', 'e0', 'e1', 'h', 't0', 't1', 'x']);
  });

  it('nested beyond all measure are refused', () => {
    let attribute = branch(inner('x'));
    for (let depth = 0; depth < 150; depth++) {
      const node = joined([...stringField(1, 'x'), ...bytesField(5, attribute)]);
      attribute = joined(bytesField(6, bytesField(1, node)));
    }
    expect(() => withRenamedCaptures(attribute, new Map([['x', 'y']]))).toThrow(/nested too deeply/);
  });
});
