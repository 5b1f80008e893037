/*
 * What the file that npm would publish must hold, and must not.
 */

/** Most bytes of the packed file. */
const PACKED_BYTES_MAX = 5_000_000;
/** What every package has. */
const REQUIRED = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md'];
/** What stays in the repository. */
const FORBIDDEN = /^(test|node_modules|build|runs|\.\w+)\/|\.(tgz|log)$|(^|\/)\.env/;

/** Of package.json, what names files of the package. */
export interface PackageManifest {
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, string>>;
}

/** Of the report of `npm pack --json`. */
export interface PackReport {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

/** What is wrong with a packed file; nothing is good. */
export function wrongContents({ size, files }: PackReport, { bin, exports }: PackageManifest): string[] {
  const paths = files.map(({ path }) => path);
  const named = [...Object.values(bin ?? {}), ...Object.values(exports ?? {})].map((path) =>
    path.replace(/^\.\//, ''),
  );
  const isThere = (wanted: string): boolean => {
    const [before = '', after = ''] = wanted.split('*');
    return paths.some((path) =>
      wanted.includes('*') ? path.startsWith(before) && path.endsWith(after) : path === wanted,
    );
  };
  return [
    ...[...REQUIRED, ...named].filter((path) => !isThere(path)).map((path) => `${path} is missing`),
    ...paths.filter((path) => FORBIDDEN.test(path)).map((path) => `${path} does not belong in it`),
    ...(size > PACKED_BYTES_MAX ? [`it has ${size} bytes, more than ${PACKED_BYTES_MAX}`] : []),
  ];
}
