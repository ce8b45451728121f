import { forecastSqnr } from '../../../diff/edge-measurements.js';
import { tensorOf, type Graph, type TensorId } from '../../../ir/graph.js';
import type { Lane, QuantParams } from '../../../ir/lane.js';
import { writerOf } from '../../../ir/operators.js';
import { observerForecast, observerForecasts } from '../../../quant/observer-forecasts.js';
import type { TensorScheme } from '../../../quant/scheme.js';
import type { Range } from '../../../quant/observers/observer.js';
import type { EdgeStatistics } from '../../../run/calibrate.js';
import type { Evidence, With } from '../../evidence.js';
import type { Diagnosed } from '../../finding.js';
import { PRESCRIBED, stepOf } from '../../quantizers.js';
import { remedy } from '../../remedy.js';
import { rule } from '../../rule.js';
import { subjectOf } from '../../subject.js';
import { percent, short } from '../../wording.js';

/** dB by which a range must be better to be worth a word: half a bit. */
const BETTER_DB = 3;
/** Share of the activations from which on the method is wrong, not its answer for one tensor. */
const MANY = 0.2;
const LEAST_MANY = 3;
/** Self SQNR, dB, from which on a better range buys nothing that anything behind would feel. */
const GOOD_DB = 30;
/** How far a file's range may be from what was seen to be the min-max of it. */
const MINMAX = 1.25;
const MOST_SHOWN = 5;

export const method = rule({
  id: 'cal.method',
  title: 'Another way to set the ranges fits these activations better',
  severity: 'warning',
  needs: ['lane', 'edges', 'statistics'],
  text: {
    what: 'Activations for which the range with the least squared error over their histogram would give at least 3 dB more SQNR than the range they have. Nothing is run for it: the histogram that calibration counted tells what any range would cost.',
    why: 'Min-max keeps the rarest value at the price of steps for all the others; percentiles and entropy cut it off, which is wrong where it matters. Tools apply one method to the whole graph.',
    instead:
      'Choose the observer by what the model loses at its outputs, not by SQNR alone; where only some tensors differ, override those.',
    see: [
      'https://arxiv.org/abs/2004.09602',
      'https://github.com/microsoft/onnxruntime/issues/17235',
      'act.outlier-range',
      'act.clipped',
    ],
  },
  limits: [
    {
      quantity: 'activations that another range would give 3 dB more',
      unit: '% of all',
      warning: 100 * MANY,
      worse: 'higher',
    },
  ],
  check,
});

interface Better {
  readonly tensor: TensorId;
  readonly stats: EdgeStatistics;
  readonly scheme: Pick<TensorScheme, 'dtype' | 'symmetric' | 'narrowRange'>;
  readonly range: Range;
  readonly db: number;
  readonly gain: number;
}

function check(evidence: With<'lane' | 'edges' | 'statistics'>): Diagnosed[] {
  const { graph, edges, statistics, scheme: simulated, calib, data } = evidence;
  // On other samples than those that set the ranges it is the samples that differ.
  if (simulated !== undefined && calib !== undefined && data !== undefined) return [];
  let total = 0;
  const better = edges.flatMap(({ edge, quant, range }): Better[] => {
    const stats = statistics.get(edge.tensor);
    if (stats === undefined || quant === undefined || !isObserved(evidence, edge.tensor, quant, range))
      return [];
    total++;
    const scheme = schemeOf(evidence, quant);
    const db = forecastSqnr(stats, quant);
    if (db === undefined || db >= GOOD_DB) return [];
    const best = observerForecast({ kind: 'mse' }, stats, scheme);
    return best === undefined || best.db - db < BETTER_DB
      ? []
      : [{ tensor: edge.tensor, stats, scheme, range: best.range, db, gain: best.db - db }];
  });
  const [first] = better.sort((a, b) => b.gain - a.gain);
  if (first === undefined) return [];
  const isMany = better.length >= LEAST_MANY && better.length > MANY * total;
  return [
    {
      rule: 'cal.method',
      severity: isMany ? 'warning' : 'note',
      subject: better.length === 1 ? subjectOf(graph, first.tensor) : {},
      message:
        better.length === 1
          ? `a range of ${rangeOf(first.range)} would give ${gainOf(first)} (${alternatives(first)})`
          : `another range would give ${better.length} of ${total} activations (${percent(better.length / total)}) 3 dB and more of self ` +
            `SQNR: ${better
              .slice(0, MOST_SHOWN)
              .map((one) => `${tensorOf(graph, one.tensor).name} ${gainOf(one)}`)
              .join(', ')}${better.length > MOST_SHOWN ? ', ...' : ''}`,
      args: { tensors: better.length, of: total, gainDb: first.gain, selfDb: first.db },
      ...remedy(evidence, {
        title: isMany ? 'set the ranges for the least error' : 'set these ranges for the least error',
        flags: '--observer mse',
        overrides: { observer: 'mse' },
        onnx: `quantize_static(..., extra_options={'TensorQuantOverrides': ${overrides(graph, better)}})`,
      }),
    },
  ];
}

/** Whether the range was made from values like those seen, and no operator, runtime or neighbour prescribes it. */
function isObserved(
  { graph, scheme }: Evidence,
  tensor: TensorId,
  quant: QuantParams,
  { min, max }: { readonly min: number; readonly max: number },
): boolean {
  const step = stepOf(quant);
  if (step === undefined || quant.read !== undefined) return false;
  if (scheme !== undefined) return quant.source === 'observer';
  const writer = writerOf(graph, tensor);
  if (writer !== undefined && PRESCRIBED.has(writer.op)) return false;
  const [low, high] = [
    (quant.qmin - (quant.zeroPoint[0] ?? 0)) * step,
    (quant.qmax - (quant.zeroPoint[0] ?? 0)) * step,
  ];
  const times = Math.max(-low, high) / Math.max(-min, max, Number.MIN_VALUE);
  return times < MINMAX && times > 1 / MINMAX;
}

/** As the flags say; of a file as its parameters look: around 0 where 0 is in the middle of all activations. */
function schemeOf(
  { scheme, lane }: Pick<With<'lane'>, 'scheme' | 'lane'>,
  quant: QuantParams,
): Better['scheme'] {
  const { dtype, qmin, qmax } = quant;
  if (scheme !== undefined && scheme.activations !== 'float') return scheme.activations;
  return { dtype, narrowRange: qmin === -qmax, symmetric: isSymmetric(lane, dtype) };
}

function isSymmetric({ tensors }: Lane, dtype: QuantParams['dtype']): boolean {
  return [...tensors.values()].every(
    ({ zeroPoint, qmin, qmax, ...params }) =>
      params.dtype !== dtype || zeroPoint.every((point) => point === Math.ceil((qmin + qmax) / 2)),
  );
}

function rangeOf({ rmin, rmax }: Range): string {
  return `${short(rmin)} to ${short(rmax)}`;
}

function gainOf({ gain, db }: Better): string {
  return `+${gain.toFixed(1)} dB on ${db.toFixed(1)}`;
}

function alternatives({ stats, scheme }: Better): string {
  return observerForecasts(stats, scheme)
    .map(({ observer, db }) => `${observer} ${db.toFixed(1)} dB`)
    .join(', ');
}

/** As ONNX Runtime takes them: plain numbers make it fail. */
function overrides(graph: Graph, better: readonly Better[]): string {
  const entries = better.slice(0, MOST_SHOWN).map(({ tensor, range }) => {
    const name = JSON.stringify(tensorOf(graph, tensor).name);
    return `${name}: [{"rmin": np.float32(${short(range.rmin)}), "rmax": np.float32(${short(range.rmax)})}]`;
  });
  return `{${entries.join(', ')}}`;
}
