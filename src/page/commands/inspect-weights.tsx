/** Channels of a weight, one at a time: the layer that is selected, else the one that a single scale serves worst. */
import type { JSX } from 'preact';
import type { PageWeight } from '../../report/html/page-document.js';
import { shortName } from '../frame/layer-name.js';
import { usePage } from '../frame/page-context.js';
import { Section } from '../frame/section.js';
import { LayerWeights } from '../layers/layer-weights.js';

export function InspectWeights({ weights }: { readonly weights: readonly PageWeight[] }): JSX.Element | null {
  const { selected, select } = usePage();
  const worst = weights.reduce<PageWeight | undefined>(
    (a, b) => (a === undefined || (b.perTensorSqnrDb ?? Infinity) < (a.perTensorSqnrDb ?? Infinity) ? b : a),
    undefined,
  );
  const weight = weights.find(({ node, tensor }) => node === selected || tensor === selected) ?? worst;
  if (weight === undefined) return null;
  return (
    <Section
      id="weights"
      title="Weights, channel beside channel"
      lead="Channels far wider than the others decide a scale that all share: the others are left with few levels."
    >
      {weights.length < 2 ? null : (
        <p class="told">
          <label>
            Weight{' '}
            <select
              class="weight-choice"
              value={weight.tensor}
              onChange={({ currentTarget }) => select(currentTarget.value)}
            >
              {weights.map(({ tensor, node }) => (
                <option value={tensor} key={tensor}>
                  {shortName(node, 40)}: {shortName(tensor, 40)}
                </option>
              ))}
            </select>
          </label>
        </p>
      )}
      <LayerWeights weight={weight} key={weight.tensor} />
    </Section>
  );
}
