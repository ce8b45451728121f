/** A name out of a model that leads to its layer. */
import type { ComponentChildren, JSX } from 'preact';
import { layerLink, usePage } from './page-context.js';

/** Longer names are cut in the middle; the whole one is in the title. */
const LONGEST = 60;

export function shortName(name: string, longest = LONGEST): string {
  const shown = name === '' ? '(no name)' : visible(name);
  if (shown.length <= longest) return shown;
  const half = Math.floor((longest - 1) / 2);
  // A character of two halves that lies on the cut goes whole.
  return `${shown.slice(0, half)}…${shown.slice(-half)}`.replaceAll(/[\ud800-\udfff]/gu, '');
}

/**
 * Control characters, those that turn the direction of text, and halves of characters, made visible: a name must not look like
 * another.
 */
export function visible(name: string): string {
  return name.replaceAll(
    /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A line ends behind a joint of the name rather than amid a word. */
function withBreaks(text: string): ComponentChildren {
  const parts = text.split(/(?<=[/.:_-])(?=[^/.:_-])/);
  return parts.length === 1
    ? text
    : parts.flatMap((part, at) => (at === 0 ? [part] : [<wbr key={at} />, part]));
}

/** Text that stays on its own side, whatever direction its letters have. */
export function Name({ name, longest }: { readonly name: string; readonly longest?: number }): JSX.Element {
  return (
    <bdi class="name" title={visible(name).slice(0, 1000)}>
      {withBreaks(shortName(name, longest))}
    </bdi>
  );
}

/** A link where there is such a layer, else the name alone. */
export function LayerName({
  name,
  longest,
}: {
  readonly name: string;
  readonly longest?: number;
}): JSX.Element {
  const { layerNamed, select } = usePage();
  const layer = layerNamed(name);
  const shown = longest === undefined ? <Name name={name} /> : <Name name={name} longest={longest} />;
  if (layer === undefined) return shown;
  return (
    <a
      href={layerLink(layer.tensor)}
      onClick={(event) => {
        event.preventDefault();
        select(layer.tensor);
      }}
    >
      {shown}
    </a>
  );
}
