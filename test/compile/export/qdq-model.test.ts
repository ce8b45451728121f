import { describe, expect, it } from 'vitest';
import { tensorOf, type ConstantData } from '../../../src/ir/graph.js';
import { useKey, type Lane, type QuantParams } from '../../../src/ir/lane.js';
import { toFloat32 } from '../../../src/ir/elements.js';
import { loadModel } from '../../../src/loader/index.js';
import { decodeModel, onnx } from '../../../src/onnx/proto.js';
import { wireModel } from '../../../src/onnx/wire-model.js';
import { wireFields } from '../../../src/onnx/wire.js';
import { overrideScheme, SCHEMES } from '../../../src/quant/presets.js';
import { NO_SELECTION } from '../../../src/quant/select.js';
import { tensorNamed } from '../../support/graph-builder.js';
import { perTensor } from '../../support/lanes.js';
import { workspace } from '../../support/workspace.js';
import { agreement, exported, pathOf, quantizedModel, type Carried } from './carried.js';

const ORT = SCHEMES['ort']!;
const SCHEME = {
  'uint8 per tensor': ORT,
  'int8 per axis': SCHEMES['tflite']!,
  'int16 activations': overrideScheme(ORT, { activations: 'int16', granularity: 'per-axis' }),
  'int4 weights': overrideScheme(ORT, { weights: 'int4', granularity: 'per-axis' }),
  'float biases': SCHEMES['tensorrt']!,
  'float weights': overrideScheme(ORT, { weights: 'float' }),
};
type SchemeName = keyof typeof SCHEME;
const OWN = 'fixtures/sweep/qdq/';
const MODELS: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>> = {
  [`${OWN}legacy.onnx`]: {},
  [`${OWN}older.onnx`]: {},
  [`${OWN}attention.onnx`]: { x: [2, 6, 16] },
  [`${OWN}lstm.onnx`]: { x: [4, 2, 6] },
  [`${OWN}branches.onnx`]: {},
  [`${OWN}functions.onnx`]: {},
  [`${OWN}half.onnx`]: {},
  [`${OWN}sparse.onnx`]: {},
  'fixtures/digits/digits.onnx': { image: [1, 1, 8, 8] },
  'fixtures/digits/digits_rescaled.onnx': { image: [1, 1, 8, 8] },
  'fixtures/segmentation/segmentation.onnx': { image: [1, 3, 48, 48] },
  'fixtures/detection/detection.onnx': {},
  'fixtures/triage/triage_float.onnx': { image: [1, 3, 12, 12] },
  'fixtures/triage/triage_float.tflite': {},
};
/** These have their BatchNormalization where the lane has float weights; there, the runtime rounds otherwise. */
const UNFOLDED = /legacy|digits/;
const files = workspace();

function quantized(model: string, scheme: SchemeName = 'uint8 per tensor'): Promise<Carried> {
  return quantizedModel(model, SCHEME[scheme], MODELS[model]);
}

async function expectExact(carried: Carried): Promise<void> {
  for (const { output, same, relative } of await agreement(carried, exported(carried)))
    expect([same, relative], output).toEqual([1, 0]);
}

function nodesOf(bytes: Uint8Array): { op: string; domain: string; inputs: string[]; output: string }[] {
  return (decodeModel(bytes).graph?.node ?? []).map(({ opType, domain, input, output }) => ({
    op: opType ?? '',
    domain: domain ?? '',
    inputs: input ?? [],
    output: output?.[0] ?? '',
  }));
}

describe('a model with the quantizers of a lane', () => {
  const cases = Object.keys(MODELS).flatMap((model) =>
    (Object.keys(SCHEME) as SchemeName[]).map((scheme) => [model, scheme] as const),
  );

  it.each(cases)('%s, %s, computes what the lane computes', async (model, scheme) => {
    const carried = await quantized(model, scheme);
    for (const { output, same, steps } of await agreement(carried, exported(carried))) {
      if (scheme === 'float weights' && UNFOLDED.test(model)) expect(steps ?? 0, output).toBeLessThan(1.01);
      else expect(same, output).toBe(1);
    }
  });

  it.each(cases)('%s, %s, is loaded with the parameters that were written', async (model, scheme) => {
    const carried = await quantized(model, scheme);
    const path = files.file('exported.onnx', exported(carried).bytes);
    const { graph, lane } = await loadModel(path);
    const told = (params: QuantParams): string =>
      JSON.stringify([
        // Nothing in a file tells limits of constants, whose codes are within them.
        params.dtype,
        params.granularity,
        [...params.scale],
        [...params.zeroPoint],
      ]);
    const of = (l: Lane): string[] => [...l.tensors.values(), ...l.uses.values()].map(told);
    // Equal parameters of several tensors, and of several uses of one, may come back as one.
    const isHalf = tensorOf(graph, graph.inputs[0]!).dtype === 'float16';
    if (!isHalf) expect(new Set(of(lane!))).toEqual(new Set(of(carried.lane)));
    expect(graph.inputs.map((id) => tensorOf(graph, id).name)).toEqual(
      carried.graph.inputs.map((id) => tensorOf(carried.graph, id).name),
    );
    expect(wireModel(exported(carried).bytes).outputs).toEqual(
      carried.graph.outputs.map((id) => tensorOf(carried.graph, id).name),
    );
  });

  it('is the same bytes each time, and leaves the file as it was', async () => {
    const carried = await quantized(`${OWN}attention.onnx`);
    const before = Buffer.from(carried.file).toString('hex');
    const first = Buffer.from(exported(carried).bytes);
    expect(first.equals(exported(await quantized(`${OWN}attention.onnx`)).bytes)).toBe(true);
    expect(Buffer.from(carried.file).toString('hex')).toBe(before);
  });
});

describe('what a file has', () => {
  const CHANGED = Object.keys(MODELS).filter((model) => !/older|functions|tflite/.test(model));
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

  it.each(CHANGED)(
    'is in the copy of %s, but for replaced constants and other names of inputs',
    async (model) => {
      const carried = await quantized(model);
      const { bytes, how } = exported(carried);
      expect(how).toBe('changed');
      const [before, after] = [wireModel(carried.file), wireModel(bytes)];
      const outside = (m: typeof before): string[] =>
        m.fields.filter(({ number }) => number !== 7).map((f) => hex(f.bytes));
      expect(outside(after)).toEqual(outside(before));

      const rest = new Set(after.graphFields.map((field) => hex(field.bytes)));
      const ofNode = (node: Uint8Array): string =>
        wireFields(node)
          .filter(({ number }) => number > 2)
          .map((field) => hex(field.bytes))
          .join();
      const nodes = new Set(after.nodes.map((node) => ofNode(node.bytes)));
      for (const { number, bytes: field, payload } of before.graphFields) {
        if (number === 1) {
          const { opType, name } = onnx.NodeProto.decode(payload);
          const isReplaced = opType === 'Constant' || opType === 'BatchNormalization' || opType === 'If';
          expect(nodes.has(ofNode(payload)) || isReplaced, `node ${name}`).toBe(true);
        } else if (number !== 5 && number !== 15 && number !== 11) expect(rest.has(hex(field))).toBe(true);
      }
      const kept = [...before.initializers].filter((name) => !after.initializers.has(name));
      for (const name of kept) {
        const isCodes = after.initializers.has(`${name}_quantized`);
        const isFolded = /^(?:gamma|beta|mean|var)|^W$|\.(?:weight|bias|running)|bn|norm/i.test(name);
        expect(isCodes || isFolded, name).toBe(true);
      }
    },
  );

  it('stays where a layer is not quantized: its normalization too', async () => {
    const carried = await quantizedModel(
      `${OWN}legacy.onnx`,
      ORT,
      {},
      {
        ...NO_SELECTION,
        only: ['dense'],
      },
    );
    const ops = nodesOf(exported(carried).bytes).map(({ op }) => op);
    expect(ops.filter((op) => op === 'BatchNormalization')).toHaveLength(3);
    await expectExact(carried);
  });

  it('of a quantized layer is its folded normalization, and constants that nothing reads any more are gone', async () => {
    const { bytes, notes } = exported(await quantized(`${OWN}legacy.onnx`));
    expect(nodesOf(bytes).map(({ op }) => op)).not.toContain('BatchNormalization');
    const { initializers, inputs } = wireModel(bytes);
    expect([...initializers]).toContain('unused');
    for (const gone of ['W', 'gamma', 'beta', 'mean', 'var']) {
      expect(initializers.has(gone), gone).toBe(false);
      expect(inputs.has(gone), gone).toBe(false);
    }
    // Below IR version 4 every initializer is an input.
    for (const name of initializers) expect(inputs.has(name), name).toBe(true);
    expect(notes.join()).toContain('norm1 is folded into the weights of conv1');
  });

  it('are told in one line, of however many', async () => {
    const { notes } = exported(await quantized('fixtures/digits/digits.onnx'));
    expect(notes.filter((note) => note.includes('folded'))).toEqual([
      'stem/conv_bn is folded into the weights of stem/conv, and 1 more alike',
    ]);
  });

  it('of a constant with a default value is a constant', async () => {
    const { bytes, notes } = exported(await quantized(`${OWN}lstm.onnx`));
    expect([...wireModel(bytes).inputs]).toEqual(['x']);
    expect(notes.join()).toContain("'W1' was an input with a default value");
  });
});

describe('names and operators', () => {
  it('are those of the quantizer of ONNX Runtime; weights and outputs keep theirs', async () => {
    const nodes = nodesOf(exported(await quantized('fixtures/triage/triage_float.onnx')).bytes);
    const reads = (output: string) => nodes.find((node) => node.output === output)!;
    expect(reads('norm_QuantizeLinear_Output')).toEqual({
      op: 'QuantizeLinear',
      domain: '',
      inputs: ['norm', 'norm_scale', 'norm_zero_point'],
      output: 'norm_QuantizeLinear_Output',
    });
    expect(reads('scores').op).toBe('DequantizeLinear');
    expect(reads('scores_QuantizeLinear_Output').inputs[0]).toBe('scores_QuantizeLinear_Input');
  });

  it('step aside for those of the file', async () => {
    const carried = await quantized(`${OWN}branches.onnx`);
    const graph = decodeModel(carried.file).graph!;
    graph.initializer!.push({ name: 'x_scale', dims: [], dataType: 1, floatData: [3] });
    const file = onnx.ModelProto.encode({ ...decodeModel(carried.file), graph }).finish();
    const { bytes } = exported({ ...carried, file });
    expect([...wireModel(bytes).initializers]).toEqual(expect.arrayContaining(['x_scale', 'x_scale_2']));
  });

  it('are of ai.onnx where its opset has them, else of com.microsoft, which is then imported', async () => {
    const domains = async (model: string, scheme: SchemeName): Promise<Set<string>> =>
      new Set(
        nodesOf(exported(await quantized(model, scheme)).bytes)
          .filter(({ op }) => /quantizeLinear/i.test(op))
          .map(({ domain }) => domain),
      );
    expect(await domains('fixtures/triage/triage_float.onnx', 'int8 per axis')).toEqual(new Set(['']));
    expect(await domains(`${OWN}legacy.onnx`, 'int8 per axis')).toEqual(new Set(['', 'com.microsoft']));
    expect(await domains('fixtures/triage/triage_float.onnx', 'int4 weights')).toEqual(
      new Set(['', 'com.microsoft']),
    );
    const { opsets } = wireModel(
      exported(await quantized(`${OWN}attention.onnx`, 'int16 activations')).bytes,
    );
    expect([...opsets]).toEqual([
      ['', 17],
      ['com.microsoft', 1],
    ]);
  });

  it('inside graphs of nodes are read from around them, quantized', async () => {
    const carried = await quantized(`${OWN}branches.onnx`);
    const input = tensorNamed(carried.graph, 'x').id;
    expect(carried.lane.tensors.has(input)).toBe(true);
    const made = decodeModel(exported(carried).bytes).graph!;
    const names = made
      .node!.find(({ opType }) => opType === 'If')!
      .attribute!.flatMap(({ g }) => g!.node!.flatMap((n) => n.input!));
    expect(names).toContain('x_DequantizeLinear_Output');
    expect(names).not.toContain('x');
  });
});

describe('what a lane has besides', () => {
  it('quantizers of single uses are on that input only, equal ones are one', async () => {
    const carried = await quantized('fixtures/triage/triage_float.onnx', 'float biases');
    expect(carried.lane.uses.size).toBeGreaterThan(0);
    const own = await quantized(`${OWN}sparse.onnx`, 'float weights');
    const [first, second] = [perTensor('int8', 0.02), perTensor('int8', 0.05)];
    const relu = own.graph.nodes.find(({ op }) => op === 'Relu')!;
    const lane: Lane = { ...own.lane, uses: new Map([[useKey(relu.id, 0), second]]) };
    await expectExact({ ...own, lane });
    const weight = own.graph.nodes.find(({ origin }) => origin.name === 'second')!;
    const both = new Map([
      [useKey(weight.id, 1), first],
      [useKey(weight.id, 0), second],
    ]);
    await expectExact({ ...own, lane: { ...own.lane, uses: both } });
    const { initializers } = wireModel(exported({ ...own, lane: { ...own.lane, uses: both } }).bytes);
    expect([initializers.has('W'), initializers.has('W_quantized')]).toEqual([false, true]);
  });

  it.each([
    ['int8', -100, 90],
    ['uint8', 3, 200],
    ['int16', -3000, 2500],
    ['int4', -7, 6],
    ['int2', -2, 1],
  ] as const)('limits of %s narrower than its type cut values', async (dtype, qmin, qmax) => {
    const carried = await quantized('fixtures/triage/triage_float.onnx');
    const narrow = (params: QuantParams): QuantParams =>
      params.dtype === 'int32' || params.granularity.kind !== 'per-tensor'
        ? params
        : { ...perTensor(dtype, 0.03, qmin + 1), qmin, qmax };
    const tensors = new Map([...carried.lane.tensors].map(([id, params]) => [id, narrow(params)]));
    await expectExact({ ...carried, lane: { ...carried.lane, tensors } });
  });

  it('other values of constants are written, quantized or not', async () => {
    const carried = await quantized('fixtures/digits/digits.onnx', 'int8 per axis');
    const { graph, lane } = carried;
    const twice = (data: ConstantData): ConstantData => {
      const values = toFloat32(data).map((x) => 0.75 * x);
      return { ...data, bytes: () => new Uint8Array(values.buffer) };
    };
    const constants = graph.tensors.filter(({ data }) => data?.dtype === 'float32');
    const values = new Map(constants.map(({ id, data }) => [id, twice(data!)]));
    await expectExact({ ...carried, lane: { ...lane, values } });
    const float: Lane = { name: 'float', tensors: new Map(), uses: new Map(), values };
    for (const { relative } of await agreement(
      { ...carried, lane: float },
      exported({ ...carried, lane: float }),
    ))
      expect(relative).toBeLessThan(1e-6);
  });

  it('nothing at all leaves the file as it is', async () => {
    const carried = await quantized(`${OWN}attention.onnx`);
    const made = exported({ ...carried, lane: { name: 'float', tensors: new Map(), uses: new Map() } });
    expect(Buffer.compare(made.bytes, carried.file)).toBe(0);
    expect([made.notes, made.lost]).toEqual([[], []]);
  });
});

describe('a model written anew', () => {
  it('is made of functions that the lane reaches into, with the texts of the file', async () => {
    const carried = await quantized(`${OWN}functions.onnx`);
    const { bytes, how, notes } = exported(carried);
    expect([how, notes[0]]).toEqual(['written', expect.stringContaining('inside a function of the model')]);
    const model = decodeModel(bytes);
    expect([model.producerName, model.functions, model.graph?.name]).toEqual(['recipe', [], 'functions']);
    expect(model.opsetImport?.map(({ domain }) => domain)).toEqual(['']);
  });

  it('is not where the lane leaves the functions alone', async () => {
    const carried = await quantizedModel(
      `${OWN}functions.onnx`,
      ORT,
      {},
      { ...NO_SELECTION, only: ['second'] },
    );
    expect(exported(carried).how).toBe('changed');
    await expectExact(carried);
  });

  it('is of an older opset, brought to one that has the operators', async () => {
    const { bytes, how, notes } = exported(await quantized(`${OWN}older.onnx`));
    expect([how, wireModel(bytes).opsets.get('')]).toEqual(['written', 13]);
    expect(notes[0]).toMatch(/need opset 11, it has 9/);
  });

  it('is of TensorFlow Lite', async () => {
    const { how, notes } = exported(await quantized('fixtures/triage/triage_float.tflite'));
    expect(how).toBe('written');
    expect(notes.join()).toContain('the file is not ONNX');
  });

  it('is of a file that is quantized already', async () => {
    const { graph, lane } = await loadModel(pathOf('fixtures/triage/triage_qdq.onnx'));
    const { samples, file } = await quantized('fixtures/triage/triage_float.onnx');
    const carried = { path: '', file, graph, lane: lane!, samples };
    const { how } = exported(carried);
    expect(how).toBe('written');
    await expectExact(carried);
  });
});

describe('default optimizations of ONNX Runtime', () => {
  it('leave a layer in float that the lane has in float', async () => {
    const carried = await quantizedModel(
      'fixtures/digits/digits_rescaled.onnx',
      ORT,
      MODELS['fixtures/digits/digits.onnx'],
      {
        ...NO_SELECTION,
        skip: ['block1/depthwise'],
      },
    );
    const made = exported(carried);
    const [logits] = await agreement(carried, made, 'all');
    expect(logits!.steps).toBeLessThan(3);
    expect(made.notes.join()).toContain('reads through a Sum');
  });

  it.each(Object.keys(MODELS))('load %s', async (model) => {
    for (const scheme of Object.keys(SCHEME) as SchemeName[]) {
      const carried = await quantized(model, scheme);
      for (const { output, relative } of await agreement(carried, exported(carried), 'all'))
        expect(relative, `${scheme} ${output}`).toBeLessThan(0.06);
    }
  });
});
