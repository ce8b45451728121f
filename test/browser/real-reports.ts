/** Reports of the commands for networks of the fixtures. */
import { doctor } from '../../src/commands/doctor.js';
import { inspect } from '../../src/commands/inspect.js';
import { overrideScheme, SCHEMES } from '../../src/quant/presets.js';
import { NO_SELECTION } from '../../src/quant/select.js';
import type { DoctorReport } from '../../src/report/doctor-report.js';
import type { MeasuredReport } from '../../src/report/evaluated.js';
import type { InspectReport } from '../../src/report/inspect-report.js';
import { reportOf } from '../support/evaluated-runs.js';
import { UNWATCHED } from '../support/measured-networks.js';
import { UNJUDGED } from '../support/requests.js';
import { projectPath } from '../support/tflite-network.js';

const fixture = (path: string): string => projectPath(`fixtures/${path}`);

/** One channel of its weights is far larger than the others. */
const MODEL = fixture('digits/digits_rescaled.onnx');
const CALIB = fixture('digits/calib');
const IMAGES = [fixture('digits/eval'), '--samples', '40', '--preset', 'unit'];

export function analyzed(...flags: readonly string[]): Promise<MeasuredReport> {
  return reportOf('analyze', MODEL, '--calib', CALIB, '--eval', ...IMAGES, '--per-tensor', ...flags);
}

export function compared(): Promise<MeasuredReport> {
  const candidate = fixture('actual/digits_qdq.onnx');
  return reportOf('compare', fixture('digits/digits.onnx'), candidate, '--data', ...IMAGES);
}

export function inspected(): Promise<InspectReport> {
  const models = [fixture('actual/digits_qdq.onnx')];
  return inspect({ models, shapes: new Map(), timestamp: false, complete: true });
}

export function doctored(): Promise<DoctorReport> {
  const request = {
    model: MODEL,
    calib: [CALIB],
    eval: [],
    data: {
      preprocessing: {},
      shapes: new Map<string, readonly number[]>(),
      skipUnreadable: false,
      samples: 6,
    },
    scheme: overrideScheme(SCHEMES['ort']!, {}),
    selection: NO_SELECTION,
    channels: [],
    ladder: false,
    ...UNJUDGED,
    threads: 1,
    timestamp: false,
  };
  return doctor({ run: 'analyze', request }, UNWATCHED);
}
