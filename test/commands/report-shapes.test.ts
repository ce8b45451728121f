import { format, resolveConfig } from 'prettier';
import { expect, it } from 'vitest';
import { documentShapes } from '../support/document-shapes.js';

const ROOT = new URL('../..', import.meta.url).pathname.replace(/\/$/, '');

it('checks stored documents against the types that the reports have now', async () => {
  const file = `${ROOT}/src/commands/report-shapes.ts`;
  const text = await format(documentShapes(ROOT), { ...(await resolveConfig(file)), filepath: file });
  await expect(text).toMatchFileSnapshot(file);
});
