/** Reports written by hand, for what a baseline keeps of them. */
import type { BaselineSource } from '../../src/report/baseline.js';
import { errorOf, NO_ERROR } from '../support/evidence.js';

type Db = number | 'exact' | 'lost' | undefined;
type Row = BaselineSource['tensors'][number];

/** `lost`: measured, but without an SQNR. */
export function layer(
  order: number,
  tensor: string,
  cumulative: Db,
  local?: Db,
  rest: Partial<Row> = {},
): Row {
  const error = (db: number | 'exact' | 'lost') =>
    db === 'lost' ? { ...NO_ERROR, nonFinite: 3 } : errorOf(db);
  return {
    tensor,
    node: `${tensor}/node`,
    op: 'Conv',
    order,
    shape: [1, 8, 8, order],
    ...(cumulative === undefined ? {} : { cumulative: error(cumulative) }),
    ...(local === undefined ? {} : { local: error(local) }),
    ...rest,
  };
}

const dataset = (sha256: string, samples: number): NonNullable<BaselineSource['data']['calib']> => ({
  path: '/somewhere/on/this/machine',
  kind: 'images',
  samples,
  sha256,
  preprocessing: { resize: 'stretch', mean: [0] },
  assumed: [],
  excluded: [],
});

export const LAYERS = [
  layer(1, 'conv1', 40, 42),
  layer(2, 'conv2', 31.236, 30.004),
  layer(3, 'fc', 25, 'exact'),
];

export function run(rest: Partial<BaselineSource> = {}): BaselineSource {
  return {
    tool: { name: 'qdbg', version: '1.2.3', runtime: '1.30.0' },
    command: 'analyze',
    models: [
      { role: 'model', path: 'm.onnx', sha256: 'aa', format: 'onnx', ops: 3, parameters: 9, bytes: 99 },
    ],
    data: { calib: dataset('cc', 10), eval: dataset('ee', 200) },
    scheme: { name: 'ort', bias: 'int32' },
    coverage: { ops: { quantized: 9, total: 10 }, macs: { quantized: 990, total: 1000 }, islands: [] },
    tensors: LAYERS,
    findings: [
      {
        rule: 'w.axis',
        severity: 'error',
        subject: { node: 'conv2/node', tensor: 'conv2' },
        message: 'm',
        args: {},
      },
      { rule: 'act.clip', severity: 'warning', subject: { tensor: 'conv1' }, message: 'm', args: {} },
    ],
    ...rest,
  };
}

export { dataset };
