/** Finds operators by their names and types, and goes from one to the next. */
import type { JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { count } from '../frame/numbers.js';
import { sitesFound, type Network, type Site } from './network.js';

export function FindField({
  network,
  onFound,
  onGo,
}: {
  readonly network: Network;
  readonly onFound: (sites: readonly Site[]) => void;
  readonly onGo: (site: Site) => void;
}): JSX.Element {
  const [wanted, setWanted] = useState('');
  const [turn, setTurn] = useState<number>();
  const found = useMemo(() => sitesFound(network, wanted), [network, wanted]);
  const go = (step: number): void => {
    if (found.length === 0) return;
    const next = turn === undefined ? 0 : (turn + step + found.length) % found.length;
    setTurn(next);
    const site = found[next];
    if (site !== undefined) onGo(site);
  };
  const place = turn === undefined ? count(found.length) : `${count(turn + 1)} of ${count(found.length)}`;
  return (
    <span class="filter">
      <label>
        <span class="visually-hidden">Find an operator by name</span>
        <input
          type="search"
          placeholder="Find; Enter for the next"
          value={wanted}
          onInput={({ currentTarget: { value } }) => {
            setWanted(value);
            setTurn(undefined);
            onFound(sitesFound(network, value));
          }}
          onKeyDown={(event) => {
            if (event.key !== 'Enter') return;
            event.preventDefault();
            go(event.shiftKey ? -1 : 1);
          }}
        />
      </label>{' '}
      <span class="tally" role="status">
        {wanted.trim() === '' ? '' : place}
      </span>
    </span>
  );
}
