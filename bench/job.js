/**
 * One measured job in a process of its own: `node bench/job.js JOB SAMPLES` prints { cpuMs, wallMs, maxRssMiB }.
 * Times are of the job alone (sessions and reading of samples included); one thread.
 */
import { performance } from 'node:perf_hooks';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { edgesOf } from '../dist/compile/edges.js';
import { bindInputs } from '../dist/ir/bind-inputs.js';
import { inferShapes } from '../dist/ir/infer/index.js';
import { loadModel } from '../dist/loader/index.js';
import { buildLane } from '../dist/quant/lane.js';
import { observe } from '../dist/quant/observers/index.js';
import { observedTensors } from '../dist/quant/placement/plan.js';
import { planQuantization } from '../dist/quant/placement/planner.js';
import { SCHEMES } from '../dist/quant/presets.js';
import { NO_SELECTION } from '../dist/quant/select.js';
import { calibrate } from '../dist/run/calibrate.js';
import { align } from '../dist/diff/alignment/index.js';
import { commonEdges, measurePair } from '../dist/commands/compare-measure.js';
import { otherNetwork } from '../dist/commands/network-pair.js';
import { FLOAT_LANE } from '../dist/ir/lane.js';
import { openDataset } from '../dist/run/data/index.js';
import { measure } from '../dist/run/measure.js';
import { ensureBenchFiles } from './files.js';

const [, , job, count] = process.argv;
const files = ensureBenchFiles();
const THREADS = 1;
const ALL = ['self', 'local', 'cumulative'];
const silent = () => undefined;

const loaded = await loadModel(files.mobilenet);
const graph = inferShapes(bindInputs(loaded.graph, new Map([['input', [1, 3, 224, 224]]])));
const plan = planQuantization(graph, SCHEMES.ort, NO_SELECTION);
const fusedAway = new Set(plan.fusedAway);
const { edges } = edgesOf(graph, fusedAway);
const samples = await openDataset({
  sources: [Number(count) > 32 ? files.calib256 : files.calib32],
  inputs: [{ name: 'input', dtype: 'float32', shape: [1, 3, 224, 224] }],
  preprocessing: {},
  samples: Number(count),
  metadata: new Map(),
});

const calibrated = (histograms) =>
  calibrate(graph, edges, samples, { threads: THREADS, histograms, momentum: 0.99 }, silent);

async function simulatedLane() {
  const { edges: statistics } = await calibrated(false);
  const observed = observedTensors(graph, plan);
  const rangeOf = (id) => observe(observed.get(id).observer, statistics.get(id), observed.get(id));
  return buildLane(graph, plan, rangeOf, 'bench');
}

async function measured(kinds) {
  const lane = await simulatedLane();
  const options = { threads: THREADS, kinds, clipping: new Set() };
  return () => measure(graph, lane, edges, fusedAway, samples, options, silent);
}

/** The reference is loaded for itself: two files share no constants. */
async function compared() {
  const candidate = { loaded, graph, lane: await simulatedLane() };
  const other = await loadModel(files.mobilenet);
  const bound = bindInputs(other.graph, new Map([['input', [1, 3, 224, 224]]]));
  const reference = { loaded: other, graph: inferShapes(bound), lane: FLOAT_LANE };
  return () => {
    const alignment = align(reference, candidate);
    const pair = { reference, candidate, alignment, other: otherNetwork(reference, alignment) };
    const common = commonEdges(pair, fusedAway);
    return measurePair(pair, common, fusedAway, samples, { threads: THREADS }, silent);
  };
}

/** The user's file in onnxruntime-node with its own defaults: what all ratios are to. */
async function plain() {
  const session = await InferenceSession.create(files.mobilenet, { intraOpNumThreads: THREADS });
  for await (const { feeds } of samples.samples()) {
    const { data, dims } = feeds.get('input');
    await session.run({ input: new Tensor('float32', data, dims) });
  }
  await session.release();
}

const JOBS = {
  plain: async () => plain,
  'calibrate min-max': async () => () => calibrated(false),
  'calibrate with histograms': async () => () => calibrated(true),
  cumulative: () => measured(['cumulative']),
  'self+local+cumulative': () => measured(ALL),
  compare: compared,
};

const run = await JOBS[job]();
const cpu = process.cpuUsage();
const started = performance.now();
await run();
const { user, system } = process.cpuUsage(cpu);
process.stdout.write(
  JSON.stringify({
    cpuMs: (user + system) / 1000,
    wallMs: performance.now() - started,
    maxRssMiB: process.resourceUsage().maxRSS / 1024,
  }),
);
