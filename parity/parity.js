/** `npm run parity -- MODEL.tflite GOLDEN.npz [--verbose]` */
import { main } from './main.js';

// A reader that goes away, such as head, wants no more.
process.stdout.on('error', (error) => {
  if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EPIPE') throw error;
});

process.exitCode = await main(process.argv.slice(2), {
  print: (text) => process.stdout.write(text),
  complain: (text) => process.stderr.write(text),
});
