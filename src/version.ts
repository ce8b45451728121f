import { createRequire } from 'node:module';

/** Of the package this file is part of, from source and from the built tree alike. */
export const VERSION: string = (createRequire(import.meta.url)('../package.json') as { version: string })
  .version;
