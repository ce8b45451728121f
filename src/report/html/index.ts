/** The HTML report: one file with its program, its style and its data, which asks for nothing else and opens from anywhere. */
import { createHash } from 'node:crypto';
import { constants, deflateRawSync } from 'node:zlib';
import type { AnyReport } from '../any-report.js';
import { printable } from '../format.js';
import { renderForTerminal } from '../any-terminal.js';
import { drawnGraph } from './drawn-graph.js';
import { placedGraph } from './graph-layout.js';
import type { PageDocument } from './page-document.js';
import { pageReport } from './page-report.js';
import { ruleTexts } from './rule-texts.js';

/** The page's program, as scripts/bundle-page.js makes it. */
export interface Program {
  readonly script: string;
  readonly style: string;
}

/** Characters of the answer for readers whose browser runs no scripts. */
const LONGEST_ANSWER = 60_000;
const ANSWER_WIDTH = 100;

/** In the page until its program has run; the style shows it where that takes too long. */
const UNREAD =
  'The report is not shown yet. If this stays, the file was not copied whole, or this browser is too old to read it.';

export async function renderHtml(report: AnyReport): Promise<string> {
  return renderPage(report, await import('./page-bundle.js'));
}

/** @throws RangeError for a program that HTML would end early */
export async function renderPage(report: AnyReport, program: Program): Promise<string> {
  const script = embedded(program.script, 'script');
  const style = embedded(program.style, 'style');
  const hash = createHash('sha256').update(script).digest('base64');
  const policy = [
    "default-src 'none'",
    `script-src 'sha256-${hash}'`,
    "style-src 'unsafe-inline'",
    'img-src data: blob:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const data = packed(await documentOf(report));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${escaped(titleOf(report))}</title>
<style>${style}</style>
<noscript><style>#app{display:none}</style></noscript>
</head>
<body>
<noscript><pre>${escaped(await answerOf(report))}</pre></noscript>
<div id="app"><p class="unread">${UNREAD}</p></div>
<script type="application/octet-stream;base64" id="document">${data}</script>
<script>${script}</script>
</body>
</html>
`;
}

async function documentOf(report: AnyReport): Promise<PageDocument> {
  const content = pageReport(report);
  // Of the page's own report: names that were cut are the same in both.
  const graph = drawnGraph(content.report);
  const layout = graph === undefined ? undefined : await placedGraph(graph);
  const rules = ruleTexts(content.report);
  return {
    report: content.report,
    ...(Object.keys(rules).length === 0 ? {} : { rules }),
    ...(layout === undefined ? {} : { layout }),
    ...(content.leftOut.length === 0 ? {} : { leftOut: content.leftOut }),
  };
}

function packed(document: PageDocument): string {
  const text = Buffer.from(JSON.stringify(document));
  return deflateRawSync(text, { level: constants.Z_BEST_COMPRESSION }).toString('base64');
}

/** Text of an element that has no escapes. The hash is of what a browser reads, to which every line ending is one character. */
function embedded(text: string, element: 'script' | 'style'): string {
  const read = text.replace(/\r\n?/g, '\n');
  if (/<\/(script|style)|<!--/i.test(read))
    throw new RangeError(`the ${element} of the page would end early`);
  return read;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function titleOf({ models, command }: AnyReport): string {
  const names = models.map(({ path }) => printable(path.split(/[/\\]/).at(-1) ?? path).slice(0, 80));
  return [names.join(' - '), `qdbg ${command}`].filter((part) => part !== '').join(' - ');
}

/** What the terminal says in short: verdict and findings. */
async function answerOf(report: AnyReport): Promise<string> {
  const text = await renderForTerminal(report, {
    width: ANSWER_WIDTH,
    color: false,
    top: undefined,
    quiet: true,
  });
  return text.length <= LONGEST_ANSWER ? text : `${text.slice(0, LONGEST_ANSWER)}…\n`;
}
