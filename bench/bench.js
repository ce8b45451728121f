/**
 * `npm run bench`: what qdbg costs, as ratios within one run. CPU time of each job over that of plain onnxruntime-node
 * inference of the same samples (MobileNetV2-sized network, 224x224, one thread; sessions and reading of samples included on
 * both sides). The best of several interleaved rounds counts: what other programs do to the machine only adds time.
 */
import { execFileSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { ensureBenchFiles } from './files.js';
import { benchSweeps } from './sweep.js';

const ROUNDS = Number(process.env.QDBG_BENCH_ROUNDS ?? 3);
const SAMPLES = 32;
const MANY_SAMPLES = 256;

/** Job -> largest ratio to plain inference that is still fine. */
const CEILINGS = {
  'calibrate min-max': 3.5,
  'calibrate with histograms': 8,
  cumulative: 6,
  'self+local+cumulative': 10,
};
/** On many samples: what it costs to open networks counts once. */
const COMPARE_CEILING = 8;
const MEMORY_CEILING = 1.1;
const HELP_CEILING = 4;
/** `analyze` of a network as TFLite file over the same as ONNX file. */
const FORMAT_CEILING = 1.3;

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const say = (line = '') => process.stdout.write(`${line}\n`);

function job(name, samples) {
  return JSON.parse(
    execFileSync(process.execPath, [path('job.js'), name, String(samples)], { encoding: 'utf8' }),
  );
}

function wallMs(args) {
  const started = performance.now();
  execFileSync(process.execPath, args, { stdio: 'ignore' });
  return performance.now() - started;
}

function best(rounds, measure) {
  return Math.min(...Array.from({ length: rounds }, measure));
}

const files = ensureBenchFiles();
const names = ['plain', ...Object.keys(CEILINGS)];
const cpu = new Map(names.map((name) => [name, Infinity]));
for (let round = 0; round < ROUNDS; round++) {
  for (const name of names) cpu.set(name, Math.min(cpu.get(name), job(name, SAMPLES).cpuMs));
}
const plain = cpu.get('plain');
let failed = 0;
const judge = (value, ceiling) => {
  if (value > ceiling) failed++;
  return value > ceiling ? `OVER ${ceiling}` : `<= ${ceiling}`;
};

say(
  `${SAMPLES} samples, one thread, best of ${ROUNDS}; plain inference ${(plain / SAMPLES).toFixed(1)} ms CPU a sample`,
);
for (const [name, ceiling] of Object.entries(CEILINGS)) {
  const ratio = cpu.get(name) / plain;
  say(`  ${name.padEnd(28)} ${ratio.toFixed(2).padStart(6)} x plain   ${judge(ratio, ceiling)}`);
}

let [alone, compared] = [Infinity, Infinity];
for (let round = 0; round < ROUNDS; round++) {
  alone = Math.min(alone, job('plain', MANY_SAMPLES).cpuMs);
  compared = Math.min(compared, job('compare', MANY_SAMPLES).cpuMs);
}
say(
  `  ${`compare, ${MANY_SAMPLES} samples`.padEnd(28)} ${(compared / alone).toFixed(2).padStart(6)} x plain   ${judge(compared / alone, COMPARE_CEILING)}`,
);

const few = job('self+local+cumulative', SAMPLES).maxRssMiB;
const many = job('self+local+cumulative', MANY_SAMPLES).maxRssMiB;
say(
  `peak memory ${few.toFixed(0)} MiB at ${SAMPLES} samples, ${many.toFixed(0)} MiB at ${MANY_SAMPLES}: ${(many / few).toFixed(2)} x   ${judge(many / few, MEMORY_CEILING)}`,
);

const node = best(5, () => wallMs(['-e', '0']));
const help = best(5, () => wallMs([path('../bin/qdbg.js'), '--help']));
say(
  `qdbg --help ${help.toFixed(0)} ms, node -e 0 ${node.toFixed(0)} ms: ${(help / node).toFixed(2)} x   ${judge(help / node, HELP_CEILING)}`,
);

const create = best(ROUNDS, () => wallMs([path('create-session.js'), files.large]));
const inspect = best(ROUNDS, () => wallMs([path('../bin/qdbg.js'), 'inspect', files.large]));
say(
  `inspect of a 100 MB model ${inspect.toFixed(0)} ms, session of it ${create.toFixed(0)} ms: ${(inspect / create).toFixed(2)} x   ${judge(inspect / create, 1)}`,
);

const analyzed = (model, data) =>
  JSON.parse(execFileSync(process.execPath, [path('analyze.js'), model, data], { encoding: 'utf8' })).cpuMs;
let [onnx, tflite] = [Infinity, Infinity];
for (let round = 0; round < ROUNDS; round++) {
  onnx = Math.min(onnx, analyzed(files.mobilenet, files.calib32));
  tflite = Math.min(tflite, analyzed(files.mobilenetTflite, files.calib32Nhwc));
}
say(
  `analyze as TFLite ${(tflite / 1000).toFixed(1)} s CPU, as ONNX ${(onnx / 1000).toFixed(1)} s: ${(tflite / onnx).toFixed(2)} x   ${judge(tflite / onnx, FORMAT_CEILING)}`,
);
failed += benchSweeps({ rounds: ROUNDS, say });
if (failed > 0) process.exitCode = 1;
