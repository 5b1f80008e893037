import { UserError } from '../../shared/errors.js';

/** What an import cannot translate; the message says what, and names no layer. */
export class Untranslatable extends UserError {}

/** Most problems that an error lists. */
const LISTED_MAX = 40;

/** The error of a file that cannot be translated, with all that is in the way. @param parts what the file consists of */
export function untranslatableFile(file: string, parts: string, problems: readonly string[]): UserError {
  const counts = new Map<string, number>();
  for (const problem of problems) counts.set(problem, (counts.get(problem) ?? 0) + 1);
  const lines = [...counts].map(([problem, count]) => (count > 1 ? `${problem}, ${count} times` : problem));
  const listed = lines.slice(0, LISTED_MAX).join('; ');
  const more = lines.length > LISTED_MAX ? `; and ${lines.length - LISTED_MAX} more` : '';
  return new UserError(
    `${file} has ${parts} that cannot be translated: ${listed}${more}; export the model without them, or a part of it`,
  );
}
