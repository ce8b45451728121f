/** Files that nobody exported: whatever they hold, the answer is a graph or an error that names the problem, and soon. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LoadError, QdbgError } from '../../src/errors.js';
import { loadModel } from '../../src/loader/index.js';
import { readOnnx } from '../../src/loader/onnx/reader.js';
import { fixture, modelOf, refusal, temporaryFolder } from './model-files.js';
import { encodeModel } from '../../src/onnx/proto.js';

const folder = temporaryFolder();
const SEEDS = [
  'functions.onnx',
  'control-flow.onnx',
  'tensor-types.onnx',
  'constants.onnx',
  'external.onnx',
  'modern.onnx',
  'batch-norm-opset7.onnx',
];
const LIMIT_MS = 2000;

/** mulberry32: the same mutations in every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Loads, and reads everything that is read on demand. */
function exercise(bytes: Uint8Array, path: string): 'graph' | 'refused' {
  const start = performance.now();
  try {
    const { graph } = readOnnx(bytes, path, { foldBatchNorm: true, shapes: new Map() });
    for (const { data } of graph.tensors) if (data !== undefined && data.byteLength < 1e6) data.bytes();
    for (const node of graph.nodes) {
      for (const attr of node.attrs.values()) if (attr.type === 'graph') attr.value.encode((id) => `~${id}`);
    }
    return 'graph';
  } catch (error) {
    if (!(error instanceof QdbgError)) throw error;
    return 'refused';
  } finally {
    expect(performance.now() - start).toBeLessThan(LIMIT_MS);
  }
}

describe('a damaged model', () => {
  it.each(SEEDS)('%s cut inside a field is refused', (name) => {
    const bytes = readFileSync(fixture(name));
    let accepted = 0;
    for (let length = 1; length < bytes.length; length++) {
      if (exercise(bytes.subarray(0, length), fixture(name)) === 'graph') accepted++;
    }
    // Between two outermost fields behind the graph a cut leaves a complete model, such as one without its functions.
    expect(accepted).toBeLessThanOrEqual(5);
  });

  it.each(SEEDS)('%s with changed bytes is a graph or refused', (name) => {
    const original = readFileSync(fixture(name));
    const next = random(original.length);
    const outcomes = { graph: 0, refused: 0 };
    for (let round = 0; round < 600; round++) {
      const bytes = new Uint8Array(original);
      for (let flips = 1 + Math.floor(next() * 4); flips > 0; flips--) {
        const at = Math.floor(next() * bytes.length);
        bytes[at] = next() < 0.5 ? bytes[at]! ^ (1 << Math.floor(next() * 8)) : Math.floor(next() * 256);
      }
      outcomes[exercise(bytes, fixture(name))]++;
    }
    expect(outcomes.refused).toBeGreaterThan(20);
  });

  it('of noise is refused', () => {
    const next = random(1);
    for (let round = 0; round < 1000; round++) {
      const bytes = Uint8Array.from({ length: 1 + Math.floor(next() * 200) }, () => Math.floor(next() * 256));
      expect(exercise(bytes, fixture('shapes.onnx'))).toBe('refused');
    }
  });
});

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(Math.floor(value / 128))];
}

/** Tag and length of a message field. */
function head(field: number, length: number): Buffer {
  return Buffer.from([...varint(field * 8 + 2), ...varint(length)]);
}

function field(number: number, payload: Uint8Array): Uint8Array {
  return Buffer.concat([head(number, payload.length), payload]);
}

/** If within If within If: node is field 1 of a graph, attribute 5 of a node, g 6 of an attribute. */
function nested(levels: number): Uint8Array {
  const node = Buffer.concat([field(4, Buffer.from('If')), field(1, Buffer.from('x'))]);
  const name = field(1, Buffer.from('then_branch'));
  const parts: Uint8Array[] = [];
  let length = 0;
  const prepend = (part: Uint8Array): void => {
    parts.push(part);
    length += part.length;
  };
  for (let i = 0; i < levels; i++) {
    prepend(head(6, length));
    prepend(name);
    prepend(head(5, length));
    prepend(node);
    prepend(head(1, length));
  }
  prepend(head(7, length));
  return Buffer.concat([encodeModel(modelOf()), ...parts.reverse()]);
}

describe('a model nested in itself', () => {
  it.each([150, 500, 5000, 20_000])('%i levels deep is refused', async (levels) => {
    const path = join(folder, `nested${levels}.onnx`);
    writeFileSync(path, nested(levels));
    const error = await refusal(loadModel(path));
    expect(error).toBeInstanceOf(LoadError);
    expect(error.message).toMatch(/nested too deeply/);
  });

  it('50 levels deep is loaded, and its nested graphs can be written', () => {
    expect(exercise(nested(50), fixture('shapes.onnx'))).toBe('graph');
  });
});

describe('a model of fields that contradict their lengths', () => {
  it('takes time in proportion to its size', () => {
    // Every level claims to reach to the end of the file and is a number to one reader, a message to another.
    const levels = 1500;
    const bytes = new Uint8Array(200_000).fill(8);
    const head = Buffer.concat(
      Array.from({ length: levels }, () => Uint8Array.from([0x0a, 0x80, 0x80, 0x04])),
    );
    const model = Buffer.concat([encodeModel(modelOf()), field(7, Buffer.concat([head, bytes]))]);
    expect(exercise(model, fixture('shapes.onnx'))).toBe('refused');
  });
});
