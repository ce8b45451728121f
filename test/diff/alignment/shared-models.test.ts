import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { align, questions, type Side } from '../../../src/diff/alignment/index.js';
import { bindInputs } from '../../../src/ir/bind-inputs.js';
import { nodeOf, tensorOf, type Graph, type NodeId } from '../../../src/ir/graph.js';
import { inferShapes } from '../../../src/ir/infer/index.js';
import { loadModel } from '../../../src/loader/index.js';

const MODELS = '../shared/models';

async function side(path: string): Promise<Side> {
  const { graph, lane } = await loadModel(path);
  const extents = graph.inputs.map((id): [string, number[]] => {
    const { name, shape = [] } = tensorOf(graph, id);
    return [name, shape.map((dim) => (typeof dim === 'number' ? dim : 1))];
  });
  return {
    graph: inferShapes(bindInputs(graph, new Map(extents))),
    ...(lane === undefined ? {} : { lane }),
  };
}

const ops = (graph: Graph, ids: readonly NodeId[]): string[] => ids.map((id) => nodeOf(graph, id).op);

/** Of edges whose candidate has a name that the reference has too, how many are between tensors of one name. */
function namesakes(
  reference: Graph,
  candidate: Graph,
  edges: ReturnType<typeof align>['edges'],
): [same: number, all: number] {
  const names = new Set(reference.tensors.filter(({ data }) => data === undefined).map(({ name }) => name));
  const named = edges.filter((edge) => names.has(tensorOf(candidate, edge.candidate).name));
  const same = named.filter(
    (edge) => tensorOf(candidate, edge.candidate).name === tensorOf(reference, edge.reference).name,
  );
  return [same.length, named.length];
}

describe.skipIf(!existsSync(MODELS))('networks beside their integer exports', () => {
  it.each([
    ['mlperf-ic/resnet8_float.tflite', 'mlperf-ic/resnet8_int8.tflite', 10, 17, []],
    ['mlperf-kws/dscnn_dynamic_range.tflite', 'mlperf-kws/dscnn_int8.tflite', 10, 14, []],
    // Other weights: structure alone.
    ['mlperf-kws/dscnn_float.tflite', 'mlperf-kws/dscnn_int8.tflite', 10, 14, []],
    [
      'mobilenet-qat/mobilenet_v1_0.25_float.tflite',
      'mobilenet-qat/mobilenet_v1_0.25_qat_uint8.tflite',
      28,
      32,
      [],
    ],
    // Dilated kernels, written out with zeros in the float file.
    ['deeplab/deeplab_float.tflite', 'deeplab/deeplab_uint8.tflite', 55, 71, ['ArgMax']],
    ['digits/digits_float.tflite', 'digits/digits_int8.tflite', 6, 12, []],
    ['digits/digits_float.tflite', 'digits/digits_int8_floatio.tflite', 6, 13, []],
    ['digits/digits_float.tflite', 'digits/digits_int16x8.tflite', 6, 13, []],
    ['digits/digits_float.tflite', 'digits/digits_dynamic.tflite', 6, 12, []],
    ['pcb/simple_cnn_float.onnx', 'pcb/simple_cnn_qdq.onnx', 5, 10, []],
    ['tinymobilenet/model.onnx', 'tinymobilenet/model_qoperator.onnx', 14, 18, []],
  ])('%s and %s match in every compute operator', async (first, second, operators, edges, added) => {
    const [reference, candidate] = [await side(`${MODELS}/${first}`), await side(`${MODELS}/${second}`)];
    const alignment = align(reference, candidate);
    expect(alignment.coverage).toEqual({ matched: operators, total: operators });
    expect(alignment.edges.length).toBeGreaterThanOrEqual(edges);
    expect(ops(reference.graph, alignment.unmatched.reference)).toEqual([]);
    expect(ops(candidate.graph, alignment.unmatched.candidate)).toEqual(added);
    // Classes are not the scores they are made of.
    const twin = added.length === 0 ? 0 : undefined;
    expect(alignment.outputs[0]).toEqual({ reference: twin, candidate: 0 });
    const [same, named] = namesakes(reference.graph, candidate.graph, alignment.edges);
    expect(same).toBe(named);
    expect(questions(reference, candidate, alignment)).toEqual({ reference: [], candidate: [] });
  });

  it.each([
    ['mlperf-ic/resnet8_float.tflite', 'mlperf-kws/dscnn_int8.tflite'],
    ['resnet20/resnet20_float.onnx', 'digits/digits_int8.tflite'],
    ['resnet20/resnet20_float.onnx', 'mlperf-ic/resnet8_int8.tflite'],
    ['tinymobilenet/model.onnx', 'mobilenet-qat/mobilenet_v1_0.25_qat_uint8.tflite'],
    ['mobilenet-qat/mobilenet_v1_0.25_float.tflite', 'ssd/ssd_mobilenet_v1_uint8.tflite'],
  ])('%s and %s, which are two networks, do not', async (first, second) => {
    const [reference, candidate] = [await side(`${MODELS}/${first}`), await side(`${MODELS}/${second}`)];
    expect(align(reference, candidate).coverage.matched).toBe(0);
  });
});

describe('an ONNX network beside its TFLite export', () => {
  it.each([
    ['fixtures/digits/digits.onnx', 'fixtures/tflite/digits_int8.tflite'],
    ['fixtures/digits/digits.onnx', 'fixtures/tflite/digits_rescaled_int8.tflite'],
  ])('%s and %s match across formats', async (first, second) => {
    const [reference, candidate] = [await side(first), await side(second)];
    const alignment = align(reference, candidate);
    expect(alignment.coverage).toEqual({ matched: 7, total: 7 });
    expect(alignment.unmatched.reference).toEqual([]);
    expect(ops(candidate.graph, alignment.unmatched.candidate)).toEqual(['Softmax']);
    const pairs = alignment.edges.map(
      (edge) =>
        `${tensorOf(reference.graph, edge.reference).name} = ${tensorOf(candidate.graph, edge.candidate).name}`,
    );
    for (const pair of [
      'image = image',
      'block1/depthwise_relu:out = block1/depthwise',
      'block2/project_bn:out = block2/project',
    ]) {
      expect(pairs).toContain(pair);
    }
  });
});
