import { LoadError } from '../../errors.js';
import { attributeDefaults, withFields } from '../../onnx/proto.js';
import type { AttributeProto, FunctionProto, NodeProto } from '../../onnx/proto.js';
import { isStackOverflow } from './envelope.js';
import { freeNames, nestedGraphs } from './rewrite.js';
import { domainLabel, domainOf } from './versions.js';

/** What a call names its function by. */
export function functionKey(
  domain: string | null | undefined,
  name: string | null | undefined,
  overload: string,
): string {
  return JSON.stringify([domainOf(domain), name ?? '', overload]);
}

export function functionLabel({ domain, name }: FunctionProto): string {
  return `function ${domainLabel(domainOf(domain))}.${name ?? ''}`;
}

/** Values that the nodes of a function write. */
export function definedNames(definition: FunctionProto): Set<string> {
  const names = new Set<string>();
  for (const { output } of definition.node ?? []) for (const name of output ?? []) names.add(name);
  names.delete('');
  return names;
}

/** A function sees its own values only; a name it does not define must not reach the caller's value of that name. */
export function undefinedReads(definition: FunctionProto): Set<string> {
  const defined = definedNames(definition);
  for (const name of definition.input ?? []) defined.add(name);
  const unknown = new Set<string>();
  for (const node of definition.node ?? []) {
    const nested = nestedGraphs(node).flatMap((graph) => [...freeNames(graph)]);
    for (const name of [...(node.input ?? []), ...nested]) {
      if (name !== '' && !defined.has(name)) unknown.add(name);
    }
  }
  return unknown;
}

/**
 * Defaults of the attributes of a function.
 *
 * @throws LoadError when they are malformed: they are newer than the schema, so decoding the model did not look into them.
 */
export function defaultsOf(definition: FunctionProto): AttributeProto[] {
  try {
    return attributeDefaults(definition);
  } catch (cause) {
    if (isStackOverflow(cause)) throw cause;
    throw new LoadError(`${functionLabel(definition)} has damaged attribute defaults`, { cause });
  }
}

/** Attributes that a call gives its function, completed by the function's defaults. */
export function attributeValues(
  defaults: readonly AttributeProto[],
  call: NodeProto,
): Map<string, AttributeProto> {
  const values = new Map<string, AttributeProto>();
  for (const attribute of [...defaults, ...(call.attribute ?? [])])
    values.set(attribute.name ?? '', attribute);
  return values;
}

/** An attribute that refers to one of the function takes its value; without one it is as if it were not written. */
export function resolveReference(
  attribute: AttributeProto,
  values: ReadonlyMap<string, AttributeProto>,
): AttributeProto | undefined {
  if (!attribute.refAttrName) return attribute;
  const value = values.get(attribute.refAttrName);
  return value === undefined ? undefined : withFields(value, { name: attribute.name ?? '' });
}
