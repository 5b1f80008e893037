/*
 * The interface of a kind of data for `unisum inspect`. To add a kind, write an Inspector and list it in inspect.ts.
 */

/** Options of the command. */
export interface InspectOptions {
  /** The target column; undefined: guessed. */
  readonly target: string | undefined;
}

/** The result of an inspection. */
export interface Inspection {
  /** How the data would be read, for the user. */
  readonly lines: readonly string[];
  /** The same for programs. */
  readonly result: Readonly<Record<string, unknown>>;
  /** A first recipe; undefined: problems must be fixed first. */
  readonly recipe: RecipeDraft | undefined;
}

/** The content of a recipe. */
export interface RecipeDraft {
  /** Imported names by module of the package: `{ 'graph': ['Graph'] }`. */
  readonly imports: Readonly<Record<string, readonly string[]>>;
  /** One line. */
  readonly summary: string;
  /** The rest of the recipe object, after the summary, indented by two spaces. */
  readonly body: string;
}

/** A kind of data. */
export interface Inspector {
  /** For help: "a table (CSV, TSV, Parquet)". */
  readonly what: string;
  /** Whether data are of this kind. */
  handles(path: string): Promise<boolean>;
  /** @throws UserError when the data cannot be read */
  inspect(path: string, options: InspectOptions): Promise<Inspection>;
}
