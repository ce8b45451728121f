/**
 * The whole of `qdbg analyze` in a process of its own: `node bench/analyze.js MODEL DATA` prints { cpuMs }. One thread, TFLite's scheme
 * whatever the format, everything from reading the file to the finished report.
 */
import { analyze } from '../dist/commands/analyze.js';
import { SCHEMES } from '../dist/quant/presets.js';

const [, , model, data] = process.argv;
const cpu = process.cpuUsage();
await analyze(
  {
    model,
    calib: [data],
    eval: [],
    data: { preprocessing: {}, shapes: new Map(), skipUnreadable: false },
    scheme: SCHEMES.tflite,
    selection: { only: [], skip: [] },
    channels: [],
    threads: 1,
    timestamp: false,
  },
  () => undefined,
);
const { user, system } = process.cpuUsage(cpu);
process.stdout.write(JSON.stringify({ cpuMs: (user + system) / 1000 }));
