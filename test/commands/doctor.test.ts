import { describe, expect, it } from 'vitest';
import { doctor } from '../../src/commands/doctor.js';
import { overrideScheme, SCHEMES } from '../../src/quant/presets.js';
import { NO_SELECTION } from '../../src/quant/select.js';
import type { DoctorReport } from '../../src/report/doctor-report.js';
import { UNWATCHED } from '../support/measured-networks.js';
import { UNJUDGED } from '../support/requests.js';
import { projectPath } from '../support/tflite-network.js';

const DIGITS = projectPath('fixtures/digits/digits.onnx');
const DATA = { preprocessing: {}, shapes: new Map<string, readonly number[]>(), skipUnreadable: false };

describe('what a doctor sees', () => {
  const analyzed = (): Promise<DoctorReport> =>
    doctor(
      {
        run: 'analyze',
        request: {
          model: DIGITS,
          calib: [projectPath('fixtures/digits/calib')],
          eval: [],
          data: { ...DATA, samples: 6 },
          scheme: overrideScheme(SCHEMES.ort!, {}),
          selection: NO_SELECTION,
          channels: [],
          ladder: false,
          ...UNJUDGED,
          threads: 1,
          timestamp: false,
        },
      },
      UNWATCHED,
    );

  it('of a network that was run is its graph, and of every tensor the values and the worst samples', async () => {
    const { graph, tensors } = await analyzed();
    const activations = tensors.filter(({ role }) => role !== 'weight' && role !== 'bias');
    const drawn = new Set([...graph!.inputs, ...graph!.nodes.flatMap(({ outputs }) => outputs)]);
    expect(activations.length).toBeGreaterThan(8);
    for (const { tensor, histogram, cumulative } of activations) {
      expect(drawn).toContain(tensor);
      expect(histogram!.counts.length).toBeGreaterThan(1);
      expect(cumulative!.worstSamples).toHaveLength(5);
    }
  });

  it('of files alone is no graph', async () => {
    const report = await doctor(
      {
        run: 'nothing',
        request: { model: DIGITS, minAligned: 0.5, shapes: new Map(), gate: UNJUDGED.gate, timestamp: false },
      },
      UNWATCHED,
    );
    expect(report).not.toHaveProperty('graph');
  });
});
