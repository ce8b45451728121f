/** TFLite files that are broken, or called what they are not, and uses of them that make no sense. */
import { readFileSync } from 'node:fs';
import { modelBytes } from '../../loader/tflite/flat-model.js';
import { projectPath } from '../../support/tflite-network.js';
import type { Workspace } from '../../support/workspace.js';
import { convolution } from './proto-models.js';
import { fine, refused, type Row } from './row.js';

export function tfliteRows(files: Workspace): Row[] {
  const fixture = (name: string): Buffer => readFileSync(projectPath(`fixtures/tflite/${name}.tflite`));
  const float = fixture('digits_float');
  const contents: Readonly<Record<string, Uint8Array>> = {
    'float.tflite': float,
    'int8.tflite': fixture('digits_int8'),
    'float.onnx': float,
    'digits.tflite': readFileSync(projectPath('fixtures/digits/digits.onnx')),
    'conv.tflite': convolution(),
    'zip.tflite': Buffer.from('PK\u0003\u0004\u0014\0\0\0', 'latin1'),
    'start.tflite': float.subarray(0, 12),
    'half.tflite': float.subarray(0, float.length >> 1),
    'cut.tflite': float.subarray(0, float.length - 1),
    'noname.tflite': Buffer.concat([float.subarray(0, 4), Buffer.from('\0\0\0\0'), float.subarray(8)]),
    'hollow.tflite': modelBytes({}),
    'bare.tflite': modelBytes({ tensors: [] }),
    'version.tflite': modelBytes({ version: 4, tensors: [{}] }),
    'custom.tflite': modelBytes({
      codes: [
        { builtin: 32, deprecated: 32, custom: 'First' },
        { builtin: 32, deprecated: 32, custom: 'Second' },
      ],
      tensors: [{ name: 'x' }, { name: 'a' }, { name: 'b' }],
      inputs: [0],
      outputs: [1, 2],
      operators: [
        { code: 0, inputs: [0], outputs: [1] },
        { code: 1, inputs: [0], outputs: [2] },
      ],
    }),
  };
  for (const [name, content] of Object.entries(contents)) files.file(name, content);
  return [
    fine('a TFLite model', 'float.tflite random'),
    fine('an integer TFLite model', 'int8.tflite random'),
    fine('a TFLite model called .onnx', 'float.onnx random'),
    fine('an ONNX model called .tflite', 'digits.tflite random'),
    refused(
      'a zip archive called .tflite',
      'zip.tflite random',
      'zip.tflite is not a model',
      'a zip archive',
    ),
    refused('the first bytes of a TFLite model', 'start.tflite random', 'start.tflite: '),
    refused('half a TFLite model', 'half.tflite random', 'half.tflite: '),
    refused('a TFLite model without its last byte', 'cut.tflite random', 'cut.tflite: '),
    refused('a TFLite model without its identifier', 'noname.tflite random', 'TFL3'),
    refused('a TFLite file without a subgraph', 'hollow.tflite random', 'the model has no subgraph'),
    refused('a TFLite file without tensors', 'bare.tflite random', 'the model has no tensors'),
    refused('a TFLite file of another schema', 'version.tflite random', 'schema version 4; 3 is read'),
    refused(
      'operators of which nothing is known, all of them',
      'custom.tflite random',
      'First',
      'Second',
      'is a custom operator',
    ),
    refused(
      'a scheme for a TFLite file that is quantized',
      'int8.tflite random --scheme tflite',
      'int8.tflite is quantized already',
      'no scheme can be chosen',
      'hint: ',
    ),
    refused('--only for it', 'int8.tflite random --only stem/*', 'is quantized already'),
    refused('--activations for it', 'int8.tflite random --activations int16', 'is quantized already'),
    refused(
      'extents that a TFLite file does not have',
      'float.tflite random --shape image=1x16x16x1',
      'input "image" is given shape [1, 16, 16, 1]; the file fixes [1, 8, 8, 1]',
      'hint: ',
    ),
    refused(
      'extents of an input that is not there',
      'float.tflite random --shape picture=1x8x8x1',
      'the model has no input "picture"; it has image',
    ),
    refused('an ONNX weight in a .tflite', 'conv.tflite nothing.npy', 'nothing.npy'),
  ];
}
