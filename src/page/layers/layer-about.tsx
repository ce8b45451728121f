/** What a layer is, and what was found there. */
import type { JSX } from 'preact';
import type { Finding } from '../../doctor/finding.js';
import { Name, visible } from '../frame/layer-name.js';
import { short } from '../frame/numbers.js';
import type { Layer } from './layer.js';

export function LayerFacts({ layer }: { readonly layer: Layer }): JSX.Element {
  const { node, op, activation } = layer;
  const { role, shape, range, levels, lostShare, reference, layout } = activation;
  return (
    <dl class="facts">
      <dt>{role === 'input' ? 'read by' : 'operator'}</dt>
      <dd>
        {visible(op)} <Name name={node} />
      </dd>
      {role === 'activation' ? null : (
        <>
          <dt>role</dt>
          <dd>{role} of the network</dd>
        </>
      )}
      <dt>shape</dt>
      <dd>[{shape.map((size) => size ?? '?').join(', ')}]</dd>
      {range === undefined ? null : (
        <>
          <dt>values</dt>
          <dd>
            {short(range.min)} to {short(range.max)}
            {range.p01 === undefined || range.p99 === undefined
              ? null
              : `, middle 98 % ${short(range.p01)} to ${short(range.p99)}`}
          </dd>
        </>
      )}
      {levels === undefined ? null : (
        <>
          <dt>levels used</dt>
          <dd>{short(Number(levels.toFixed(1)))} steps across the middle 98 %</dd>
        </>
      )}
      {lostShare === undefined ? null : (
        <>
          <dt>lost values</dt>
          <dd>
            {short(Number((100 * lostShare).toPrecision(3)))} % are off by more than a quarter of themselves
          </dd>
        </>
      )}
      {reference === undefined ? null : (
        <>
          <dt>in the reference</dt>
          <dd>
            <Name name={reference} />
          </dd>
        </>
      )}
      {layout === undefined ? null : (
        <>
          <dt>axes</dt>
          <dd>{layout}</dd>
        </>
      )}
    </dl>
  );
}

export function LayerFindings({ findings }: { readonly findings: readonly Finding[] }): JSX.Element | null {
  if (findings.length === 0) return null;
  return (
    <section class="panel-part">
      <h3>Findings here</h3>
      <ul class="layer-findings">
        {findings.map(({ rule, severity, subject, message, fix }, i) => (
          <li key={i} class={`layer-finding ${severity}`}>
            <p>
              <strong class="severity">{severity}</strong> <code>{visible(rule)}</code>
            </p>
            <p>{visible(message)}</p>
            <p class="quiet">
              at <Name name={subject.tensor ?? subject.node ?? ''} />
            </p>
            {fix === undefined ? null : <LayerFix fix={fix} />}
          </li>
        ))}
      </ul>
    </section>
  );
}

function LayerFix({
  fix: { title, edit, measured },
}: {
  readonly fix: NonNullable<Finding['fix']>;
}): JSX.Element {
  return (
    <div class="layer-fix">
      <p>Fix: {visible(title)}</p>
      <pre>{visible(edit)}</pre>
      {measured === undefined ? null : (
        <p>
          Tried: <Name name={measured.tensor} /> {decibelText(measured.beforeDb)} to{' '}
          {decibelText(measured.afterDb)} cumulative, on {measured.samples}{' '}
          {measured.samples === 1 ? 'sample' : 'samples'}
          {measured.places === undefined ? '' : `, all ${measured.places} places at once`}.
        </p>
      )}
    </div>
  );
}

function decibelText(db: number | undefined): string {
  return db === undefined ? 'exact' : `${db.toFixed(1)} dB`;
}
