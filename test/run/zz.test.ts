import { it } from 'vitest';
import { runOriginal } from '../../src/run/original/index.js';
import { readActual, runActual } from '../../src/run/actual/index.js';
import { loadModel } from '../../src/loader/index.js';
import { inputSpecs } from '../../src/commands/preconditions.js';
import { bindInputs } from '../../src/ir/bind-inputs.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { FLOAT_LANE } from '../../src/ir/lane.js';
import { openDataset } from '../../src/run/data/index.js';
const show = (r: any) => { for (const t of r.tensors ?? []) console.log(t.tensor.slice(0,60).padEnd(60), t.op.padEnd(18), t.differing+'/'+t.values, 'max', t.maxCodes, t.inputsDiffer, t.simulated.exact ?? t.simulated.sqnrDb, t.reference?.exact ?? t.reference?.sqnrDb, t.read ?? ''); console.log(JSON.stringify({ ...r, tensors: r.tensors?.length }, null, 1).slice(0, 1500)); };
it('actual', async () => {
  const { graph, lane = FLOAT_LANE } = await loadModel('fixtures/tflite/digits_int8.tflite');
  const data = await openDataset({ sources: ['fixtures/digits/eval'], inputs: inputSpecs(graph, lane), preprocessing: {preset:'unit'}, metadata: graph.metadata });
  const a = await readActual('fixtures/tflite/digits_int8.npz', {graph, lane}, data.ids);
  show(await runActual(a, {graph, lane}, data, { threads: 1, watch: () => {} }));
});
it.each([['pcb/simple_cnn_qdq', 'pcb', [1,1,64,64]], ['tinymobilenet/model_qoperator', 'cifar10/eval', [1,3,32,32]]] as const)('runtime %s', async (name, dir, dims) => {
  const m = await loadModel(`../shared/models/${name}.onnx`);
  const input = m.graph.tensors[m.graph.inputs[0]!]!.name;
  const graph = inferShapes(bindInputs(m.graph, new Map([[input, [...dims]]])));
  const data = await openDataset({ sources: ['../shared/data/'+dir], inputs: inputSpecs(graph, m.lane ?? FLOAT_LANE), preprocessing: {preset: 'tf', ...(dims[1]===1?{color:'gray'}:{})} as any, samples: 4 });
  const t = performance.now();
  const r = await runOriginal(m, { graph, lane: m.lane ?? FLOAT_LANE }, data, { threads: 1, watch: () => {} });
  console.log(performance.now()-t);
  if ('notRun' in r) { console.log(r); return; }
  show(r.unfused); show(r.optimized); console.log(JSON.stringify(r.outputs), r.processor);
});
