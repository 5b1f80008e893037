import { UserError } from '../../shared/errors.js';

/** What stands before the colon, and the settings behind it. */
interface SettingsText {
  readonly head: string;
  readonly changes: Readonly<Record<string, number | boolean>>;
}

/**
 * Reads HEAD or HEAD:KEY=VALUE,KEY=VALUE, such as "cosine:warmup=100,floor=0.1"; values are numbers, true or false.
 * @param option as the user wrote it, such as "--schedule"
 * @throws {UserError} (wrong usage) when it is written otherwise
 */
export function parseSettings(option: string, text: string): SettingsText {
  const [, head, rest] = /^([^:]*)(?::(.*))?$/.exec(text) as unknown as [string, string, string | undefined];
  if (rest === undefined) return { head, changes: {} };
  const changes: Record<string, number | boolean> = {};
  for (const part of rest.split(',')) {
    const [, key, value] = /^([A-Za-z]\w*)=(.+)$/.exec(part) ?? [];
    const read = value === 'true' || value === 'false' ? value === 'true' : numberOf(value);
    if (key === undefined || read === undefined || Object.hasOwn(changes, key))
      throw new UserError(`${option} takes settings such as ${head}:KEY=0.5,KEY=2, not "${part}"`, 2);
    changes[key] = read;
  }
  return { head, changes };
}

function numberOf(text = ''): number | undefined {
  return /^-?\d*\.?\d+(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}
