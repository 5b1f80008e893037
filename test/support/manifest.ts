import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';
import { PROGRAM } from './process.js';

/** The files for those who run Unisum on a cluster. */
export const CLUSTER = fileURLToPath(new URL('../../examples/cluster', import.meta.url));

/** An object of Kubernetes, as far as tests look at it. */
export interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  // biome-ignore lint/suspicious/noExplicitAny: fields of many kinds, which the test itself looks at
  readonly spec: any;
}

/** A container of a pod, or a service of Compose, in the same terms. */
export interface Container {
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The folder that stands for each path at which a volume is mounted. */
  readonly mounts: Readonly<Record<string, string>>;
}

/** What a process of the container is started with. */
export interface ContainerProcess {
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Every object of the YAML files in a folder but its kustomization. @throws Error at the first fault of a file */
export function readManifests(folder: string): Manifest[] {
  return manifestFiles(folder).flatMap((name) =>
    parseAllDocuments(readFileSync(join(folder, name), 'utf8')).map((document) => {
      for (const fault of [...document.errors, ...document.warnings]) throw fault;
      return document.toJS() as Manifest;
    }),
  );
}

/** The files of a folder with objects. */
export function manifestFiles(folder: string): string[] {
  return readdirSync(folder).filter((name) => /\.ya?ml$/.test(name) && name !== 'kustomization.yaml');
}

/** A YAML file with one document. @throws Error when it is not valid */
export function readYaml<T>(path: string): T {
  return parse(readFileSync(path, 'utf8'), { merge: true, strict: true }) as T;
}

/** The command of this checkout as `unisum`, in a folder for PATH. */
export function programFolder(folder: string): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'unisum'), `#!/bin/sh\nexec '${process.execPath}' '${PROGRAM}' "$@"\n`);
  chmodSync(join(bin, 'unisum'), 0o755);
  return bin;
}

/**
 * A container as a process on this machine: its very words, with the folders of its volumes in place of the paths at which they are
 * mounted, and with $(NAME) expanded as Kubernetes does.
 * @param bin a folder with the program
 */
export function processOf({ command, args, env, mounts }: Container, bin: string): ContainerProcess {
  const paths = Object.keys(mounts);
  const mounted = new RegExp(`(?<![\\w/.])(${paths.join('|')})(?=/)`, 'g');
  const here = (text: string): string => {
    const expanded = text.replaceAll(/\$\((\w+)\)/g, (whole, name: string) => env[name] ?? whole);
    return paths.length === 0 ? expanded : expanded.replaceAll(mounted, (path) => mounts[path] as string);
  };
  return {
    command: command.map(here),
    args: args.map(here),
    env: {
      ...Object.fromEntries(Object.entries(env).map(([name, value]) => [name, here(value)])),
      PATH: `${bin}:${process.env.PATH}`,
    },
  };
}
