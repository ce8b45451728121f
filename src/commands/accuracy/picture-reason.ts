/** Why a sample is shown, in words. */
import type { Reason } from '../../run/pictures/parting.js';

/** Characters of a class's name. */
const LONGEST_NAME = 40;

export function reasonText(reason: Reason, names: ReadonlyMap<number, string>): string {
  switch (reason.kind) {
    case 'mask':
      return `IoU with the reference ${reason.iou.toFixed(2)}`;
    case 'boxes':
      return boxesText(reason);
    case 'class': {
      const { from, to, shares } = reason;
      if (from !== to || shares === undefined) return `${nameOf(from, names)} -> ${nameOf(to, names)}`;
      return `${nameOf(from, names)}: ${shares.map((share) => `${(100 * share).toFixed(1)} %`).join(' -> ')}`;
    }
  }
}

function boxesText({ shared, reference, candidate }: Extract<Reason, { kind: 'boxes' }>): string {
  const extra = candidate - shared;
  const found = reference === 0 ? [] : [`${shared} of ${reference} boxes found`];
  return [...found, ...(extra === 0 ? [] : [`${extra} new`])].join(', ');
}

function nameOf(label: number | undefined, names: ReadonlyMap<number, string>): string {
  if (label === undefined) return 'no answer';
  const name = names.get(label);
  if (name === undefined) return String(label);
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name;
}
