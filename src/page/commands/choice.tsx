/** Buttons of which one is pressed: what a chart shows. */
import type { JSX } from 'preact';

export interface ChoiceProps<T extends string> {
  /** What is chosen, for those who do not see the buttons side by side. */
  readonly name: string;
  readonly options: readonly { readonly value: T; readonly label: string }[];
  readonly chosen: T;
  readonly onChoose: (value: T) => void;
}

/** Nothing where there is nothing to choose from. */
export function Choice<T extends string>({
  name,
  options,
  chosen,
  onChoose,
}: ChoiceProps<T>): JSX.Element | null {
  if (options.length < 2) return null;
  return (
    <span class="choices" role="group" aria-label={name}>
      {options.map(({ value, label }) => (
        <button
          type="button"
          class="tool"
          key={value}
          aria-pressed={value === chosen}
          onClick={() => onChoose(value)}
        >
          {label}
        </button>
      ))}
    </span>
  );
}
