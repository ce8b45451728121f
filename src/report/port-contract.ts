/** What goes into and comes out of a quantized network: the formulas that turn values into codes and back, with its own numbers. */
import type { Graph, TensorId } from '../ir/graph.js';
import type { Lane } from '../ir/lane.js';
import { realRange } from '../quant/input-fingerprint.js';
import { inputPort, outputPort, type Port } from '../quant/ports.js';
import { exact } from './port-numbers.js';
import { inputPreprocessing, type InputPreprocessing } from './port-preprocessing.js';
import { outputMeaning } from './port-meaning.js';

export interface PortContract {
  /**
   * codes: the port takes or gives integers. inside: it takes or gives floats, which a quantizer right behind or in front of it rounds.
   * float: no quantizer beside it.
   */
  readonly form: 'codes' | 'inside' | 'float';
  /** Type of the codes. Absent, as all that follows, of floats. */
  readonly codes?: string;
  /** `code = clamp(round(value / 0.0078125) + 128, 0, 255)` */
  readonly quantize?: string;
  /** `value = (code - 128) * 0.0078125` */
  readonly dequantize?: string;
  /** The same in Python, of arrays: `x` holds values, `q` codes. */
  readonly numpy?: { readonly quantize: string; readonly dequantize: string };
  /** What the first and the last code stand for, and the step between codes. */
  readonly min?: number;
  readonly max?: number;
  readonly step?: number;
  /** Of inputs: what its numbers and the first nodes say of the preparation of images. */
  readonly preprocessing?: InputPreprocessing;
  /** Of outputs: what the values are, as far as the operator that writes them tells. */
  readonly meaning?: string;
  readonly remarks: readonly string[];
}

export function inputContract(graph: Graph, lane: Lane | undefined, id: TensorId): PortContract | undefined {
  const params = lane === undefined ? undefined : inputPort(graph, lane, id);
  const preprocessing = inputPreprocessing(graph, lane, id, params?.params);
  if (params === undefined && preprocessing === undefined && lane === undefined) return undefined;
  return {
    ...formulas(params),
    ...(preprocessing === undefined ? {} : { preprocessing }),
    remarks: remarksOf(params),
  };
}

export function outputContract(graph: Graph, lane: Lane | undefined, id: TensorId): PortContract | undefined {
  if (lane === undefined) return undefined;
  const params = outputPort(graph, lane, id);
  const meaning = outputMeaning(graph, id, params?.params);
  return { ...formulas(params), ...(meaning === undefined ? {} : { meaning }), remarks: remarksOf(params) };
}

type Formulas = Omit<PortContract, 'remarks' | 'preprocessing' | 'meaning'>;

function formulas(port: Port | undefined): Formulas {
  if (port === undefined) return { form: 'float' };
  const { form, params } = port;
  const { dtype, qmin, qmax } = params;
  const [step = NaN] = params.scale;
  const [point = 0] = params.zeroPoint;
  if (params.scale.length !== 1 || !(step > 0 && Number.isFinite(step))) return { form, codes: dtype };
  const scale = exact(step);
  const plus = point === 0 ? '' : ` ${point < 0 ? '-' : '+'} ${Math.abs(point)}`;
  const minus = point === 0 ? '' : ` ${point < 0 ? '+' : '-'} ${Math.abs(point)}`;
  const shifted = point === 0 ? 'code' : `(code${minus})`;
  const floats = point === 0 ? 'q.astype(np.float32)' : `(q.astype(np.float32)${minus})`;
  const [over, by] = step === 1 ? ['', ''] : [` / ${scale}`, ` / np.float32(${scale})`];
  const storage = dtype === 'int4' ? 'int8' : dtype === 'uint4' ? 'uint8' : dtype;
  const { min, max } = realRange(params);
  return {
    form,
    codes: dtype,
    quantize: `code = clamp(round(value${over})${plus}, ${qmin}, ${qmax})`,
    dequantize: `value = ${shifted} * ${scale}`,
    numpy: {
      quantize: `q = np.clip(np.round(x${by})${plus}, ${qmin}, ${qmax}).astype(np.${storage})`,
      dequantize: `x = ${floats} * np.float32(${scale})`,
    },
    min,
    max,
    step,
  };
}

function remarksOf(port: Port | undefined): string[] {
  if (port === undefined) return [];
  const { granularity, scale, read } = port.params;
  const remarks: string[] = [];
  if (granularity.kind !== 'per-tensor') {
    remarks.push(`${scale.length} scales, one for each index of a dimension: the document has them`);
  } else if (!((scale[0] ?? NaN) > 0 && Number.isFinite(scale[0]))) {
    remarks.push(`its scale is ${scale[0] ?? 'missing'}: there is no formula`);
  }
  if (read !== undefined) {
    const readScale = exact(read.scale[0] ?? 0);
    remarks.push(`read back with scale ${readScale}, zero point ${read.zeroPoint[0] ?? 0}`);
  }
  return remarks;
}
