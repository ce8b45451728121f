/**
 * `node bench/sweep.js`: what sensitivity sweeps cost. CPU time of `alone` and `restored` for all layers of a MobileNetV2-sized network
 * over that of plain onnxruntime-node inference of the same samples, one thread, lanes, compiling and sessions included; the same by
 * layer for networks of three depths; and the time of two processes over that of one.
 *
 * `node bench/sweep.js JOB NETWORK PROCESSES SAMPLES` is one measured job in a process of its own: { cpuMs, wallMs, maxRssMiB, layers }.
 * 0 processes: in this one, whose CPU time it then is.
 */
import { execFileSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { LocalRunner } from '../dist/commands/sweep/trials/local-runner.js';
import { partLane } from '../dist/commands/sweep/part-lanes.js';
import { PooledRunner } from '../dist/commands/sweep/trials/pooled-runner.js';
import { calibratedLane, planSimulation } from '../dist/commands/simulation.js';
import { edgesOf } from '../dist/compile/edges.js';
import { endsOf } from '../dist/diff/ends.js';
import { bindInputs } from '../dist/ir/bind-inputs.js';
import { inferShapes } from '../dist/ir/infer/index.js';
import { loadModel } from '../dist/loader/index.js';
import { layersOf } from '../dist/quant/layers.js';
import { SCHEMES } from '../dist/quant/presets.js';
import { NO_SELECTION } from '../dist/quant/select.js';
import { calibrate } from '../dist/run/calibrate.js';
import { openDataset } from '../dist/run/data/index.js';
import { withExtents } from '../dist/run/samples.js';
import { ensureBenchFiles } from './files.js';

const DIMS = [1, 3, 224, 224];
const PARTS = { alone: 'only', restored: 'without' };
const files = ensureBenchFiles();

async function openedSamples(samples) {
  return openDataset({
    sources: [samples > 32 ? files.calib256 : files.calib32],
    inputs: [{ name: 'input', dtype: 'float32', shape: DIMS }],
    preprocessing: {},
    samples,
    metadata: new Map(),
  });
}

/** The user's file in onnxruntime-node with its own defaults. */
async function plain(network, samples) {
  const dataset = await openedSamples(samples);
  return async () => {
    const session = await InferenceSession.create(files[network], { intraOpNumThreads: 1 });
    for await (const { feeds } of dataset.samples()) {
      const { data, dims } = feeds.get('input');
      await session.run({ input: new Tensor('float32', data, dims) });
    }
    await session.release();
  };
}

/** Calibrated before the clock starts. */
async function swept(kind, network, processes, count) {
  const model = files[network];
  const loaded = await loadModel(model);
  const extents = new Map([['input', DIMS]]);
  const graph = inferShapes(bindInputs(loaded.graph, extents));
  const simulation = { ...planSimulation(graph, SCHEMES.ort, NO_SELECTION), scheme: SCHEMES.ort };
  const samples = withExtents(await openedSamples(count), extents);
  const passes = { threads: 1, histograms: false, momentum: 0.99 };
  const followed = edgesOf(graph, new Set()).edges;
  const few = withExtents(await openedSamples(4), extents);
  const calibration = await calibrate(graph, followed, few, passes, () => undefined);
  const lane = calibratedLane(simulation, calibration);
  const simulated = { simulation, calibration, selection: NO_SELECTION, lane };
  const layers = layersOf(graph, simulation.plan);
  const last = endsOf(graph, new Set(simulation.edges.map(({ tensor }) => tensor)));
  const ends = simulation.edges.filter(({ tensor }) => last.has(tensor));
  const ground = { graph, ends, samples, threads: 1 };
  const request = { preprocessing: {}, shapes: new Map(), samples: count, skipUnreadable: false };
  const sources = [count > 32 ? files.calib256 : files.calib32];
  const description = {
    model,
    sha256: await loaded.sha256(),
    extents,
    ends,
    noise: { flag: '--calib', sources, request },
    threads: 1,
  };
  return async () => {
    const runner =
      processes === 0 ? new LocalRunner(ground) : new PooledRunner(ground, description, { processes });
    const trials = layers.map(({ name, nodes }) => ({
      id: `${kind} ${name}`,
      lane: partLane(simulated, { kind: PARTS[kind], nodes }),
    }));
    const outcomes = await runner.run(trials, { noise: true, score: false });
    await runner.close();
    const failed = outcomes.find(({ noise }) => noise === undefined);
    if (failed !== undefined) throw new Error(`${failed.id}: ${failed.failure}`);
    return layers.length;
  };
}

async function measured(job, network, processes, samples) {
  const run = job === 'plain' ? await plain(network, samples) : await swept(job, network, processes, samples);
  const cpu = process.cpuUsage();
  const started = performance.now();
  const layers = await run();
  const wallMs = performance.now() - started;
  const { user, system } = process.cpuUsage(cpu);
  return { cpuMs: (user + system) / 1000, wallMs, maxRssMiB: process.resourceUsage().maxRSS / 1024, layers };
}

function job(...args) {
  const text = execFileSync(process.execPath, [fileURLToPath(import.meta.url), ...args.map(String)], {
    encoding: 'utf8',
  });
  return JSON.parse(text);
}

const CEILING = 45;
const SPEED_UP = 1.7;
const MEMORY_CEILING = 1.1;

/**
 * Runs and tells all of it.
 * @param {{ rounds: number, samples?: number, say: (line: string) => void }} options
 * @returns {number} of what is over its limit
 */
export function benchSweeps({ rounds, samples = 32, say }) {
  let over = 0;
  const judged = (isOver, limit) => {
    if (isOver) over++;
    return `${isOver ? 'OVER' : 'within'} ${limit}`;
  };
  const best = (network) => {
    const cpu = { plain: Infinity, alone: Infinity, restored: Infinity };
    let layers = 0;
    for (let round = 0; round < rounds; round++) {
      for (const kind of Object.keys(cpu)) {
        const made = job(kind, network, 0, samples);
        cpu[kind] = Math.min(cpu[kind], made.cpuMs);
        layers = made.layers ?? layers;
      }
    }
    return { layers, ...cpu };
  };
  say(`sweeps: ${samples} samples, one thread, best of ${rounds}; CPU time over that of plain inference`);
  say('  layers   plain ms   alone x   restored x   alone x a layer   restored x a layer');
  for (const network of ['mobilenetHalf', 'mobilenet', 'mobilenetDouble']) {
    const cpu = best(network);
    const times = (kind) => cpu[kind] / cpu.plain;
    const row = [
      String(cpu.layers).padStart(8),
      (cpu.plain / samples).toFixed(1).padStart(10),
      times('alone').toFixed(1).padStart(9),
      times('restored').toFixed(1).padStart(12),
      (times('alone') / cpu.layers).toFixed(3).padStart(17),
      (times('restored') / cpu.layers).toFixed(3).padStart(20),
    ];
    const limits =
      network === 'mobilenet'
        ? `   ${judged(Math.max(times('alone'), times('restored')) > CEILING, CEILING)}`
        : '';
    say(row.join(' ') + limits);
  }
  for (const kind of Object.keys(PARTS)) {
    const wall = { 1: Infinity, 2: Infinity };
    for (let round = 0; round < rounds; round++) {
      for (const processes of [1, 2]) {
        wall[processes] = Math.min(wall[processes], job(kind, 'mobilenet', processes, samples).wallMs);
      }
    }
    const speedUp = wall[1] / wall[2];
    say(
      `  ${kind}, two processes: ${speedUp.toFixed(2)} times as fast as one   ${judged(speedUp < SPEED_UP, SPEED_UP)}`,
    );
  }
  const [few, many] = [8, 64].map((count) => job('alone', 'mobilenetHalf', 0, count).maxRssMiB);
  const memory = `  peak memory ${few.toFixed(0)} MiB at 8 samples, ${many.toFixed(0)} MiB at 64`;
  say(`${memory}: ${(many / few).toFixed(2)} x   ${judged(many / few > MEMORY_CEILING, MEMORY_CEILING)}`);
  return over;
}

const [, script, name, network, processes, samples] = process.argv;
if (script === fileURLToPath(import.meta.url)) {
  if (name === undefined) {
    const rounds = Number(process.env.QDBG_BENCH_ROUNDS ?? 3);
    const say = (line) => process.stdout.write(`${line}\n`);
    if (benchSweeps({ rounds, say }) > 0) process.exitCode = 1;
  } else {
    const made = await measured(name, network, Number(processes), Number(samples));
    process.stdout.write(JSON.stringify(made));
  }
}
