/** Changes between light and dark. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { chooseTheme, currentTheme, followSystem } from './theme.js';

export function ThemeButton(): JSX.Element {
  const [theme, setTheme] = useState(currentTheme);
  useEffect(() => followSystem(() => setTheme(currentTheme())), []);
  const other = theme === 'dark' ? 'light' : 'dark';
  return (
    <button
      type="button"
      class="tool theme"
      onClick={() => {
        chooseTheme(other);
        setTheme(other);
      }}
    >
      {other === 'dark' ? 'Dark' : 'Light'}
    </button>
  );
}
