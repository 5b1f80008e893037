import { copyFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build as esbuild } from 'esbuild';
import { build as vite } from 'vite';

/* Programs that bundle a page with index.html and main.js, as a user would call them, into a folder. */

type Bundle = (from: string, to: string) => Promise<unknown>;

/** The folder in which webpack is installed, which no other test needs: npm install --ignore-scripts webpack. */
const WEBPACK = process.env.UNISUM_WEBPACK;

export const BUNDLERS: Readonly<Record<'Vite' | 'esbuild' | 'webpack', Bundle>> = {
  Vite: (root, outDir) =>
    vite({
      ...{ root, base: './', logLevel: 'error', configFile: false },
      build: { outDir, emptyOutDir: true },
    }),
  // It copies no kernels: the page names their folder.
  esbuild: async (from, to) => {
    const how = { bundle: true, minify: true, format: 'esm', logLevel: 'error' } as const;
    await esbuild({ ...how, entryPoints: [join(from, 'main.js')], outfile: join(to, 'main.js') });
    copyFileSync(join(from, 'index.html'), join(to, 'index.html'));
  },
  webpack: async (context, path) => {
    const webpack = createRequire(join(WEBPACK ?? '.', 'package.json'))('webpack') as (
      options: object,
      done: (error: Error | null, stats?: { toString(format: string): string; hasErrors(): boolean }) => void,
    ) => void;
    await new Promise<void>((resolve, reject) => {
      const options = {
        context,
        mode: 'production',
        entry: './main.js',
        output: { path, filename: 'main.js' },
      };
      webpack(options, (error, stats) => {
        if (error !== null || stats?.hasErrors()) reject(error ?? new Error(stats?.toString('errors-only')));
        else resolve();
      });
    });
    copyFileSync(join(context, 'index.html'), join(path, 'index.html'));
  },
};

/** Whether a bundler is installed here. .ci/run installs webpack. */
export function isBundlerInstalled(name: keyof typeof BUNDLERS): boolean {
  return name !== 'webpack' || WEBPACK !== undefined;
}
