/**
 * The calibration table of the rules: `npm run rules -- MODELS DATA` runs `qdbg doctor` on healthy real models (float beside export, exports
 * alone, float models simulated) and on the fixtures of the rules, and writes src/doctor/CALIBRATION.md. MODELS and DATA are folders as
 * HEALTHY below names them; without them the fixtures alone are run and printed.
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CATALOGUE } from '../dist/doctor/catalogue.js';
import { limitText } from '../dist/report/explain.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BIN = join(ROOT, 'bin/qdbg.js');
const TABLE = join(ROOT, 'src/doctor/CALIBRATION.md');
const [, , models, data] = process.argv;

const CIFAR = ['--preset', 'raw'];
const TINY = ['--mean', '0.4914,0.4822,0.4465', '--std', '0.2470,0.2435,0.2616'];
const RESNET20 = ['--mean', '0.485,0.456,0.406', '--std', '0.229,0.224,0.225'];
const PCB = ['--mean', '0.5', '--std', '0.5', '--color', 'gray'];
const RTMDET = ['--preset', 'rtmdet'];
const TF = ['--preset', 'tf', '--resize', 'stretch'];

/**
 * Name, model, reference, data, flags: exports of which published accuracies say that nothing is wrong.
 *
 * @type {readonly { name: string, model: string, reference?: string, data?: string, flags?: readonly string[] }[]}
 */
const HEALTHY = [
  ...pair(
    'resnet8',
    'mlperf-ic/resnet8_float.tflite',
    'mlperf-ic/resnet8_int8.tflite',
    'cifar10/eval',
    CIFAR,
  ),
  ...pair('pcb', 'pcb/simple_cnn_float.onnx', 'pcb/simple_cnn_qdq.onnx', 'pcb/eval', PCB),
  ...pair(
    'tinymobilenet',
    'tinymobilenet/model.onnx',
    'tinymobilenet/model_qoperator.onnx',
    'cifar10/eval',
    TINY,
  ),
  ...pair(
    'mobilenet-qat',
    'mobilenet-qat/mobilenet_v1_0.25_float.tflite',
    'mobilenet-qat/mobilenet_v1_0.25_qat_uint8.tflite',
    'coco/eval/images',
    TF,
  ),
  { name: 'deeplab_uint8', model: 'deeplab/deeplab_uint8.tflite' },
  {
    name: 'deeplab_uint8, reference',
    model: 'deeplab/deeplab_uint8.tflite',
    reference: 'deeplab/deeplab_float.tflite',
  },
  { name: 'ssd_uint8', model: 'ssd/ssd_mobilenet_v1_uint8.tflite' },
  {
    name: 'ssd_uint8, data',
    model: 'ssd/ssd_mobilenet_v1_uint8.tflite',
    data: 'coco/eval/images',
    flags: TF,
  },
  { name: 'dscnn_int8', model: 'mlperf-kws/dscnn_int8.tflite' },
  { name: 'dscnn_int8, data', model: 'mlperf-kws/dscnn_int8.tflite', data: 'kws' },
  { name: 'dscnn_dynamic_range', model: 'mlperf-kws/dscnn_dynamic_range.tflite' },
  ...['digits_int8', 'digits_int8_floatio', 'digits_int16x8', 'digits_dynamic'].map((name) => ({
    name: `${name}, reference`,
    model: `digits/${name}.tflite`,
    reference: 'digits/digits_float.tflite',
  })),
  {
    name: 'resnet8, simulated tflite',
    model: 'mlperf-ic/resnet8_float.tflite',
    data: 'cifar10/calib',
    flags: CIFAR,
  },
  {
    name: 'resnet20, simulated ort',
    model: 'resnet20/resnet20_float.onnx',
    data: 'cifar10/calib',
    flags: RESNET20,
  },
  { name: 'pcb, simulated ort', model: 'pcb/simple_cnn_float.onnx', data: 'pcb/eval', flags: PCB },
  {
    name: 'tinymobilenet, simulated ort',
    model: 'tinymobilenet/model.onnx',
    data: 'cifar10/calib',
    flags: TINY,
  },
  {
    name: 'rtmdet_nano, simulated ort per axis',
    model: 'rtmdet/rtmdet_nano_float.onnx',
    data: 'coco/calib/images',
    flags: [...RTMDET, '--per-axis'],
  },
];

/**
 * @param {string} name
 * @param {string} reference
 * @param {string} model
 * @param {string} samples
 * @param {readonly string[]} flags
 */
function pair(name, reference, model, samples, flags) {
  return [
    { name: `${name} export`, model },
    { name: `${name} export, reference`, model, reference },
    { name: `${name} export, data`, model, data: samples, flags },
    { name: `${name} export, reference, data`, model, reference, data: samples, flags },
  ];
}

const SAMPLES = '32';

/**
 * @param {readonly string[]} args
 * @param {string} [cwd]
 * @returns {Promise<{ findings: { rule: string, severity: 'error' | 'warning' | 'note' }[], rules: { checked: string[] } } | undefined>}
 */
function doctor(args, cwd = ROOT) {
  return new Promise((done) => {
    execFile(
      process.execPath,
      [BIN, 'doctor', ...args, '--report', 'json=-'],
      { cwd, maxBuffer: 2 ** 28 },
      (error, out, err) => {
        if (out === '') process.stderr.write(`${args.join(' ')}: ${err || String(error)}\n`);
        done(out === '' ? undefined : JSON.parse(out));
      },
    );
  });
}

/** @type {Map<string, { checked: number, error: string[], warning: string[], note: string[] }>} */
const tally = new Map(CATALOGUE.map(({ id }) => [id, { checked: 0, error: [], warning: [], note: [] }]));
let ran = 0;
for (const { name, model, reference, data: samples, flags = [] } of models === undefined ? [] : HEALTHY) {
  const args = [
    join(models ?? '', model),
    ...(reference === undefined ? [] : ['--reference', join(models ?? '', reference)]),
    ...(samples === undefined ? [] : ['--data', join(data ?? '', samples), '--samples', SAMPLES, ...flags]),
  ];
  const report = await doctor(args);
  if (report === undefined) continue;
  ran++;
  for (const id of report.rules.checked) (tally.get(id) ?? { checked: 0 }).checked++;
  for (const { rule, severity } of report.findings) {
    const places = tally.get(rule)?.[severity];
    if (places !== undefined && !places.includes(name)) places.push(name);
  }
  process.stderr.write(`${name}: ${report.findings.length} findings\n`);
}

/** @type {Map<string, string>} */
const planted = new Map();
const folder = join(ROOT, 'fixtures/doctor');
for (const id of readdirSync(folder)) {
  const file = join(folder, id, 'case.json');
  if (!existsSync(file)) continue;
  const report = await doctor(JSON.parse(readFileSync(file, 'utf8')).args, join(folder, id));
  const severities = (report?.findings ?? [])
    .filter(({ rule }) => rule === id)
    .map(({ severity }) => severity);
  planted.set(
    id,
    ['error', 'warning', 'note'].find((one) => severities.some((own) => own === one)) ?? 'silent',
  );
}

/** @param {readonly string[]} names */
const listed = (names) => (names.length === 0 ? '' : `${names.length}: ${names.join('; ')}`);
const rows = CATALOGUE.map(({ id, limits = [] }) => {
  const { checked = 0, error = [], warning = [], note = [] } = tally.get(id) ?? {};
  const limit = limits.map(limitText).join('; ').replaceAll('|', '\\|');
  return `| ${id} | ${limit} | ${checked} | ${listed(error)} | ${listed(warning)} | ${listed(note)} | ${planted.get(id) ?? 'none'} |`;
});
const text = `# Calibration of the rules

Made by \`npm run rules -- MODELS DATA\` (bench/rules.js), which lists the runs: ${ran} runs of \`qdbg doctor\` on healthy real models (exports alone,
beside their float model, on ${SAMPLES} samples, and float models simulated). A rule may not raise an error on any of them. The last column is what the rule
says on its own fixture (fixtures/doctor); near misses are in fixtures/doctor/clean and must stay without an error, too.

| rule | speaks | healthy runs it could check | errors | warnings | notes | its fixture |
|---|---|---|---|---|---|---|
${rows.join('\n')}
`;
if (models === undefined) process.stdout.write(text);
else writeFileSync(TABLE, text);
const wrong = [...tally].filter(([, { error }]) => error.length > 0);
for (const [id, { error }] of wrong)
  process.stderr.write(`${id} raises errors on healthy models: ${error.join('; ')}\n`);
process.exitCode = wrong.length === 0 ? 0 : 1;
