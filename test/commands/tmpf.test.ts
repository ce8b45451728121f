import { describe, it } from 'vitest';
import { SCHEMES } from '../../src/quant/presets.js';
import { readFeatures } from '../support/kws.js';
import { openNetwork, openData, projectPath } from '../support/tflite-network.js';
import { calibratedLane } from '../support/calibrated-lane.js';
import { operatorsOf } from '../../src/ir/operators.js';
import type { Samples } from '../../src/run/samples.js';

function some(s: Samples, from: number, step: number, count: number): Samples {
  return { count, async *samples() { let i = 0, n = 0; for await (const x of s.samples()) { if (i >= from && (i - from) % step === 0 && n < count) { n++; yield x; } i++; } } };
}
const IC='../shared/models/mlperf-ic/', KWS='../shared/models/mlperf-kws/', D='../shared/models/digits/';
describe('x', () => {
  it('y', async () => {
    const k = readFeatures();
    for (const [f, q, calib, pre] of [
      [D+'digits_float', D+'digits_int8', 'fixtures/digits/calib', 'unit'],
      [D+'digits_float', D+'digits_int8', 'fixtures/digits/eval', 'unit'],
      ['fixtures/tflite/digits_float', 'fixtures/tflite/digits_int8', 'fixtures/digits/calib', 'unit'],
      [IC+'resnet8_float', IC+'resnet8_int8', '../shared/data/cifar10/calib', 'raw'],
      [IC+'resnet8_float', IC+'resnet8_int8', '../shared/data/cifar10/eval', 'raw'],
      [IC+'resnet8_float', IC+'resnet8_int8', '../shared/data/cifar10/eval', 'raw', 0, 3, 200],
      [IC+'resnet8_float', IC+'resnet8_int8', '../shared/data/cifar10/eval', 'raw', 1, 3, 200],
      [KWS+'dscnn_float', KWS+'dscnn_int8', 'npy', undefined],
      [KWS+'dscnn_float', KWS+'dscnn_int8', 'npy', undefined, 0, 4, 100],
      [KWS+'dscnn_float', KWS+'dscnn_int8', 'npy', undefined, 1, 4, 100],
      [KWS+'dscnn_float', KWS+'dscnn_int8', 'npy', undefined, 2, 4, 100],
      [KWS+'dscnn_float', KWS+'dscnn_int8', 'npy', undefined, 0, 40, 10],
      ] as const) {
      const [,,,,from=0,step=1,count=1e6] = arguments.length > 99 ? [] : ([f,q,calib,pre, ...([] as number[])] as never[]);
      void from; void step; void count;
    }
  });
  it('z', async () => {
    const k = readFeatures();
    const runs: [string, string, string, string | undefined, number, number, number][] = [
      [D+'digits_float', D+'digits_int8', 'fixtures/digits/calib', 'unit',0,1,1e6],
      [D+'digits_float', D+'digits_int8', 'fixtures/digits/eval', 'unit',0,1,1e6],
      ['fixtures/tflite/digits_float', 'fixtures/tflite/digits_int8', 'fixtures/digits/calib', 'unit',0,1,1e6],
      [IC+'resnet8_float', IC+'resnet8_int8', '../shared/data/cifar10/calib', 'raw',0,1,1e6],
      [IC+'resnet8_float', IC+'resnet8_int8', '../shared/data/cifar10/eval', 'raw',0,1,1e6],
      [IC+'resnet8_float', IC+'resnet8_int8', '../shared/data/cifar10/eval', 'raw', 0, 3, 200],
      [IC+'resnet8_float', IC+'resnet8_int8', '../shared/data/cifar10/eval', 'raw', 1, 3, 200],
      [KWS+'dscnn_float', KWS+'dscnn_int8', 'npy', undefined,0,1,1e6],
      [KWS+'dscnn_float', KWS+'dscnn_int8', 'npy', undefined, 0, 4, 100],
      [KWS+'dscnn_float', KWS+'dscnn_int8', 'npy', undefined, 1, 4, 100],
      [KWS+'dscnn_float', KWS+'dscnn_int8', 'npy', undefined, 0, 40, 10],
    ];
    for (const [f, q, calib, pre, from, step, count] of runs) {
      const flo = await openNetwork(f + '.tflite');
      const int = await openNetwork(q + '.tflite');
      const all: Samples = calib === 'npy' ? k.samples(flo.graph) : await openData(flo, projectPath(calib), pre ? { preset: pre } : {} as never);
      const data = some(all, from, step, Math.min(count, all.count));
      const { lane } = await calibratedLane(flo.graph, SCHEMES['tflite']!, data);
      const of = (g: typeof flo.graph) => operatorsOf(g).filter(({main})=>!/QUANTIZE/.test(main.origin.op)).map(({ main, nodes }) => ({ op: main.origin.op, out: nodes.at(-1)!.outputs[0]!, main }));
      const A = of(flo.graph), B = of(int.graph);
      const r = (l: typeof lane, id: number) => { const p = l.tensors.get(id as never); return p === undefined ? [NaN,NaN] : [p.scale[0]! * (p.qmin - p.zeroPoint[0]!), p.scale[0]! * (p.qmax - p.zeroPoint[0]!)] as [number, number]; };
      console.log(f.split('/').at(-1), calib, data.count, A.length, B.length, A.map((x, i) => { const [a,b] = r(lane, x.out), [c,d] = r(int.lane, B[i]!.out); return ((b!-a!)/(d!-c!)).toFixed(3); }).join(' '));
    }
  });
});
