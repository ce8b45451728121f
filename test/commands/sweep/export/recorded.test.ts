/**
 * What the exporters write for the fixtures, file by file. Those files were given to the real tools by fixtures/sweep/recipes, and
 * what the tools made of them is in fixtures/sweep/results: whoever changes an exporter has to run the recipes again.
 */
import { describe, expect, it } from 'vitest';
import { EXPORTERS, type ToolName } from '../../../../src/commands/sweep/export/index.js';
import { CASES, decisionOf } from '../../../support/decisions.js';
import { projectPath } from '../../../support/tflite-network.js';

const TOOLS: Readonly<Record<string, readonly ToolName[]>> = {
  digits: ['ort', 'aimet', 'qnn'],
  digits_rescaled: ['ort', 'aimet', 'qnn'],
  mobile: ['ort', 'aimet', 'qnn'],
  mobile_plain: ['ort', 'aimet', 'qnn'],
  digits_tflite: ['tflite', 'ai-edge', 'qnn'],
  digits_tflite_ends: ['tflite', 'ai-edge', 'qnn'],
};

describe.each(Object.keys(CASES))('%s', (name) => {
  it.each(TOOLS[name]!)('gives %s the file that the tool was checked with', async (tool) => {
    const { content } = EXPORTERS[tool].make(await decisionOf(name));
    await expect(content).toMatchFileSnapshot(projectPath(`fixtures/sweep/exports/${name}.${tool}.json`));
  });
});
