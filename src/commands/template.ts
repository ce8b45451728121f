/** Commented starting points of files that a user writes: a decoder, a metric, a configuration. */
import { decodeTemplate } from '../run/predictions/decode-template.js';
import { METRIC_TEMPLATE } from '../run/metrics/metric-template.js';

const CONFIG_TEMPLATE = `// Settings for qdbg in this folder and below: every flag under its name in camel case; flags on the command line win.
// Paths are relative to this file.
export default {
  // calib: './calib',
  // eval: './val',
  // preset: 'imagenet',

  // What has to hold in CI: exit code 1 when it does not, 3 when there are too few samples to decide.
  maxDrop: '1pt',
  // minSqnr: ['20', '*head*=12'],
  // failOn: 'error',
  // baseline: './qdbg-baseline.json',

  // Of qdbg sweep: layers to look at as one, and experiments beside those that it makes by itself. An experiment says what differs
  // from the flags: weights, activations, perAxis, symmetric, observer, percentile, only, skip.
  // groups: { head: ['head/*', 'op:Softmax'] },
  // experiments: {
  //   'int4 weights': { weights: 'int4', perAxis: true },
  //   'head in float': { skip: 'head/*' },
  // },
  // targetDrop: '1pt',
  // to: 'int16',
  // resume: './sweep.jsonl',
  // export: ['qdq=int8.onnx'],

  // Findings that somebody has looked at and accepts. One that matches nothing is an error.
  suppress: [
    // { rule: 'act.clipped', subject: 'head/*', reason: 'clips on purpose, see the design notes', expires: '2027-06-30' },
  ],
};
`;

export interface Template {
  /** File to write it to when the user names none. */
  readonly name: string;
  readonly text: string;
}

const TEMPLATES: ReadonlyMap<string, Template> = new Map([
  ['decode', { name: 'decode.js', text: decodeTemplate() }],
  ['metric', { name: 'metric.js', text: METRIC_TEMPLATE }],
  ['config', { name: 'qdbg.config.mjs', text: CONFIG_TEMPLATE }],
]);

/** @throws RangeError for a kind that there is not */
export function templateNamed(kind: string): Template {
  const template = TEMPLATES.get(kind);
  if (template === undefined) throw new RangeError(`no template ${kind}`);
  return template;
}
