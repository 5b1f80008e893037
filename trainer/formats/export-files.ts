/*
 * Trained models in the formats of other tools.
 */
import { join } from 'node:path';
import { MODEL_FILE } from '../../coordinator/storage/run-directory.js';
import { writeFileAtomically } from '../../shared/files/atomic-file.js';
import { explainFileError } from '../../shared/files/file-error.js';
import { makeDirectories } from '../../shared/files/make-directory.js';
import { encodeSafetensors } from '../../shared/files/safetensors-encoding.js';
import { type Tensor, weightsSha256 } from '../../shared/files/tensors.js';
import { type StoredModel, storedText } from '../model-text.js';
import { packageVersion } from '../package-files.js';
import { predictionFormat } from '../predictions.js';
import { EXPORTED_WEIGHTS } from '../stored-model.js';
import { kerasFile } from './keras/keras-file.js';
import { tfjsFiles } from './keras/tfjs-files.js';
import { layersOf } from './keras/to-layers.js';
import { encodeNpz } from './npz.js';
import { onnxModel } from './onnx/export.js';
import { torchExport } from './pytorch/export.js';

/** Formats of exports, and what each is for. */
export const FORMATS = {
  unisum: 'weights (safetensors), and network, preprocessing and names (JSON), for predict and eval',
  onnx: 'an ONNX model with dynamic batch, which ONNX Runtime and others run',
  pytorch:
    "weights (safetensors) with PyTorch's names and layouts, for a GPT-2 those of Hugging Face, and a program that loads them",
  keras: 'a .keras file for Keras 3',
  tfjs: 'a layers model for TensorFlow.js',
  npz: 'weights for NumPy',
} as const;
export type ExportFormat = keyof typeof FORMATS;

/** The name of a model for Keras and TensorFlow.js. */
const KERAS_NAME = 'unisum';

/** A file of an export: its name, and its bytes piece by piece. */
type ExportedFile = readonly [name: string, pieces: Iterable<Uint8Array>];
type FormatWriter = (
  stored: StoredModel,
  parameters: readonly Tensor[],
  notes: string[],
) => ExportedFile[] | Promise<ExportedFile[]>;

/** What an export has written. */
export interface WrittenExport {
  /** Paths of the files. */
  readonly files: readonly string[];
  /** What the user must know of them. */
  readonly notes: readonly string[];
}

/** The files of each format. */
const WRITERS: Readonly<Record<ExportFormat, FormatWriter>> = {
  unisum: (stored, parameters) => [
    [
      EXPORTED_WEIGHTS,
      encodeSafetensors(parameters, { format: 'unisum', weightsSha256: weightsSha256([...parameters]) }),
    ],
    [MODEL_FILE, [utf8(storedText(stored))]],
  ],
  onnx: (stored, parameters) => [['model.onnx', [onnxFile(stored, parameters)]]],
  async keras(stored, parameters, notes) {
    const model = layersOf(predictionFormat(stored).network, parameters, 'keras');
    notes.push(...model.notes);
    return [['model.keras', [await kerasFile(model, KERAS_NAME)]]];
  },
  tfjs(stored, parameters, notes) {
    const model = layersOf(predictionFormat(stored).network, parameters, 'tfjs');
    notes.push(...model.notes);
    const files = tfjsFiles(model, { name: KERAS_NAME, version: packageVersion() });
    return files.map(([name, bytes]) => [name, [bytes]]);
  },
  npz: (_, parameters) => [['model.npz', [encodeNpz(parameters)]]],
  pytorch(stored, parameters, notes) {
    const { network } = predictionFormat(stored);
    const { state, program, gpt2 } = torchExport(network, parameters, packageVersion());
    if (gpt2?.hasHeadBias === true)
      notes.push(
        'the names are those of GPT2LMHeadModel, which has no lm_head.bias: it computes other outputs than load_in_torch.py does',
      );
    return [
      [EXPORTED_WEIGHTS, encodeSafetensors(state, { format: 'pt' })],
      ['load_in_torch.py', [utf8(program)]],
      ...(gpt2 ? [['config.json', [utf8(`${JSON.stringify(gpt2.config, null, 2)}\n`)]] as const] : []),
    ];
  },
};

/**
 * Writes a trained model into a folder, which is created if it does not exist.
 * @throws UserError when it cannot be written, or does not fit into the format
 */
export async function writeExport(
  stored: StoredModel,
  parameters: readonly Tensor[],
  { format, out }: { readonly format: ExportFormat; readonly out: string },
): Promise<WrittenExport> {
  const notes: string[] = [];
  const files = await WRITERS[format](stored, parameters, notes);
  try {
    await makeDirectories(out);
  } catch (error) {
    throw explainFileError(error, `cannot create ${out}`);
  }
  for (const [name, pieces] of files) await writeFileAtomically(join(out, name), pieces);
  return { files: files.map(([name]) => join(out, name)), notes };
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** With probabilities as the output of a classifier, as predict has them. */
function onnxFile(stored: StoredModel, parameters: readonly Tensor[]): Uint8Array {
  const { network } = predictionFormat(stored);
  const { classes, alphabet } = stored;
  const metadata = {
    'unisum.model': storedText(stored),
    ...(classes && { classes: JSON.stringify(classes) }),
    ...(alphabet && { alphabet: JSON.stringify(alphabet) }),
  };
  return onnxModel(network, parameters, { version: packageVersion(), metadata });
}
