/** Builds an ONNX model node by node. Opset 21, IR 10, float32, weights as raw data. */
import onnxProto from 'onnx-proto';

const { ModelProto, TensorProto, AttributeProto } = onnxProto.onnx;
const FLOAT = TensorProto.DataType.FLOAT;

function attribute(name, value) {
  return Array.isArray(value)
    ? { name, type: AttributeProto.AttributeType.INTS, ints: value }
    : { name, type: AttributeProto.AttributeType.INT, i: value };
}

function valueInfo(name, shape) {
  return {
    name,
    type: { tensorType: { elemType: FLOAT, shape: { dim: shape.map((dimValue) => ({ dimValue })) } } },
  };
}

export class OnnxModel {
  #nodes = [];
  #constants = [];

  /**
   * @param {string} name
   * @param {readonly number[]} dims
   * @param {Float32Array} values
   * @returns {string} the name
   */
  constant(name, dims, values) {
    const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.#constants.push({ name, dims, dataType: FLOAT, rawData });
    return name;
  }

  /**
   * @param {string} opType
   * @param {string} name
   * @param {readonly string[]} input
   * @param {Record<string, number | number[]>} [attributes] integers only
   * @param {string} [output]
   * @returns {string} name of the output
   */
  node(opType, name, input, attributes = {}, output = `${name}:out`) {
    const entries = Object.entries(attributes).map(([key, value]) => attribute(key, value));
    this.#nodes.push({ opType, name, input, output: [output], attribute: entries });
    return output;
  }

  /**
   * @param {string} name
   * @param {[string, readonly number[]]} input name and shape
   * @param {[string, readonly number[]]} output name and shape
   * @returns {Uint8Array} the model file
   */
  encode(name, input, output) {
    return ModelProto.encode({
      irVersion: 10,
      producerName: 'qdbg bench',
      opsetImport: [{ domain: '', version: 21 }],
      graph: {
        name,
        node: this.#nodes,
        initializer: this.#constants,
        input: [valueInfo(...input)],
        output: [valueInfo(...output)],
      },
    }).finish();
  }
}
