import { it } from 'vitest';
import { readFileSync } from 'node:fs';
import { bindInputs } from '../../../../src/ir/bind-inputs.js';
import { inferShapes } from '../../../../src/ir/infer/index.js';
import { loadModel } from '../../../../src/loader/index.js';
import { openDataset } from '../../../../src/run/data/index.js';
import { inputSpecs } from '../../../../src/commands/preconditions.js';
import { operatorProgram } from '../../../../src/compile/operator-program.js';
import { operatorsOf } from '../../../../src/ir/operators.js';
import { comparedByOperator, compared } from '../../../loader/onnx-quantized/qoperator-model.js';
import { toFloat64 } from '../../../../src/ir/elements.js';
import { compiled } from '../../../support/compiled.js';
it('tiny', async () => {
  const N='/work/shared/models/tinymobilenet/model_qoperator.onnx';
  const loaded = await loadModel(N);
  const input = loaded.graph.tensors[loaded.graph.inputs[0]!]!.name;
  const bound = inferShapes(bindInputs(loaded.graph, new Map([[input, [1, 3, 32, 32]]])));
  for (const o of operatorsOf(bound)) {
    const w = o.main.inputs[1]; const b = o.main.inputs[2];
    const l = loaded.lane!;
    console.log(o.main.op, o.main.origin.op, bound.tensors[o.main.outputs[0]!]!.name, compiled(operatorProgram(bound, l, o).model).count('DequantizeLinear'), JSON.stringify(bound.tensors[w ?? 0]?.shape), JSON.stringify(o.main.inputs.map(i=>i===null?null:[l.tensors.get(i)?.dtype, l.tensors.get(i)?.zeroPoint[0], l.tensors.get(i)?.scale[0]])));
  }
  const pictures = await openDataset({ sources: ['/work/shared/data/cifar10/eval'], inputs: inputSpecs(loaded.graph, loaded.lane), preprocessing: { preset: 'imagenet' }, metadata: loaded.graph.metadata } as never);
  let n = 0;
  for await (const { feeds } of pictures.samples()) {
    const a = await comparedByOperator(readFileSync(N), loaded, feeds);
    const c = await comparedByOperator(readFileSync(N), {graph:bound,lane:loaded.lane!}, feeds);
    const d = await compared(readFileSync(N), {graph:bound,lane:loaded.lane!}, feeds);
    console.log(n, a.map(x=>x.apart).join(), c.map(x=>x.apart).join(), d.apart);
    if (++n === 8) break;
  }
}, 300000);
