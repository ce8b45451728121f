import { describe, expect, it } from 'vitest';
import { LoadError, UnsupportedError } from '../../src/errors.js';
import type { ModelProto } from '../../src/onnx/proto.js';
import { loadProto, modelOf, refusal, temporaryFolder } from './model-files.js';

const folder = temporaryFolder();

describe('versions', () => {
  it.each<[string, ModelProto, typeof LoadError | typeof UnsupportedError, RegExp]>([
    [
      'opset 6',
      { opsetImport: [{ domain: '', version: 6 }] },
      UnsupportedError,
      /opset 6; 7 to 26 are supported/,
    ],
    [
      'opset 27',
      { opsetImport: [{ domain: '', version: 27 }] },
      UnsupportedError,
      /opset 27; 7 to 26 are supported/,
    ],
    ['IR version 14', { irVersion: 14 }, UnsupportedError, /IR version 14; 3 to 13 are supported/],
    ['no IR version', { irVersion: 0 }, LoadError, /no ir_version/],
    ['no opset_import', { opsetImport: [] }, LoadError, /no opset_import/],
    [
      'no opset_import in a legacy file',
      { irVersion: 2, opsetImport: [] },
      LoadError,
      /IR version 2 is older than operator sets/,
    ],
    [
      'two versions of one opset',
      {
        opsetImport: [
          { domain: '', version: 13 },
          { domain: 'ai.onnx', version: 17 },
        ],
      },
      LoadError,
      /opset 13 and as opset 17/,
    ],
    [
      'no version of ai.onnx',
      { opsetImport: [{ domain: 'mine', version: 1 }] },
      LoadError,
      /does not say of which version/,
    ],
  ])('%s is refused', async (_what, model, kind, message) => {
    const error = await refusal(loadProto(folder, modelOf({}, model)));
    expect(error).toBeInstanceOf(kind);
    expect(error.message).toMatch(message);
  });

  it.each([7, 26])('opset %i is read', async (version) => {
    const graph = await loadProto(folder, modelOf({}, { opsetImport: [{ domain: '', version }] }));
    expect(graph.opsets.get('')).toBe(version);
  });
});
