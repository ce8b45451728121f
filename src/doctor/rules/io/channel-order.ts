import type { TriedPreprocessing } from '../../../diff/accuracy/preprocessing-search.js';
import type { With } from '../../evidence.js';
import type { Finding } from '../../finding.js';
import { rule } from '../../rule.js';
import { inputSubject } from '../../seen-input.js';

export const channelOrder = rule({
  id: 'io.channel-order',
  title: 'Pictures are fed with red and blue exchanged',
  severity: 'error',
  needs: ['preprocessings'],
  text: {
    what: 'Where the network in float fails on labelled images, it is tried with both orders of the channels. That it scores more with the order that was not given is told.',
    why: 'OpenCV reads blue first, most other libraries red first. A network that was trained with one order loses points with the other, in float as much as in integers; calibration with it moves ranges, too.',
    instead: 'State the order in one place, for calibration, evaluation and the application.',
    see: ['https://github.com/Tencent/ncnn/issues/2975', 'io.preproc'],
  },
  limits: [
    {
      quantity: 'accuracy with the other order of channels, above that with the given one',
      unit: 'points',
      warning: 2,
      worse: 'higher',
    },
  ],
  check,
});

/** Points of accuracy; of metrics without a unit, a share of the better value. */
const POINTS = 2;
const SHARE = 0.1;

const COLOR = '--color ';

function check({ graph, preprocessings }: With<'preprocessings'>): Finding[] {
  const { tried, unit, better, color } = preprocessings;
  const sign = better === 'higher' ? 1 : -1;
  const scored = tried.filter(({ value }) => value !== undefined);
  const [best] = [...scored].sort((a, b) => sign * (valueOf(b) - valueOf(a)));
  const order = best === undefined ? undefined : orderOf(best);
  // Where nothing depends on the order, or the best has the given one.
  if (best === undefined || order === undefined || order === color) return [];
  const twin = scored.find((other) => other !== best && withoutOrder(other) === withoutOrder(best));
  if (twin === undefined) return [];
  const gain = sign * (valueOf(best) - valueOf(twin));
  const least = unit === '%' ? POINTS : SHARE * Math.abs(valueOf(best));
  if (!(gain > least) || gain <= halfWidth(best)) return [];
  const [input] = graph.inputs;
  const value = (one: TriedPreprocessing): string =>
    `${Number(valueOf(one).toPrecision(3))}${unit === '' ? '' : ` ${unit}`}`;
  return [
    {
      rule: 'io.channel-order',
      severity: isApart(best, twin, sign) ? 'error' : 'warning',
      subject: input === undefined ? {} : inputSubject(graph, input),
      message: `the network in float scores ${value(best)} with the channels as ${order.toUpperCase()} and ${value(twin)} as ${color.toUpperCase()}, as they are fed (${best.title})`,
      args: { [order]: valueOf(best), [color]: valueOf(twin) },
      fix: { title: 'feed the channels in the other order', edit: best.flags.join(' ') },
    },
  ];
}

function valueOf({ value = NaN }: TriedPreprocessing): number {
  return value;
}

function orderOf({ flags }: TriedPreprocessing): string | undefined {
  return flags.find((flag) => flag.startsWith(COLOR))?.slice(COLOR.length);
}

function withoutOrder({ flags }: TriedPreprocessing): string {
  return flags.filter((flag) => !flag.startsWith(COLOR)).join(' ');
}

/** What the samples leave open. */
function halfWidth({ interval }: TriedPreprocessing): number {
  return interval === undefined ? 0 : (interval[1] - interval[0]) / 2;
}

function isApart(a: TriedPreprocessing, b: TriedPreprocessing, sign: 1 | -1): boolean {
  if (a.interval === undefined || b.interval === undefined) return false;
  return sign === 1 ? a.interval[0] > b.interval[1] : a.interval[1] < b.interval[0];
}
