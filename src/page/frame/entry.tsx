/** A term and what is said of it, in a <dl>. */
import type { ComponentChildren, JSX } from 'preact';

export function Entry({
  name,
  children,
}: {
  readonly name: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
