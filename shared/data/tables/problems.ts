import { UserError } from '../../errors.js';
import { nearest } from '../../nearest.js';

/** Most lines of a report. */
const LINES_MAX = 20;
/** Most lines about one kind of problem. */
const LINES_OF_KIND_MAX = 3;
/** Most characters of a cell in a message. */
const QUOTED_MAX = 40;

interface Problem {
  /** Such as "line 7"; undefined: the whole table. */
  readonly place: string | undefined;
  readonly text: string;
}

/** Collects all problems of a table for one report. */
export class Problems {
  readonly #kinds = new Map<string, { readonly shown: Problem[]; count: number }>();

  get isEmpty(): boolean {
    return this.#kinds.size === 0;
  }

  /**
   * @param kind only the first few problems of a kind are listed
   * @param place such as "line 7"
   * @param text the problem and its remedy; about the whole table it may start with "has"
   */
  add(kind: string, place: string | undefined, text: string): undefined {
    let same = this.#kinds.get(kind);
    if (same === undefined) {
      same = { shown: [], count: 0 };
      this.#kinds.set(kind, same);
    }
    same.count += 1;
    if (same.shown.length < LINES_OF_KIND_MAX) same.shown.push({ place, text });
  }

  /** Whether there is a problem of a kind. */
  has(kind: string): boolean {
    return this.#kinds.has(kind);
  }

  /** Removes the problems of one kind. */
  remove(kind: string): void {
    this.#kinds.delete(kind);
  }

  /** Copies the problems of one kind. */
  adopt(other: Problems, kind: string): void {
    const same = other.#kinds.get(kind);
    if (same !== undefined) this.#kinds.set(kind, same);
  }

  /** The report, of a bounded number of lines. A single problem is one line. */
  report(source: string): string {
    const lines = [...this.#kinds.values()].flatMap(({ shown, count }) =>
      shown.map(({ place, text }, i) => {
        const more = i === shown.length - 1 ? count - shown.length : 0;
        return { place, text: more > 0 ? `${text} (and ${more} more like it)` : text };
      }),
    );
    const [only] = lines;
    if (lines.length === 1 && only !== undefined) {
      if (only.place !== undefined) return `${source} ${only.place}: ${only.text}`;
      return `${source}${only.text.startsWith('has ') ? '' : ':'} ${only.text}`;
    }
    const shown = lines
      .slice(0, LINES_MAX)
      .map(({ place, text }) => `  ${place === undefined ? '' : `${place}: `}${text}`);
    const rest = lines.length - shown.length;
    const end = rest > 0 ? [`  and ${rest} more`] : [];
    return [`${source} has ${lines.length} problems:`, ...shown, ...end].join('\n');
  }

  /** @throws UserError with the report when there is a problem */
  throwIfAny(source: string): void {
    if (!this.isEmpty) throw new UserError(this.report(source));
  }
}

/** A cell or heading for a message: quoted, shortened, with visible control characters. */
export function quoted(text: string): string {
  return JSON.stringify(text.length > QUOTED_MAX ? `${text.slice(0, QUOTED_MAX)}...` : text);
}

/** A text as a string literal in a recipe. */
export function literal(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&').replace(/\n/g, '\\n').replace(/\r/g, '\\r')}'`;
}

/** The first few of many names. */
export function listed(names: readonly string[], most = 10): string {
  const more = names.length - most;
  const shown = names.slice(0, more > 0 ? most : names.length).map(shortened);
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** A heading or value for a sentence: shortened, on one line. */
export function shortened(text: string): string {
  return (text.length > QUOTED_MAX ? `${text.slice(0, QUOTED_MAX)}...` : text).replace(/\s+/g, ' ');
}

/** A hint for a heading that the table does not have. */
export function nearestColumn(heading: string, header: readonly string[]): string {
  const near = nearest(heading.slice(0, 80), header);
  return near === undefined ? `its columns are ${listed(header, 20)}` : `did you mean ${shortened(near)}?`;
}
