/*
 * What a release changes in the repository, as a function of its files.
 */
import { UserError } from '../../../shared/errors.js';

const UNRELEASED = / \(not released\)$/;

/** The files that carry a version, as text, and the tags that exist. */
export interface Versioned {
  readonly manifest: string;
  readonly lock: string;
  readonly changelog: string;
  readonly tags: readonly string[];
}

/** What is written. */
export interface VersionPlan extends Omit<Versioned, 'tags'> {
  readonly version: string;
  readonly tag: string;
  /** The text under the version's heading. */
  readonly notes: string;
}

/**
 * Plans the release of the version that CHANGELOG.md names first, as "not released".
 * @throws UserError when the changelog names no such version, the version is not later than the last one, or its tag exists
 */
export function planVersion({ manifest, lock, changelog, tags }: Versioned): VersionPlan {
  const heading = /^## (.*)$/m.exec(changelog);
  const title = heading?.[1] ?? '';
  if (heading === null || !UNRELEASED.test(title))
    throw new UserError(
      `the first version in CHANGELOG.md is ${title || 'missing'}; put "## X.Y.Z (not released)" with what is new before it`,
    );
  const version = title.replace(UNRELEASED, '');
  const last = (JSON.parse(manifest) as { version: string }).version;
  if (!isLater(version, last))
    throw new UserError(
      `CHANGELOG.md names version ${version}, which is not later than ${last} in package.json; correct its heading`,
    );
  const tag = `v${version}`;
  if (tags.includes(tag)) throw new UserError(`the tag ${tag} exists; name a later version in CHANGELOG.md`);
  const after = changelog.slice(heading.index + heading[0].length);
  const notes = after.slice(0, /^## /m.exec(after)?.index).trim();
  if (notes === '') throw new UserError(`CHANGELOG.md says nothing about ${version}; write what is new`);
  return {
    ...{ version, tag, notes },
    changelog: changelog.replace(heading[0], `## ${version}`),
    manifest: withVersion(manifest, last, version, 1),
    // The lock file names the version of the package itself twice, before those of all others.
    lock: withVersion(lock, last, version, 2),
  };
}

/** Whether a version of three numbers comes after another. */
function isLater(version: string, last: string): boolean {
  const [one, other] = [version, last].map((text) => text.split('.').map(Number)) as [number[], number[]];
  if (!/^\d+\.\d+\.\d+$/.test(version)) return false;
  const at = one.findIndex((number, i) => number !== other[i]);
  return at >= 0 && (one[at] as number) > (other[at] as number);
}

/** Replaces the first places of a version. @throws UserError when there are fewer */
function withVersion(text: string, last: string, version: string, places: number): string {
  let changed = text;
  let from = 0;
  for (let i = 0; i < places; i++) {
    const field = `"version": "${last}"`;
    const at = changed.indexOf(field, from);
    if (at < 0) throw new UserError('package-lock.json is not of this package.json; run npm install');
    changed = `${changed.slice(0, at)}"version": "${version}"${changed.slice(at + field.length)}`;
    from = at + field.length;
  }
  return changed;
}
