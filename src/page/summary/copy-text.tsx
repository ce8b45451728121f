/** A command or flag to be typed, with a button that copies it. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { visible } from '../frame/layer-name.js';
import { count } from '../frame/numbers.js';

/** A list of a hundred flags is for the clipboard, not for the eye. */
const LONGEST = 240;

/** Flags and commands, of which nothing but the first word can be told: advice in words is nothing that a shell takes. */
function isTyped(text: string): boolean {
  return /^(--|qdbg )/.test(text) && !/, or /.test(text);
}

export function CopyText({ text }: { readonly text: string }): JSX.Element {
  const [state, setState] = useState<'' | 'copied' | 'select it by hand'>('');
  const copy = (): void => {
    // A page opened from a file may not be allowed to.
    const writing = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error('no clipboard'));
    writing.then(
      () => setState('copied'),
      () => setState('select it by hand'),
    );
  };
  return (
    <span class="copy">
      <code>
        {visible(text.slice(0, LONGEST))}
        {text.length > LONGEST ? '…' : ''}
      </code>
      {text.length > LONGEST ? <span class="quiet">{count(text.length)} characters</span> : null}
      {isTyped(text) ? (
        <button type="button" class="tool" onClick={copy} aria-label={`Copy ${visible(text).slice(0, 80)}`}>
          Copy
        </button>
      ) : null}
      <span role="status" class="quiet">
        {state}
      </span>
    </span>
  );
}
