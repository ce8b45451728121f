import { LoadError, UnsupportedError } from '../../errors.js';
import { toNumber } from '../../onnx/proto.js';
import type { ModelProto, OperatorSetIdProto } from '../../onnx/proto.js';

const IR_VERSIONS = [3, 13] as const;
/** Versions of ai.onnx whose operators the rest of the program knows. */
const OPSETS = [7, 26] as const;

/** Operator domain as the IR writes it: '' for ai.onnx, which files write either way. */
export function domainOf(domain: string | null | undefined): string {
  return domain === 'ai.onnx' ? '' : (domain ?? '');
}

export function domainLabel(domain: string): string {
  return domain === '' ? 'ai.onnx' : domain;
}

/**
 * Imported operator sets by domain.
 *
 * @throws LoadError when one domain is imported in two versions.
 */
export function opsetsOf(imports: readonly OperatorSetIdProto[], where: string): Map<string, number> {
  const opsets = new Map<string, number>();
  for (const { domain, version } of imports) {
    const key = domainOf(domain);
    const imported = toNumber(version ?? 0);
    const known = opsets.get(key);
    if (known !== undefined && known !== imported) {
      throw new LoadError(`${where} imports ${domainLabel(key)} as opset ${known} and as opset ${imported}`);
    }
    opsets.set(key, imported);
  }
  return opsets;
}

/**
 * IR version and operator sets of a model.
 *
 * @throws LoadError when the file does not say them; UnsupportedError for an IR version that is not read.
 */
export function modelVersions(model: ModelProto): { irVersion: number; opsets: Map<string, number> } {
  const irVersion = toNumber(model.irVersion ?? 0);
  if (irVersion === 0) throw new LoadError('the model has no ir_version');
  const imports = model.opsetImport ?? [];
  if (imports.length === 0) {
    const legacy = irVersion < IR_VERSIONS[0] ? ` (IR version ${irVersion} is older than operator sets)` : '';
    throw new LoadError(`the model has no opset_import${legacy}: what its operators mean is not known`);
  }
  if (irVersion < IR_VERSIONS[0] || irVersion > IR_VERSIONS[1]) {
    throw new UnsupportedError(
      `the model has IR version ${irVersion}; ${IR_VERSIONS.join(' to ')} are supported`,
    );
  }
  return { irVersion, opsets: opsetsOf(imports, 'the model') };
}

/** @throws UnsupportedError when the opset of ai.onnx is outside the range read. */
export function checkOpset(opsets: ReadonlyMap<string, number>): void {
  const opset = opsets.get('');
  if (opset === undefined || (opset >= OPSETS[0] && opset <= OPSETS[1])) return;
  throw new UnsupportedError(`the model uses ai.onnx opset ${opset}; ${OPSETS.join(' to ')} are supported`, {
    hint: `onnx.version_converter.convert_version(model, ${opset < OPSETS[0] ? 13 : OPSETS[1]})`,
  });
}
