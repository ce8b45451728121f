/**
 * Sums of two products of uint8 activations and int8 weights in 16 bits, as x86 processors without VNNI add them.
 *
 * VPMADDUBSW multiplies 2n unsigned with 2n signed bytes and adds neighbours with signed saturation; ONNX Runtime's kernels for AVX2
 * and AVX-512 then widen and add the pairs in 32 bits. With VNNI (VPDPBUSD) four products are added in 32 bits at once.
 *
 * Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2, PMADDUBSW; onnxruntime/core/mlas/lib/x86_64,
 * QgemmU8X8KernelAvx2.S, QgemmU8X8KernelAvx512Core.S, QgemvU8S8KernelAvx2.S and ConvSymKernelAvx2.S.
 */

const LOWEST = -32768;
const HIGHEST = 32767;
/** The smallest |w0 + w1| of two weights of one sign whose products with 255 leave 16 bits: 255 · 128 = 32640 does not. */
const REACH = 129;
const CODES = 256;

/** Weights as the kernel walks them. */
export interface KernelWeights {
  readonly channels: number;
  /** Products that are added for one output. Neighbours 0 and 1, 2 and 3, ... make a pair; an odd last one stays alone. */
  readonly depth: number;
  /** int8 codes as stored, one row of `depth` for each output channel. */
  readonly codes: Int8Array;
}

/** What the weights alone say: activations take every code from 0 to 255. */
export interface PairBound {
  readonly channels: number;
  /** Of all channels. */
  readonly pairs: number;
  /** Pairs that some activations take out of 16 bits, and channels that have one. */
  readonly saturable: number;
  readonly saturableChannels: number;
  /** The most pairs of that kind that any order of the products could make. */
  readonly anyOrder: number;
}

export function pairBound({ channels, depth, codes }: KernelWeights): PairBound {
  let saturable = 0;
  let saturableChannels = 0;
  let anyOrder = 0;
  const counts = new Uint32Array(CODES);
  for (let channel = 0; channel < channels; channel++) {
    const start = channel * depth;
    const end = start + depth;
    const before = saturable;
    for (let k = start; k + 1 < end; k += 2) {
      // Of weights of two signs the products pull apart: alone neither leaves 16 bits.
      if (Math.abs(codes[k]! + codes[k + 1]!) >= REACH) saturable++;
    }
    if (saturable > before) saturableChannels++;
    counts.fill(0);
    for (let k = start; k < end; k++) counts[codes[k]! + 128]!++;
    anyOrder += mostPairs(counts, 1) + mostPairs(counts, -1);
  }
  return { channels, pairs: channels * Math.floor(depth / 2), saturable, saturableChannels, anyOrder };
}

/** The largest with the smallest that still reaches: no other matching has more pairs. `counts` is used up. */
function mostPairs(counts: Uint32Array, sign: 1 | -1): number {
  const at = (magnitude: number): number => 128 + sign * magnitude;
  let pairs = 0;
  let high = sign === 1 ? 127 : 128;
  let low = 1;
  while (low < high) {
    const most = counts[at(high)]!;
    if (most === 0) high--;
    else if (low + high < REACH || counts[at(low)]! === 0) low++;
    else {
      const made = Math.min(most, counts[at(low)]!);
      pairs += made;
      counts[at(high)]! -= made;
      counts[at(low)]! -= made;
    }
  }
  return 2 * high >= REACH ? pairs + Math.floor(counts[at(high)]! / 2) : pairs;
}

/** One output of a product, added up exactly and as the kernel does it. Used again for every output. */
export class PairSum {
  /** Sum of activation code · weight code. */
  exact = 0;
  /** The same with every pair cut to 16 bits. */
  cut = 0;
  /** Pairs that were cut. */
  saturated = 0;

  /** @param row activation codes, 0 to 255, in the order of the weights */
  of(row: Uint8Array, { codes, depth }: KernelWeights, channel: number): void {
    const start = channel * depth;
    const paired = depth - (depth % 2);
    let exact = 0;
    let excess = 0;
    let saturated = 0;
    for (let k = 0; k < paired; k += 2) {
      const pair = row[k]! * codes[start + k]! + row[k + 1]! * codes[start + k + 1]!;
      exact += pair;
      if (pair > HIGHEST) {
        excess += pair - HIGHEST;
        saturated++;
      } else if (pair < LOWEST) {
        excess += pair - LOWEST;
        saturated++;
      }
    }
    if (paired < depth) exact += row[paired]! * codes[start + paired]!;
    this.exact = exact;
    this.cut = exact - excess;
    this.saturated = saturated;
  }
}
