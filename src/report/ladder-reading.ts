/** What the steps of the ladder say together, in words. */
import type { Accuracy } from '../diff/accuracy/accuracy.js';
import { deltaText } from '../diff/accuracy/wording.js';

/** Shares of the whole loss: a part that has most of it, and one that has next to none. */
const MOST = 0.5;
const LITTLE = 0.2;

/** Empty without a ladder, and where nothing sure is lost. */
export function ladderReading({ networks, better, deltaUnit }: Accuracy): string[] {
  const sign = better === 'higher' ? -1 : 1;
  const lossOf = (name: string): number | undefined => {
    const delta = networks.find(({ network }) => network === name)?.delta;
    return delta === undefined ? undefined : sign * delta;
  };
  const whole = networks.find(({ network }) => network === 'candidate');
  const loss = lossOf('candidate');
  const [weights, activations, convolutions] = ['weights', 'activations', 'convolutions'].map(lossOf);
  const wide = lossOf('int16');
  if (whole?.standing !== 'worse' || loss === undefined || loss <= 0) return [];
  const told = (value: number): string => deltaText(sign * value, deltaUnit);
  const parts = [
    ...(weights === undefined ? [] : [`weights alone ${told(weights)}`]),
    ...(activations === undefined ? [] : [`activations alone ${told(activations)}`]),
    ...(convolutions === undefined ? [] : [`convolutions alone ${told(convolutions)}`]),
  ];
  return [
    ...(parts.length === 0
      ? []
      : [`of ${told(loss)}: ${parts.join(', ')}${blameText(loss, weights, activations)}`]),
    ...(wide === undefined ? [] : [wideText(loss, wide, told)]),
  ];
}

function blameText(loss: number, weights: number | undefined, activations: number | undefined): string {
  if (weights === undefined || activations === undefined) return '';
  const [byWeights, byActivations] = [weights / loss, activations / loss];
  if (byActivations >= MOST && byActivations > 2 * byWeights)
    return '. The activations cost it: look at their ranges, --per-axis will not help';
  if (byWeights >= MOST && byWeights > 2 * byActivations)
    return '. The weights cost it: --per-axis is the first thing to try';
  if (byWeights < LITTLE && byActivations < LITTLE) return '. Only together do they cost it';
  return '. Both cost it';
}

function wideText(loss: number, wide: number, told: (value: number) => string): string {
  return wide <= LITTLE * loss
    ? `the same network in 16 bits loses ${wide <= 0 ? 'nothing' : told(wide)}: the graph is right, the ranges of 8 bits are not enough`
    : `the same network in 16 bits still loses ${told(wide)}: more bits do not mend it, something else is wrong`;
}
