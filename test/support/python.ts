import { execFileSync } from 'node:child_process';

/** Debian's own interpreter first: its packages install modules for that one. */
const INTERPRETERS = ['/usr/bin/python3', 'python3'];

/**
 * A Python that has some modules, as an independent implementation to compare with; undefined, told to who reads the output,
 * when there is none.
 * @param packages of Debian that bring the modules
 */
export function pythonWith(modules: readonly string[], packages: string): string | undefined {
  for (const python of INTERPRETERS) {
    try {
      execFileSync(python, ['-c', `import ${modules.join(', ')}`], { stdio: 'ignore' });
      return python;
    } catch {}
  }
  process.stderr.write(
    `SKIPPED, no python3 with ${modules.join(' and ')} here: apt-get install ${packages}\n`,
  );
  return undefined;
}
