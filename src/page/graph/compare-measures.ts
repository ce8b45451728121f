/** What a comparison tells of the operators of the candidate. */
import type { PageReport } from '../../report/html/page-document.js';
import { classScale } from './ramp.js';
import type { MeasureRule } from './reading.js';

type ComparePage = Extract<PageReport, { readonly command: 'compare' }>;

export function compareMeasures({ tensors, alignment }: ComparePage): readonly MeasureRule[] {
  const aligned = new Set(tensors.map(({ tensor }) => tensor));
  const alone = new Set(alignment.unmatched.candidate.flatMap(({ node, tensor }) => [node, tensor]));
  return [
    {
      key: 'aligned',
      title: 'aligned',
      hint: 'Whether a tensor of the reference was found that it should equal; what has none is not measured.',
      of: ({ name, tensors: its, kind }) => {
        if (its.some((tensor) => aligned.has(tensor))) return { value: 0, text: 'aligned' };
        if (kind === 'operator' && (alone.has(name) || its.some((tensor) => alone.has(tensor))))
          return { value: 1, text: 'not aligned' };
        return undefined;
      },
      scale: () => classScale(['aligned', 'not aligned']),
    },
  ];
}
