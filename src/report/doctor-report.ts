/** The document of `qdbg doctor`: what the rules found, and what a file says of itself. Plain data. */
import type { Finding } from '../doctor/finding.js';
import type { Evaluated } from './evaluated.js';
import type { InspectedModel } from './inspect-report.js';
import type { Report, ReportedModel, ReportedRules } from './report.js';

export interface DoctorReport extends Evaluated {
  readonly schemaVersion: Report['schemaVersion'];
  readonly tool: Report['tool'];
  readonly command: 'doctor';
  readonly createdAt?: string;
  /** What the rules looked at: a file alone, two files, a simulation, a file's own integers, or two networks run side by side. */
  readonly basis: 'file' | 'files' | 'simulation' | 'own integers' | 'comparison';
  readonly models: readonly ReportedModel[];
  readonly data: Report['data'];
  /** Of the model that is looked at. */
  readonly inspected: Pick<InspectedModel, 'inputs' | 'outputs' | 'quantization' | 'impliedActivations'>;
  readonly scheme?: Report['scheme'];
  /** Where networks were run. */
  readonly graph?: Report['graph'];
  readonly histogramSamples?: Report['histogramSamples'];
  /** Empty where nothing was run. */
  readonly tensors: Report['tensors'];
  readonly findings: readonly Finding[];
  readonly rules: ReportedRules;
  readonly verdict: Report['verdict'];
  readonly notMeasured: Report['notMeasured'];
}
