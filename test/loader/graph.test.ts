import { describe, expect, it } from 'vitest';
import { LoadError } from '../../src/errors.js';
import { topologyOf } from '../../src/ir/graph.js';
import { loadModel } from '../../src/loader/index.js';
import { onnx } from '../../src/onnx/proto.js';
import type { GraphProto, NodeProto } from '../../src/onnx/proto.js';
import {
  fixture,
  loadProto,
  modelOf,
  nodeNamed,
  refusal,
  temporaryFolder,
  tensorNamed,
} from './model-files.js';

const folder = temporaryFolder();
const { AttributeType } = onnx.AttributeProto;
const node = (opType: string, input: string[], output: string[], name = ''): NodeProto => ({
  opType,
  input,
  output,
  name,
});

describe('the graph of a file', () => {
  it('has its nodes in topological order, with the position and name they have in the file', async () => {
    const { graph } = await loadModel(fixture('shapes.onnx'));
    expect(graph.nodes.map(({ origin }) => [origin.name, origin.index])).toEqual([
      ['first', 2],
      ['middle', 1],
      ['last', 0],
    ]);
  });

  it('keeps the order of the file where that is already topological', async () => {
    const nodes = [node('Neg', ['x'], ['a']), node('Abs', ['x'], ['b']), node('Add', ['b', 'a'], ['y'])];
    const graph = await loadProto(folder, modelOf({ node: nodes }));
    expect(graph.nodes.map(({ op }) => op)).toEqual(['Neg', 'Abs', 'Add']);
  });

  it('does not count initializers among its inputs', async () => {
    const { graph } = await loadModel(fixture('shapes.onnx'));
    expect(graph.inputs.map((id) => graph.tensors[id]!.name)).toEqual(['image', 'scale']);
    expect(tensorNamed(graph, 'two').data).toBeDefined();
  });

  it('has the types and shapes that the file states, and no others', async () => {
    const { graph } = await loadModel(fixture('shapes.onnx'));
    expect(tensorNamed(graph, 'image')).toMatchObject({
      dtype: 'float32',
      shape: ['batch', 3, 'height', null],
    });
    expect(tensorNamed(graph, 'p').shape).toEqual(['batch', 3, 'height', null]);
    expect(tensorNamed(graph, 'scale')).toMatchObject({ dtype: 'float32', shape: undefined });
    expect(tensorNamed(graph, 'r')).toMatchObject({ dtype: undefined, shape: undefined });
    expect(tensorNamed(graph, 'two').shape).toEqual([]);
  });

  it('takes a negative extent for an unknown one', async () => {
    const info = {
      name: 'x',
      type: { tensorType: { elemType: 1, shape: { dim: [{ dimValue: -1 }, { dimValue: 0 }] } } },
    };
    const graph = await loadProto(folder, modelOf({ input: [info] }));
    expect(tensorNamed(graph, 'x').shape).toEqual([null, 0]);
  });

  it('gives sequences neither type nor shape', async () => {
    const { graph } = await loadModel(fixture('sequence.onnx'));
    expect(tensorNamed(graph, 'list')).toMatchObject({ dtype: undefined, shape: undefined });
  });

  it('keeps producer, metadata and versions', async () => {
    const { graph } = await loadModel(fixture('shapes.onnx'));
    expect(graph).toMatchObject({ format: 'onnx', name: 'shapes', irVersion: 9, producer: 'recipe 1' });
    expect([...graph.opsets]).toEqual([['', 17]]);
    expect([...graph.metadata]).toEqual([['names', '{"0": "cat"}']]);
  });

  it('calls ai.onnx by its short name', async () => {
    const relu = { ...node('Relu', ['x'], ['y']), domain: 'ai.onnx' };
    const graph = await loadProto(
      folder,
      modelOf({ node: [relu] }, { opsetImport: [{ domain: 'ai.onnx', version: 18 }] }),
    );
    expect(graph.nodes[0]!.domain).toBe('');
    expect([...graph.opsets]).toEqual([['', 18]]);
  });

  it('reads attributes of every type, and keeps blobs that are no text', async () => {
    const blob = Uint8Array.of(0xff, 0xfe);
    const attribute = [
      { name: 'i', type: AttributeType.INT, i: -7 },
      { name: 'f', type: AttributeType.FLOAT, f: 0.5 },
      { name: 's', type: AttributeType.STRING, s: Buffer.from('text') },
      { name: 'blob', type: AttributeType.STRING, s: blob },
      { name: 'ints', type: AttributeType.INTS, ints: [1, 2] },
      { name: 'floats', type: AttributeType.FLOATS, floats: [0.5] },
      { name: 'strings', type: AttributeType.STRINGS, strings: [Buffer.from('a')] },
      { name: 'tensor', type: AttributeType.TENSOR, t: { dataType: 7, dims: [], int64Data: [3] } },
      { name: 'type', type: AttributeType.TYPE_PROTO, tp: { tensorType: { elemType: 1 } } },
      { name: 'untyped', ints: [5] },
    ];
    const custom = { ...node('Custom', ['x'], ['y'], 'c'), domain: 'mine', attribute };
    const { attrs } = nodeNamed(await loadProto(folder, modelOf({ node: [custom] })), 'c');
    expect(attrs.get('i')).toEqual({ type: 'int', value: -7n });
    expect(attrs.get('f')).toEqual({ type: 'float', value: 0.5 });
    expect(attrs.get('s')).toEqual({ type: 'string', value: 'text' });
    expect(attrs.get('blob')).toMatchObject({ type: 'raw' });
    expect(attrs.get('ints')).toEqual({ type: 'ints', value: [1n, 2n] });
    expect(attrs.get('floats')).toEqual({ type: 'floats', value: [0.5] });
    expect(attrs.get('strings')).toEqual({ type: 'strings', value: ['a'] });
    expect(attrs.get('tensor')).toMatchObject({ type: 'tensor', value: { dtype: 'int64', dims: [] } });
    expect(attrs.get('type')).toMatchObject({ type: 'raw' });
    expect(attrs.get('untyped')).toEqual({ type: 'ints', value: [5n] });
  });

  it('has null where an input or output is omitted', async () => {
    const { graph } = await loadModel(fixture('control-flow.onnx'));
    expect(nodeNamed(graph, 'loop').inputs[1]).toBeNull();
  });

  it('shows what control flow reads from around it, nested branches included', async () => {
    const { graph } = await loadModel(fixture('control-flow.onnx'));
    const loop = nodeNamed(graph, 'loop');
    const body = loop.attrs.get('body');
    if (body?.type !== 'graph') throw new Error('no body');
    expect(body.value.captures.map((id) => graph.tensors[id]!.name).sort()).toEqual(['w', 'x']);
    expect(topologyOf(graph).uses[tensorNamed(graph, 'w').id]).toEqual([{ node: loop.id, slot: -1 }]);
    const encoded = Buffer.from(body.value.encode((id) => `renamed${id}`));
    expect(encoded.includes('through renaming')).toBe(true);
    expect(encoded.includes(`renamed${tensorNamed(graph, 'w').id}`)).toBe(true);
  });
});

describe('a broken graph', () => {
  it.each<[string, GraphProto, RegExp]>([
    [
      'a value that nothing defines',
      { node: [node('Add', ['x', 'ghost'], ['y'], 'sum')] },
      /sum \(Add\) reads "ghost", which nothing defines/,
    ],
    [
      'a value defined twice',
      { node: [node('Relu', ['x'], ['y']), node('Neg', ['x'], ['y'], 'again')] },
      /"y" is defined twice: .*Relu#0.* and as .*again/,
    ],
    [
      'an input that a node writes',
      { node: [node('Relu', ['x'], ['x']), node('Neg', ['x'], ['y'])] },
      /"x" is defined twice/,
    ],
    [
      'two initializers of one name',
      { initializer: [1, 2].map(() => ({ name: 'w', dataType: 1, rawData: new Uint8Array(4) })) },
      /"w" is defined twice: as an initializer/,
    ],
    [
      'an output that nothing defines',
      { output: [{ name: 'nothing' }] },
      /graph output "nothing" is defined by nothing/,
    ],
    ['no outputs', { output: [] }, /no outputs/],
    [
      'a cycle',
      {
        node: [
          node('Add', ['x', 'b'], ['a'], 'one'),
          node('Relu', ['a'], ['b'], 'two'),
          node('Neg', ['b'], ['y']),
        ],
      },
      /need each other's outputs: one -> two|two -> one/,
    ],
    [
      'a node that reads itself',
      { node: [node('Add', ['x', 'y'], ['y'], 'self')] },
      /need each other's outputs: self/,
    ],
    [
      'an unnamed initializer',
      { initializer: [{ dataType: 1, rawData: new Uint8Array(4) }] },
      /an initializer has no name/,
    ],
    [
      'a Constant without a value',
      { node: [{ opType: 'Constant', output: ['y'], name: 'c' }] },
      /c is a Constant with 0 attributes|Constant with 0/,
    ],
    [
      'an attribute given twice',
      {
        node: [
          {
            ...node('Relu', ['x'], ['y'], 'r'),
            attribute: [
              { name: 'a', type: AttributeType.INT, i: 1 },
              { name: 'a', type: AttributeType.INT, i: 2 },
            ],
          },
        ],
      },
      /attribute "a" of r is given twice/,
    ],
    [
      'a function reference outside a function',
      {
        node: [
          {
            ...node('Relu', ['x'], ['y']),
            attribute: [{ name: 'a', type: AttributeType.INT, refAttrName: 'b' }],
          },
        ],
      },
      /refers to attribute "b" of no function/,
    ],
    [
      'a nested graph that reads what nothing defines',
      {
        node: [
          {
            ...node('If', ['x'], ['y'], 'if'),
            attribute: [
              {
                name: 'then_branch',
                type: AttributeType.GRAPH,
                g: { node: [node('Relu', ['lost'], ['t'])], output: [{ name: 't' }] },
              },
            ],
          },
        ],
      },
      /if \(If\) reads "lost"/,
    ],
    [
      'an extent beyond 2^53',
      {
        input: [
          { name: 'x', type: { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 2 ** 60 }] } } } },
        ],
      },
      /"x" has an extent of/,
    ],
  ])('with %s is refused', async (_what, graph, message) => {
    const error = await refusal(loadProto(folder, modelOf(graph)));
    expect(error).toBeInstanceOf(LoadError);
    expect([error.message, ...(error.places ?? [])].join('\n')).toMatch(message);
  });

  it('has all its problems listed', async () => {
    const nodes = [node('Add', ['g1', 'g2'], ['y'], 'sum'), node('Neg', ['g3'], ['y'])];
    const error = await refusal(loadProto(folder, modelOf({ node: nodes })));
    expect(error.message).toMatch(/broken in 4 places/);
    expect(error.places).toHaveLength(4);
  });

  it('has at most fifty of its problems listed, and the rest counted', async () => {
    const input = Array.from({ length: 200 }, (_, i) => `ghost${i}`);
    const error = await refusal(loadProto(folder, modelOf({ node: [node('Sum', input, ['y'])] })));
    expect(error.message).toMatch(/broken in 200 places/);
    expect(error.places).toHaveLength(51);
    expect(error.places?.at(-1)).toBe('and 150 more');
  });

  it('of a chain longer than the call stack still loads', async () => {
    const nodes = Array.from({ length: 20_000 }, (_, i) =>
      node('Relu', [i === 0 ? 'x' : `v${i}`], [`v${i + 1}`]),
    );
    const graph = await loadProto(
      folder,
      modelOf({ node: [node('Neg', ['v20000'], ['y']), ...nodes.reverse()] }),
    );
    expect(graph.nodes.at(-1)!.op).toBe('Neg');
  });
});
