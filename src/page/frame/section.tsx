/** A part of the page with a heading that can be linked to. */
import type { ComponentChildren, JSX } from 'preact';

export interface SectionProps {
  /** Anchor: `findings`. */
  readonly id: string;
  readonly title: string;
  /** One sentence below the heading: what is shown, and how to read it. */
  readonly lead?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function Section({ id, title, lead, children }: SectionProps): JSX.Element {
  return (
    <section id={id} class="section" aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{title}</h2>
      {lead === undefined ? null : <p class="lead">{lead}</p>}
      {children}
    </section>
  );
}
