/** Layers by name, of many the first few. */
import type { JSX } from 'preact';
import { LayerName } from '../frame/layer-name.js';
import { count } from '../frame/numbers.js';
import { Opened } from './opened.js';

export interface NameListProps {
  readonly names: readonly string[];
  /** Shown without a click. */
  readonly first?: number;
  /** Characters of each. */
  readonly longest?: number;
}

/** Beyond these a table is the better place. */
const MOST = 400;

export function NameList({ names, first = 12, longest = 60 }: NameListProps): JSX.Element {
  const left = names.length - first;
  return (
    <>
      <Names names={names.slice(0, first)} longest={longest} />
      {left <= 0 ? null : (
        <Opened summary={`${count(left)} more`}>
          {() => (
            <>
              <Names names={names.slice(first, MOST)} longest={longest} />
              {names.length > MOST ? <p class="quiet">and {count(names.length - MOST)} more</p> : null}
            </>
          )}
        </Opened>
      )}
    </>
  );
}

function Names({ names, longest }: Required<Pick<NameListProps, 'names' | 'longest'>>): JSX.Element {
  return (
    <ul class="names">
      {names.map((name, at) => (
        <li key={at}>
          <LayerName name={name} longest={longest} />
        </li>
      ))}
    </ul>
  );
}
