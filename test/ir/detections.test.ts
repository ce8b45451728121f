import { describe, expect, it } from 'vitest';
import { align } from '../../src/diff/alignment/index.js';
import { detectionResults } from '../../src/ir/detections.js';
import { inferShapes } from '../../src/ir/infer/index.js';
import { loadModel } from '../../src/loader/index.js';
import { projectPath } from '../support/tflite-network.js';

const EXAMPLE = 'fixtures/examples/ssd-uint8';
/** In the order in which TensorFlow 2 has them: scores first. */
const IN_ORDER = ['scores', 'boxes', 'count', 'classes'];

async function loaded(path: string) {
  const { graph, lane } = await loadModel(projectPath(path));
  return { graph: inferShapes(graph), ...(lane === undefined ? {} : { lane }) };
}

describe('the results of TFLite_Detection_PostProcess', () => {
  it.each(['ssd_float.tflite', 'ssd_calibrated_uint8.tflite'])(
    'are told at the outputs of %s, in float and behind QUANTIZE',
    async (file) => {
      const { graph } = await loaded(`${EXAMPLE}/${file}`);
      const results = detectionResults(graph);
      expect(graph.outputs.map((output) => results.get(output))).toEqual(IN_ORDER);
    },
  );

  it('are none of a network without it', async () => {
    expect(detectionResults((await loaded('fixtures/tflite/digits_float.tflite')).graph).size).toBe(0);
  });

  it('are found in the integer export, the count too', async () => {
    const reference = await loaded(`${EXAMPLE}/ssd_float.tflite`);
    const candidate = await loaded(`${EXAMPLE}/ssd_calibrated_uint8.tflite`);
    expect(align(reference, candidate).outputs).toEqual(
      IN_ORDER.map((_, position) => ({ reference: position, candidate: position })),
    );
  });
});
