import { isCheckout } from './package-root.js';

/**
 * A command of this program as a user types it: in a checkout through npm, of an installed package through npx or Yarn.
 * @param args such as "worker 'ws://...'"
 */
export function commandLine(args: string): string {
  if (isCheckout())
    return args.startsWith('train ') ? `npm start -- ${args.slice(6)}` : `npm run -s unisum -- ${args}`;
  // Where Yarn resolves packages without node_modules, there is no program for npx to find.
  return `${process.versions.pnp === undefined ? 'npx' : 'yarn'} unisum ${args}`;
}
