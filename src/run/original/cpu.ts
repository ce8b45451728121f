/** Which integer instructions this processor has: without some of them, 8-bit products are added up in 16 bits and saturate. */
import { readFile } from 'node:fs/promises';
import { arch, cpus } from 'node:os';

/** Flags of /proc/cpuinfo with the names that documents use, from the widest on. */
const VECTORS: readonly (readonly [flag: string, name: string])[] = [
  ['amx_int8', 'AMX-INT8'],
  ['avx512_vnni', 'AVX512-VNNI'],
  ['avx_vnni', 'AVX-VNNI'],
  ['avx512bw', 'AVX512'],
  ['avx2', 'AVX2'],
  ['i8mm', 'I8MM'],
  ['asimddp', 'dot product'],
  ['asimd', 'NEON'],
];
const EXACT = ['amx_int8', 'avx512_vnni', 'avx_vnni'];

export interface Processor {
  /** "x64 with AVX512, AVX2, without VNNI: products of uint8 with int8 are added in 16 bits and may saturate". */
  readonly text: string;
  /** Kernels of uint8 by int8 add pairs of products in 16 bits; undefined when the processor does not say what it has. */
  readonly saturates: boolean | undefined;
}

export async function processor(): Promise<Processor> {
  const info = await readFile('/proc/cpuinfo', 'latin1').catch(() => '');
  return describeProcessor(arch(), info, cpus()[0]?.model ?? '');
}

/**
 * @param architecture as Node.js calls it
 * @param info text of /proc/cpuinfo, '' where there is none
 * @param model shown where nothing else is known
 */
export function describeProcessor(architecture: string, info: string, model: string): Processor {
  const line = /^(?:flags|Features)\s*:(.*)$/m.exec(info)?.[1];
  if (line === undefined) {
    const known = model.trim() === '' ? architecture : `${architecture}, ${model.trim()}`;
    return { text: `${known}: its instructions are not known`, saturates: undefined };
  }
  const flags = new Set(line.trim().split(/\s+/));
  const names = VECTORS.filter(([flag]) => flags.has(flag)).map(([, name]) => name);
  const has = names.length === 0 ? architecture : `${architecture} with ${names.join(', ')}`;
  // Arm multiplies into 32 bits, or into 16 that hold the one product.
  if (architecture !== 'x64' || EXACT.some((flag) => flags.has(flag))) return { text: has, saturates: false };
  const what = 'without VNNI: products of uint8 with int8 are added in 16 bits and may saturate';
  return { text: `${has}, ${what}`, saturates: true };
}
