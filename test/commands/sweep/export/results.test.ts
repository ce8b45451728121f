/** What the real tools made of the recorded files, as fixtures/sweep/recipes found it, is what the decisions say. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AimetEncodings } from '../../../../src/commands/sweep/export/aimet.js';
import { EXPORTERS } from '../../../../src/commands/sweep/export/index.js';
import type { QuantizeStaticArguments } from '../../../../src/commands/sweep/export/onnxruntime.js';
import { decisionOf } from '../../../support/decisions.js';
import { projectPath } from '../../../support/tflite-network.js';

function results<T>(tool: string): Readonly<Record<string, T>> {
  const path = join(projectPath('fixtures/sweep/results'), `${tool}.json`);
  return (JSON.parse(readFileSync(path, 'utf8')) as { cases: Record<string, T> }).cases;
}

interface QuantizeStaticResult {
  readonly tensorsEqual: number;
  readonly tensorsDifferent: readonly string[];
  readonly overridesUnused: readonly string[];
  readonly derivedByTheTool: readonly string[];
  readonly sharedWithInput: readonly string[];
  readonly weightedOperatorsInFloat: readonly string[];
}

const ORT = results<QuantizeStaticResult>('ort');

describe.each(Object.keys(ORT))('quantize_static with the arguments of %s', (name) => {
  it('gives every tensor the scale and zero point of the lane, and leaves the layers in float', async () => {
    const decision = await decisionOf(name);
    const document = JSON.parse(EXPORTERS.ort.make(decision).content as string) as QuantizeStaticArguments;
    const result = ORT[name]!;
    expect(result.tensorsDifferent).toEqual([]);
    expect(result.overridesUnused).toEqual([]);
    expect(result.tensorsEqual).toBe(Object.keys(document.extra_options.TensorQuantOverrides).length);
    expect(result.derivedByTheTool.every((tensor) => /bias|BN_B/.test(tensor))).toBe(true);
    expect(result.weightedOperatorsInFloat).toEqual(decision.float.map((layer) => layer.name).sort());
  });
});

interface SimulationResult {
  readonly encodings: number;
  readonly encodingsWithoutQuantizer: readonly string[];
  readonly meanDifference: number;
  readonly meanQuantizationNoise: number;
  readonly sameTopClass: number;
  readonly samples: number;
}

const AIMET = results<Readonly<Record<'aimet' | 'qnn', SimulationResult>>>('aimet');

describe.each(Object.keys(AIMET))('the simulation of AIMET with the encodings of %s', (name) => {
  it('has a quantizer for each of them and the outputs of the quantized network', async () => {
    const document = JSON.parse(
      EXPORTERS.aimet.make(await decisionOf(name)).content as string,
    ) as AimetEncodings;
    const { aimet, qnn } = AIMET[name]!;
    expect(aimet.encodings).toBe(document.activation_encodings.length + document.param_encodings.length);
    expect(aimet.encodingsWithoutQuantizer).toEqual([]);
    // Where it rounds otherwise, single codes differ: a fraction of what quantization does to the outputs.
    expect(aimet.meanDifference).toBeLessThan(0.2 * aimet.meanQuantizationNoise);
    expect(aimet.sameTopClass).toBe(aimet.samples);
    expect(qnn.encodingsWithoutQuantizer).toEqual([]);
  });
});

type Operators = readonly (readonly string[])[];

/** Operators other than conversions, by the type of their first output. */
function withType(operators: Operators, type: string): string[] {
  return operators
    .filter(([op]) => op !== 'QUANTIZE' && op !== 'DEQUANTIZE')
    .flatMap(([, output = '']) => (output.endsWith(`: ${type}`) ? [output.slice(0, -type.length - 2)] : []));
}

describe.each(['digits_tflite', 'digits_tflite_ends'])('%s', (name) => {
  it.each(['tflite', 'ai-edge'])('has the layers in float that the decision says, by %s', async (tool) => {
    const { graph, float } = await decisionOf(name);
    const { operators } = results<{ operators: Operators }>(tool)[name]!;
    expect(withType(operators, 'float32')).toEqual(float.map(({ output }) => graph.tensors[output]!.name));
  });
});

it('AI Edge Quantizer computes the layers with 16 bits that the decision says', () => {
  const { operators } = results<{ operators: Operators }>('ai-edge')['digits_tflite']!;
  expect(withType(operators, 'int16')).toEqual(['block1/pool', 'block2/expand']);
});

it("TensorFlow's debugger takes the names of the float model that its converter writes", () => {
  const { denylisted, operators } = results<{ denylisted: string[]; operators: Operators }>('tflite')[
    'keras'
  ]!;
  expect(withType(operators, 'float32')).toEqual(denylisted);
});
