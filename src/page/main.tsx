/** Program of an HTML report: reads the document that the page carries and shows it. */
import { render } from 'preact';
import { App } from './app.js';
import { carriedDocument } from './carried-document.js';
import { restoreTheme } from './frame/theme.js';

async function start(): Promise<void> {
  restoreTheme();
  const root = document.getElementById('app');
  if (root === null) return;
  try {
    const carried = await carriedDocument();
    root.replaceChildren();
    render(<App document={carried} />, root);
    document.documentElement.dataset['ready'] = 'true';
  } catch (error) {
    root.replaceChildren();
    const message = error instanceof Error ? error.message : String(error);
    render(<p role="alert">This report cannot be shown: {message}</p>, root);
  }
}

void start();
