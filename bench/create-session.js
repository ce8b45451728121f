/** `node bench/create-session.js MODEL`: what any tool pays that opens the model in onnxruntime-node. */
import { InferenceSession } from 'onnxruntime-node';

await InferenceSession.create(process.argv[2], { intraOpNumThreads: 1 });
