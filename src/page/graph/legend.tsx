/** What the colours and forms of the drawing mean. */
import type { JSX } from 'preact';
import type { Network } from './network.js';
import { stepOf, STEPS } from './ramp.js';
import type { Measure } from './reading.js';

export function Legend({
  measure,
  network,
}: {
  readonly measure: Measure;
  readonly network: Network;
}): JSX.Element {
  const operators = network.sites.filter(({ kind }) => kind === 'operator');
  const hasFloat = operators.some(({ node }) => node?.float !== undefined);
  const hasNone = operators.some(({ at }) => measure.readings[at] === undefined);
  return (
    <div class="graph-legend">
      {measure.scale.classes === true ? <Classes measure={measure} /> : <Strip measure={measure} />}
      <ul>
        {hasNone ? (
          <li>
            <span class="key" aria-hidden="true">
              –
            </span>
            no number: not measured
          </li>
        ) : null}
        {hasFloat ? (
          <li>
            <span class="key dashed" aria-hidden="true" />
            dashed: computed in float
          </li>
        ) : null}
        <li>
          <span class="key pill" aria-hidden="true" />
          input or output of the network
        </li>
      </ul>
    </div>
  );
}

function Strip({ measure: { title, scale } }: { readonly measure: Measure }): JSX.Element {
  const last = scale.marks.length - 1;
  return (
    <div
      class="strip"
      role="img"
      aria-label={`Colours of ${title}: ${scale.marks.map(({ text }) => text).join(', ')}`}
    >
      <div class="cells">
        {Array.from({ length: STEPS }, (_, step) => (
          <span key={step} style={{ background: `var(--ramp-${step})` }} />
        ))}
      </div>
      <div class="marks">
        {scale.marks.map(({ position, text }, i) => (
          <span
            key={text}
            class={i === 0 ? 'first' : i === last ? 'last' : ''}
            style={{ left: `${position * 100}%` }}
          >
            {text}
          </span>
        ))}
      </div>
    </div>
  );
}

function Classes({ measure: { scale } }: { readonly measure: Measure }): JSX.Element {
  return (
    <ul>
      {scale.marks.map(({ position, text }) => (
        <li key={text}>
          <span class="key" aria-hidden="true" style={{ background: `var(--ramp-${stepOf(position)})` }} />
          {text}
        </li>
      ))}
    </ul>
  );
}
