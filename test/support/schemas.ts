/** Documents that other tools read, held against their schemas. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { validateXML } from 'xmllint-wasm';

function fixture(name: string): string {
  return readFileSync(fileURLToPath(new URL(`../../fixtures/report/${name}`, import.meta.url)), 'utf8');
}

/** What is wrong with a document of JUnit. */
export async function junitFaults(xml: string): Promise<readonly string[]> {
  const schema = fixture('junit-10.xsd');
  const { errors } = await validateXML({ xml: { fileName: 'report.xml', contents: xml }, schema });
  return errors.map(({ message }) => message);
}

let sarif: ValidateFunction | undefined;

/** What is wrong with a SARIF log. */
export function sarifFaults(text: string): readonly string[] {
  sarif ??= sarifValidator();
  sarif(JSON.parse(text));
  return (sarif.errors ?? []).map(({ instancePath, message = '' }) => `${instancePath} ${message}`);
}

function sarifValidator(): ValidateFunction {
  // The schema is of draft 4, whose only differences that it uses are `id` and the name of the draft.
  const schema = JSON.parse(fixture('sarif-schema-2.1.0.json')) as Record<string, unknown>;
  delete schema['id'];
  delete schema['$schema'];
  const ajv = new Ajv({ strict: false, allErrors: true });
  (addFormats as unknown as (to: Ajv) => void)(ajv);
  return ajv.compile(schema);
}
