import { describe, it, expect } from 'vitest';
import { analyze, type AnalyzeRequest } from '../../src/commands/analyze.js';
import { SCHEMES } from '../../src/quant/presets.js';
import { NO_SELECTION } from '../../src/quant/select.js';
import type { Report } from '../../src/report/report.js';
import { UNWATCHED } from '../support/measured-networks.js';
import { writeFileSync } from 'node:fs';

const request = (model: string, changes: Partial<AnalyzeRequest> = {}): AnalyzeRequest => ({
  model, calib: ['fixtures/digits/calib'], eval: [],
  data: { preprocessing: {preset: 'unit'}, shapes: new Map(), skipUnreadable: false },
  scheme: SCHEMES['tflite']!, selection: NO_SELECTION, channels: [], threads: 1, timestamp: false, ...changes });

describe('x', () => {
  it('y', async () => {
    const a = await analyze(request('fixtures/tflite/digits_float.tflite'), UNWATCHED);
    const b = await analyze(request('fixtures/digits/digits.onnx'), UNWATCHED);
    writeFileSync('/tmp/lanetests/a.json', JSON.stringify(a, null, 1));
    writeFileSync('/tmp/lanetests/b.json', JSON.stringify(b, null, 1));
  });
});
