import * as v from 'valibot';
import { didYouMean } from './nearest.js';

/** The issue that tells most: a key that the schema does not know may be the one that another misses. */
export function tellingIssue(
  issues: readonly [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]],
): v.BaseIssue<unknown> {
  return issues.find(({ type, expected }) => type === 'strict_object' && expected === 'never') ?? issues[0];
}

/**
 * What is wrong with a value that a schema does not accept, in words for the user: the path and the message, and for a key that
 * the schema does not know, the nearest key that it knows.
 * @param whole name of the whole value, for an issue that belongs to no single key
 */
export function describeIssue(schema: unknown, issue: v.BaseIssue<unknown>, whole: string): string {
  const path = v.getDotPath(issue) ?? whole;
  const isMissing = issue.received === 'undefined' && /^(strict_|loose_)?object$/.test(issue.type);
  if (isMissing && issue.expected !== 'Object') return `"${path}" is missing; add it`;
  if (issue.type !== 'strict_object' || issue.expected !== 'never') return `${path}: ${issue.message}`;
  const keys = (issue.path ?? []).map(({ key }) => key as string | number);
  const known = keysAt(schema, issue.path?.[0]?.input, keys.slice(0, -1));
  const help = known.length === 0 ? 'leave it out' : didYouMean(String(keys.at(-1)), known, 'keys');
  return `unknown key "${path}"; ${help}`;
}

interface SchemaParts {
  readonly entries?: Readonly<Record<string, unknown>>;
  readonly options?: readonly unknown[];
  readonly key?: string;
  readonly wrapped?: unknown;
  readonly literal?: unknown;
}

/** Keys that a schema knows at a path; none when the schema is not made of objects and variants. */
function keysAt(schema: unknown, value: unknown, path: readonly (string | number)[]): readonly string[] {
  const entries = entriesOf(schema as SchemaParts, value);
  const [key, ...rest] = path;
  if (key === undefined) return Object.keys(entries);
  const inner = (value as Readonly<Record<string, unknown>> | undefined)?.[key];
  return keysAt(entries[key] ?? {}, inner, rest);
}

/** The entries of an object schema; of a variant, those of the option that the value names. */
function entriesOf(schema: SchemaParts, value: unknown): Readonly<Record<string, unknown>> {
  if (schema.wrapped !== undefined) return entriesOf(schema.wrapped as SchemaParts, value);
  if (schema.entries !== undefined) return schema.entries;
  for (const option of (schema.options ?? []) as SchemaParts[]) {
    const tag = option.entries?.[schema.key ?? ''] as SchemaParts | undefined;
    const named = (value as Readonly<Record<string, unknown>> | undefined)?.[schema.key ?? ''];
    if (tag !== undefined && tag.literal === named) return option.entries ?? {};
  }
  return {};
}
