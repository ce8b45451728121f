import { describe, expect, it } from 'vitest';
import { LoadError, UnsupportedError } from '../../src/errors.js';
import { loadModel } from '../../src/loader/index.js';
import { onnx } from '../../src/onnx/proto.js';
import type { FunctionProto, NodeProto } from '../../src/onnx/proto.js';
import {
  fixture,
  listing,
  loadProto,
  modelOf,
  refusal,
  temporaryFolder,
  tensorNamed,
} from './model-files.js';

const folder = temporaryFolder();

function call(name: string, input: string[], output: string[], label = ''): NodeProto {
  return { opType: name, domain: 'local', input, output, name: label };
}

function definition(name: string, input: string[], output: string[], node: NodeProto[]): FunctionProto {
  return { domain: 'local', name, input, output, node, opsetImport: [{ domain: '', version: 17 }] };
}

const load = (node: NodeProto[], functions: FunctionProto[]) =>
  loadProto(
    folder,
    modelOf(
      { node },
      {
        functions,
        opsetImport: [
          { domain: '', version: 17 },
          { domain: 'local', version: 1 },
        ],
      },
    ),
  );

describe('model-local functions', () => {
  it('leave no call and none of their domains', async () => {
    const { graph } = await loadModel(fixture('functions.onnx'));
    expect(new Set(graph.nodes.map(({ domain }) => domain))).toEqual(new Set(['']));
    expect([...graph.opsets.keys()]).toEqual(['']);
    expect(graph.nodes.map(({ op }) => op)).toEqual([
      ...['LeakyRelu', 'Mul', 'LeakyRelu', 'Mul', 'Clip', 'Identity'],
      ...['LeakyRelu', 'Mul', 'LeakyRelu', 'Mul', 'Clip', 'Identity'],
      ...['Neg', 'If', 'If', 'Sum'],
    ]);
  });

  it('are recorded as the path of calls that led to a node', async () => {
    const { graph } = await loadModel(fixture('functions.onnx'));
    expect(graph.nodes[0]!.origin).toEqual({
      name: '',
      op: 'LeakyRelu',
      index: 0,
      functionPath: ['block1', 'first'],
    });
    expect(graph.nodes[8]!.origin).toMatchObject({ index: 1, functionPath: ['Block#1', 'ScaleRelu#1'] });
    expect(graph.nodes[15]!.origin).toEqual({ name: 'total', op: 'Sum', index: 5 });
  });

  it('give their values names of their own in every call', async () => {
    const { graph } = await loadModel(fixture('functions.onnx'));
    const names = graph.tensors.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain('block1/first/activated');
    expect(names).toContain('Block#1/first/activated');
  });

  it('take attributes from the call, else from their defaults', async () => {
    const { graph } = await loadModel(fixture('functions.onnx'));
    const factor = (name: string) =>
      new Float32Array(new Uint8Array(tensorNamed(graph, name).data!.bytes()).buffer)[0];
    expect(factor('block1/first/f')).toBe(0.5);
    expect(factor('block1/ScaleRelu#1/f')).toBe(3);
    expect(graph.nodes[0]!.attrs.get('alpha')).toMatchObject({ value: Math.fround(0.2) });
    expect(graph.nodes[6]!.attrs.get('alpha')).toMatchObject({ value: Math.fround(0.7) });
  });

  it('drop an attribute that refers to one not given', async () => {
    const body = {
      opType: 'LeakyRelu',
      input: ['a'],
      output: ['b'],
      attribute: [{ name: 'alpha', type: onnx.AttributeProto.AttributeType.FLOAT, refAttrName: 'slope' }],
    };
    const graph = await load([call('F', ['x'], ['y'])], [definition('F', ['a'], ['b'], [body])]);
    expect(graph.nodes[0]!.attrs.size).toBe(0);
  });

  it('copy an output that is an input, or named twice', async () => {
    const functions = [
      definition('F', ['a'], ['a', 'b', 'b'], [{ opType: 'Neg', input: ['a'], output: ['b'] }]),
    ];
    const graph = await load(
      [call('F', ['x'], ['p', 'q', 'r']), { opType: 'Sum', input: ['p', 'q', 'r'], output: ['y'] }],
      functions,
    );
    expect(listing(graph)).toEqual([
      'Neg(x) -> q',
      'Identity(x) -> p',
      'Identity(q) -> r',
      'Sum(p, q, r) -> y',
    ]);
  });

  it('do not take a name that the model already has', async () => {
    const functions = [
      definition(
        'F',
        ['a'],
        ['b'],
        [
          { opType: 'Neg', input: ['a'], output: ['t'] },
          { opType: 'Abs', input: ['t'], output: ['b'] },
        ],
      ),
    ];
    const graph = await load(
      [{ opType: 'Exp', input: ['x'], output: ['c/t'] }, call('F', ['c/t'], ['y'], 'c')],
      functions,
    );
    expect(listing(graph)).toEqual(['Exp(x) -> c/t', 'Neg(c/t) -> c/t_2', 'Abs(c/t_2) -> y']);
  });

  it('that call themselves are refused, with the path', async () => {
    const functions = [
      definition('A', ['a'], ['b'], [call('B', ['a'], ['b'], 'inner')]),
      definition('B', ['a'], ['b'], [call('A', ['a'], ['b'], 'back')]),
    ];
    const error = await refusal(load([call('A', ['x'], ['y'], 'start')], functions));
    expect(error).toBeInstanceOf(LoadError);
    expect(error.message).toMatch(/function local\.A calls itself/);
    expect(error.places).toEqual(['start/inner/back']);
  });

  it('that multiply without end are refused in time', async () => {
    const functions = Array.from({ length: 60 }, (_, i) =>
      definition(
        `F${i}`,
        ['a'],
        ['b'],
        i === 59
          ? [{ opType: 'Neg', input: ['a'], output: ['b'] }]
          : [call(`F${i + 1}`, ['a'], ['c']), call(`F${i + 1}`, ['c'], ['b'])],
      ),
    );
    const error = await refusal(load([call('F0', ['x'], ['y'])], functions));
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(error.message).toMatch(/expand to more than/);
  }, 30_000);

  it('that multiply without a single node are refused too', async () => {
    const functions = Array.from({ length: 60 }, (_, i) =>
      definition(
        `F${i}`,
        ['a'],
        [],
        i === 59 ? [] : [call(`F${i + 1}`, ['a'], []), call(`F${i + 1}`, ['a'], [])],
      ),
    );
    expect(await refusal(load([call('F0', ['x'], [])], functions))).toBeInstanceOf(UnsupportedError);
  }, 30_000);

  it('nested too deep are refused', async () => {
    const functions = Array.from({ length: 5000 }, (_, i) =>
      definition(`F${i}`, ['a'], ['b'], [call(`F${i + 1}`, ['a'], ['b'])]),
    );
    const error = await refusal(load([call('F0', ['x'], ['y'])], functions));
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(error.message).toMatch(/more than 100 deep/);
  });

  it.each<[string, NodeProto[], FunctionProto[], RegExp]>([
    [
      'read a value of their caller',
      [call('F', ['x'], ['y'])],
      [definition('F', ['a'], ['b'], [{ opType: 'Add', input: ['a', 'x'], output: ['b'] }])],
      /function local\.F reads "x", which it does not define/,
    ],
    [
      'are given too many inputs',
      [call('F', ['x', 'x'], ['y'], 'f')],
      [definition('F', ['a'], ['b'], [])],
      /f calls function local\.F \(1 inputs, 1 outputs\) with 2 inputs and 1 outputs/,
    ],
    [
      'never write their output',
      [call('F', ['x'], ['y'])],
      [definition('F', ['a'], ['b'], [])],
      /"y" is defined by nothing/,
    ],
    [
      'are defined twice',
      [call('F', ['x'], ['y'])],
      [1, 2].map(() => definition('F', ['a'], ['b'], [{ opType: 'Neg', input: ['a'], output: ['b'] }])),
      /function local\.F is defined twice/,
    ],
  ])('that %s are refused', async (_what, nodes, functions, message) => {
    const error = await refusal(load(nodes, functions));
    expect(error).toBeInstanceOf(LoadError);
    expect(error.message).toMatch(message);
  });

  it('that need another opset than the model are refused, naming both', async () => {
    const functions = [
      {
        ...definition('F', ['a'], ['b'], [{ opType: 'Neg', input: ['a'], output: ['b'] }]),
        opsetImport: [{ domain: '', version: 13 }],
      },
    ];
    const error = await refusal(load([call('F', ['x'], ['y'])], functions));
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(error.message).toMatch(/function local\.F uses ai\.onnx opset 13, the model opset 17/);
  });

  it('bring the operator sets that only they import', async () => {
    const functions = [
      {
        ...definition(
          'F',
          ['a'],
          ['b'],
          [{ opType: 'Gelu', domain: 'com.microsoft', input: ['a'], output: ['b'] }],
        ),
        opsetImport: [{ domain: 'com.microsoft', version: 1 }],
      },
    ];
    const graph = await load([call('F', ['x'], ['y'])], functions);
    expect(graph.opsets.get('com.microsoft')).toBe(1);
  });
});
