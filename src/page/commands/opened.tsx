/** More, which is made when it is asked for: a thousand lists that nobody opens would make a page slow. */
import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';

export interface OpenedProps {
  readonly summary: ComponentChildren;
  readonly children: () => ComponentChildren;
}

export function Opened({ summary, children }: OpenedProps): JSX.Element {
  const [wasOpen, setWasOpen] = useState(false);
  return (
    <details
      class="set"
      onToggle={({ currentTarget }) => {
        if (currentTarget.open) setWasOpen(true);
      }}
    >
      <summary>{summary}</summary>
      {wasOpen ? children() : null}
    </details>
  );
}
