import { it } from 'vitest';
import { readdirSync, writeFileSync } from 'node:fs';
import { analyze } from '../src/commands/analyze.js';
import { inspect } from '../src/commands/inspect.js';
import { renderInspect } from '../src/report/inspect-terminal.js';
import { renderTerminal } from '../src/report/terminal.js';
import { renderJson } from '../src/report/json.js';
import { QdbgError } from '../src/errors.js';
import { NO_SELECTION } from '../src/quant/select.js';
it('x', async () => {
  const out: string[] = [];
  for (const f of readdirSync('/tmp/lanetests/bad')) {
    const model = '/tmp/lanetests/bad/' + f;
    for (const what of ['inspect', 'analyze']) {
    try {
      if (what === 'inspect') { const r = await inspect({ models: [model], shapes: new Map(), timestamp: false, complete: true }); renderInspect(r, { width: 100, color: false, top: undefined, quiet: false } as never); renderJson(r); out.push(f + ' inspect ok ' + (r.models[0]!.quantization?.findings ?? []).map((x) => x.severity + ' ' + x.rule + ' ' + x.subject.tensor + ': ' + x.message.slice(0, 60)).join(' | ')); continue; }
      const r = await analyze({ model, calib: ['fixtures/digits/calib'], eval: [], data: { preprocessing: { preset: 'unit' }, shapes: new Map(), skipUnreadable: false, samples: 4 }, selection: NO_SELECTION, channels: [], threads: 1, timestamp: false }, () => undefined);
      renderTerminal(r, { width: 100, color: false, top: undefined, quiet: false });
      renderJson(r);
      out.push(f + ' ok ' + r.verdict.summary + ' CAUSE ' + r.verdict.cause + ' ' + r.verdict.where);
    } catch (e) {
      out.push(f + ' ' + what + ' ' + (e instanceof QdbgError ? 'refused: ' + e.message : 'CRASH ' + (e as Error).stack!.split('\n').slice(0, 6).join('\n')));
    } }
  }
  writeFileSync('/tmp/lanetests/bad.txt', out.join('\n'));
}, 600000);
