/** `qdbg sweep` as its users run it: what its document holds, beside what other commands say of the same networks. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Report } from '../../src/report/report.js';
import type { SweepReport } from '../../src/report/sweep-report.js';
import { graph } from '../support/graph-builder.js';
import { digitFolders } from '../support/labelled.js';
import { qdbg, type Run } from '../support/program.js';
import { projectPath } from '../support/tflite-network.js';
import { workspace } from '../support/workspace.js';

const files = workspace();
const fixture = (name: string): string => projectPath(`fixtures/${name}`);
const path = (name: string): string => join(files.folder, name);
const CALIB = ['--calib', fixture('digits/calib'), '--preset', 'unit'];
const RESCALED = fixture('digits/digits_rescaled.onnx');

digitFolders(path('val'), [0, 1, 2], 4);

const run = (...args: readonly string[]): Promise<Run> => qdbg(args, files.folder);

async function swept(model: string, ...args: readonly string[]): Promise<SweepReport> {
  const { code, out, err } = await run('sweep', model, '--processes', '1', ...args, '--report', 'json');
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out) as SweepReport;
}

async function analyzed(model: string, ...args: readonly string[]): Promise<Report> {
  const { code, out, err } = await run('analyze', model, ...args, '--report', 'json');
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out) as Report;
}

describe('a sweep with everything', () => {
  const args = [
    ...[...CALIB, '--eval', 'val', '--target-drop', '1pt', '--group', 'ends=stem/*,head/*'],
    ...['--export', 'qdq=fixed.onnx', '--export', 'ort=fixed.json'],
  ];
  let report: SweepReport;
  beforeAll(async () => {
    report = await swept(RESCALED, ...args, '--report', 'md=sweep.md');
  });

  it('says what it was made of', () => {
    expect(report).toMatchObject({
      schemaVersion: 1,
      tool: { name: 'qdbg' },
      command: 'sweep',
      models: [{ role: 'model', path: RESCALED, format: 'onnx' }],
      data: { calib: { kind: 'images' }, eval: { samples: 12 } },
      scheme: { name: 'ort' },
      basis: { samples: 12, outputs: ['logits'], metric: { metric: 'top1', unit: '%', deltaUnit: 'pt' } },
      accuracy: { metric: 'top1', samples: 12 },
    });
    expect(report).not.toHaveProperty('createdAt');
  });

  it('draws the network with the names of layers and tensors', () => {
    const nodes = new Map(report.graph!.nodes.map((node) => [node.node, node]));
    for (const { name, op, tensor } of report.layers) {
      expect(nodes.get(name), name).toMatchObject({ op, outputs: [tensor] });
    }
    for (const { tensor, node } of report.tensors) {
      if (!report.graph!.inputs.includes(tensor)) expect(nodes.get(node)?.outputs).toEqual([tensor]);
    }
  });

  it('has what every layer costs alone and gives back, by tensor too, in the keys of the contract', () => {
    expect(report.layers.map(({ name }) => name)).toContain('block1/depthwise');
    for (const unit of [...report.layers, ...report.groups]) {
      for (const effect of [unit.alone!, unit.restored!]) {
        expect(typeof effect.accuracyDelta, unit.name).toBe('number');
        expect(effect.exact === true || Number.isFinite(effect.outputSqnrDb), unit.name).toBe(true);
      }
    }
    const tensors = new Map(report.tensors.map((row) => [row.tensor, row]));
    for (const { tensor, alone, restored } of report.layers) {
      const row = tensors.get(tensor!);
      if (row === undefined) continue;
      expect([row.alone, row.restored]).toEqual([alone, restored]);
    }
    expect(report.tensors.filter(({ alone }) => alone !== undefined).length).toBeGreaterThan(5);
    expect(report.tensors.map(({ order }) => order)).toEqual(
      report.tensors.map(({ order }) => order).sort((a, b) => a - b),
    );
    expect(report.groups.find(({ kind }) => kind === 'group')).toMatchObject({ name: 'ends', layers: 4 });
  });

  it('has the experiments against one base, the search, the fixes, and what it settles on', () => {
    const base = report.experiments.filter(({ isBase }) => isBase === true);
    expect(base.map(({ effect }) => effect)).toEqual([report.quantized]);
    expect(new Set(report.experiments.map(({ name }) => name)).size).toBe(report.experiments.length);
    for (const { name, lost, effect } of report.experiments)
      expect(lost, name).toBeCloseTo(-effect.accuracyDelta!, 9);
    const { points, chosen, to, target } = report.search!;
    expect([to, target]).toEqual(['float', '1pt']);
    expect(points[0]).toMatchObject({ layers: [], extraBytes: 0, macsShare: 0 });
    expect(points[chosen!]!.meetsTarget).toBe(true);
    expect(report.fixes.length).toBeGreaterThan(3);
    expect(report.decision!.meetsTarget).toBe(true);
    expect(report.decision!.effect.accuracyDelta!).toBeGreaterThanOrEqual(-1);
    // The network whose channels were rescaled is put right by what costs nothing.
    expect(report.decision!.layers).toEqual([]);
    expect(report.verdict.where).toBe('block1/depthwise_relu:out');
  });

  it('holds no number that is none', () => {
    const walk = (value: unknown): void => {
      if (typeof value === 'number') expect(Number.isFinite(value)).toBe(true);
      else if (value === null) throw new Error('null');
      else if (typeof value === 'object') Object.values(value).forEach(walk);
    };
    walk(report);
  });

  it('writes its exports and other reports beside, and the exported model has the accuracy that was told', async () => {
    expect(report.exports.map(({ kind, file }) => [kind, file])).toEqual([
      ['qdq', 'fixed.onnx'],
      ['ort', 'fixed.json'],
    ]);
    expect(() => JSON.parse(readFileSync(path('fixed.json'), 'utf8')) as unknown).not.toThrow();
    expect(readFileSync(path('sweep.md'), 'utf8')).toContain('block1/depthwise');
    const { code, out, err } = await run(
      ...['compare', RESCALED, 'fixed.onnx', '--data', 'val', '--eval', 'val', '--preset', 'unit'],
      ...['--report', 'json'],
    );
    expect([code, err]).toEqual([0, '']);
    const { accuracy } = JSON.parse(out) as Report;
    expect(accuracy!.candidate).toBe(report.decision!.effect.accuracy);
  });

  it('gives the same bytes again, with two processes, too', async () => {
    const again = await run(
      'sweep',
      RESCALED,
      ...args,
      '--processes',
      '2',
      '--report',
      'json',
      '--report',
      'md=again.md',
    );
    expect([again.code, again.err]).toEqual([0, '']);
    expect(JSON.parse(again.out)).toEqual(report);
    expect(readFileSync(path('again.md'), 'utf8')).toBe(readFileSync(path('sweep.md'), 'utf8'));
  });
});

describe('what a sweep says of one layer', () => {
  // The same samples for ranges, noise and labels, whichever of them a command measures on.
  const data = ['--calib', 'val', '--eval', 'val', '--preset', 'unit'];

  it('is what analyze says with --only and --skip', async () => {
    const layer = 'block2/expand';
    const [report, only, skip] = await Promise.all([
      swept(RESCALED, ...data, '--run', 'alone,restored'),
      // Its activation is a node of its own.
      analyzed(RESCALED, ...data, '--only', layer, '--only', `${layer}_relu6`),
      analyzed(RESCALED, ...data, '--skip', layer),
    ]);
    expect([report.experiments, report.fixes, report.search]).toEqual([[], [], undefined]);
    const { alone, restored } = report.layers.find(({ name }) => name === layer)!;
    const told = ({ tensors, accuracy }: Report): unknown => ({
      outputSqnrDb: tensors.find(({ tensor }) => tensor === 'logits')!.cumulative!.sqnrDb!.toFixed(4),
      accuracyDelta: accuracy!.delta,
    });
    const said = ({ outputSqnrDb, accuracyDelta }: NonNullable<typeof alone>): unknown => ({
      outputSqnrDb: outputSqnrDb!.toFixed(4),
      accuracyDelta,
    });
    expect(said(alone!)).toEqual(told(only));
    expect(said(restored!)).toEqual(told(skip));
  });
});

describe('what can be swept', () => {
  it('is a TFLite model, by the names of its file', async () => {
    const report = await swept(
      fixture('tflite/digits_float.tflite'),
      ...[...CALIB, '--samples', '4', '--run', 'alone,search', '--target-drop', '30dB'],
      ...['--export', 'tflite=deny.json', '--export', 'ai-edge=recipe.json'],
    );
    expect(report).toMatchObject({ scheme: { name: 'tflite' }, models: [{ format: 'tflite' }] });
    expect(report.layers.length).toBeGreaterThan(5);
    for (const file of ['deny.json', 'recipe.json'])
      expect(() => JSON.parse(readFileSync(path(file), 'utf8')) as unknown).not.toThrow();
    expect(report.basis).not.toHaveProperty('metric');
    expect(report.search!.points.some(({ meetsTarget }) => meetsTarget)).toBe(true);
  });

  it('is a network of several inputs, on random data', async () => {
    const model = files.model(
      'two.onnx',
      graph()
        .input('left', 'float32', [1, 4])
        .input('right', 'float32', [1, 4])
        .constant(
          'weight',
          'float32',
          [4, 4],
          Array.from({ length: 16 }, (_, at) => (at % 5) - 2),
        )
        .node('Add', { name: 'mix', inputs: ['left', 'right'], outputs: ['mixed'] })
        .node('MatMul', { name: 'dense', inputs: ['mixed', 'weight'], outputs: ['y'] })
        .output('y')
        .build(),
    );
    const report = await swept(
      model,
      ...['--calib', 'random', '--samples', '4', '--run', 'alone,restored,experiments'],
    );
    expect(report.layers.map(({ name }) => name)).toEqual(['mix', 'dense']);
    expect(JSON.stringify(report.data.calib)).toMatch(/random/);
  });
});
