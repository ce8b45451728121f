// The program of HTML reports (src/page) as one script and one style sheet, in a module that the reporter imports.
// Made anew by every build; not in git.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
const out = join(root, 'src/report/html/page-bundle.ts');

const { outputFiles, metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['src/page/main.tsx', 'src/page/page.css'],
  tsconfig: 'src/page/tsconfig.json',
  outdir: 'page',
  bundle: true,
  minify: true,
  write: false,
  metafile: true,
  charset: 'ascii',
  format: 'iife',
  target: ['es2022', 'chrome103', 'firefox113', 'safari16.4'], // the first ones with DecompressionStream('deflate-raw')
  legalComments: 'none', // whole licences are put in front instead
  logLevel: 'warning',
});

const text = (extension) => outputFiles.find(({ path }) => path.endsWith(extension))?.text ?? '';
const packages = [
  ...new Set(
    Object.keys(metafile.inputs).flatMap(
      (path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? [],
    ),
  ),
].sort();
const script = `/*\n${packages.map(licenceOf).join('\n\n')}\n*/\n${text('.js')}`;

const module = `// Made by scripts/bundle-page.js.\nexport const script: string = ${JSON.stringify(script)};\nexport const style: string = ${JSON.stringify(text('.css'))};\n`;
if (!existsSync(out) || readFileSync(out, 'utf8') !== module) writeFileSync(out, module);

/** What the page carries of a package asks for its licence to be with it. */
function licenceOf(name) {
  const folder = join(root, 'node_modules', name);
  const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const licence = file === undefined ? license : readFileSync(join(folder, file), 'utf8').trim();
  return `${name} ${version}\n${licence.replaceAll('*/', '* /')}`;
}
