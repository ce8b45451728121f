/**
 * Makes the bundled onnx-proto ask for the protobufjs that is bundled beside it.
 *
 * onnx-proto's own package.json asks for protobufjs ^6.11.2; `overrides` gives it 8.x, but npm obeys overrides only in
 * the project that states them. In a project that depends on qdbg, `npm ci` would see a bundle that breaks its own
 * range and refuse ("Missing: protobufjs@6 from lock file"). Runs before packing; `npm ci` here restores the original.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const read = (path) => JSON.parse(readFileSync(new URL(`../${path}`, import.meta.url), 'utf8'));

const manifest = 'node_modules/onnx-proto/package.json';
const onnxProto = read(manifest);
const { version } = read('node_modules/protobufjs/package.json');
onnxProto.dependencies.protobufjs = version;
writeFileSync(new URL(`../${manifest}`, import.meta.url), `${JSON.stringify(onnxProto, null, 2)}\n`);
