/** Which layer a finding is about. */
import type { Finding, Severity } from '../../doctor/finding.js';
import type { Layer } from './layer.js';

/**
 * Findings by the activation of their layer, in the order given; those of the network as a whole are in none. A finding of a
 * constant belongs to the operator that reads it.
 */
export function findingsByLayer(
  layers: readonly Layer[],
  findings: readonly Finding[],
  layerNamed: (name: string) => Layer | undefined,
): ReadonlyMap<string, readonly Finding[]> {
  const ofConstant = new Map<string, Layer>();
  for (const layer of layers) {
    for (const { tensor } of [...layer.constants, ...layer.weights]) {
      if (!ofConstant.has(tensor)) ofConstant.set(tensor, layer);
    }
  }
  const found = new Map<string, Finding[]>();
  for (const finding of findings) {
    const { tensor, node } = finding.subject;
    const named = [tensor, node].filter((name) => name !== undefined);
    const layer = named.reduce<Layer | undefined>(
      (known, name) => known ?? layerNamed(name) ?? ofConstant.get(name),
      undefined,
    );
    if (layer === undefined) continue;
    const group = found.get(layer.tensor);
    if (group === undefined) found.set(layer.tensor, [finding]);
    else group.push(finding);
  }
  return found;
}

const ORDER: readonly Severity[] = ['error', 'warning', 'note'];

/** Undefined where there are none. */
export function worstSeverity(findings: readonly Finding[]): Severity | undefined {
  return ORDER.find((severity) => findings.some((finding) => finding.severity === severity));
}
