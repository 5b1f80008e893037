/*
 * Fits the conversion of a column's values to features, on the training rows.
 */
import type { ColumnReading, ColumnValues } from './column-values.js';
import type { FeatureColumn, TargetColumn } from './preprocessing.js';
import { literal, type Problems, shortened } from './problems.js';
import { AS_IT_IS, type Scale, scaleOf, UNSEEN } from './table-features.js';
import type { TableSettings } from './table-options.js';

/** A column to fit. */
interface Fittable {
  readonly reading: ColumnReading;
  readonly values: ColumnValues;
  /** Rows of the whole table that have no value. */
  readonly missing: number;
}

/**
 * @param train numbers of the training rows
 * @param problems receives a problem when no value can fill the missing ones
 */
export function fitFeature(
  { reading, values, missing: missingRows }: Fittable,
  train: readonly number[],
  settings: TableSettings,
  problems: Problems,
): FeatureColumn {
  const { missing } = settings;
  const { name } = reading;
  const present = values.map((part) =>
    train.map((row) => part[row] as number).filter((value) => !Number.isNaN(value)),
  );
  // Only a column with missing values gets a feature that marks them.
  const isFilled = missing !== 'refuse' && missing !== 'drop' && (missing !== 'category' || missingRows > 0);
  const base = {
    name,
    role: 'feature',
    missing: missingRows,
    hasMissingFeature: missing === 'category' && missingRows > 0,
  } as const;
  if (present[0]?.length === 0 && isFilled)
    problems.add(
      'fill',
      undefined,
      `${shortened(name)} has no value in any training row, so its missing values cannot be filled; leave it out: ignore: [${literal(name)}]`,
    );
  const scaled = present.map((numbers, i) => {
    const fill = isFilled && numbers.length > 0 ? fillOf(numbers, missing) : null;
    if (!settings.standardize || numbers.length === 0) return { ...AS_IT_IS, fill };
    const part = values[i] as Float64Array;
    const learned =
      fill === null ? numbers : train.map((row) => (Number.isNaN(part[row]) ? fill : (part[row] as number)));
    return { ...scaleOf(learned), fill };
  });
  switch (reading.type) {
    case 'category': {
      const places = present[0] as number[];
      const fill =
        isFilled && missing !== 'category' && places.length > 0
          ? (reading.values[mostFrequent(places)] as string)
          : null;
      return { ...base, type: 'category', values: [...reading.values], fill };
    }
    case 'date': {
      const parts = reading.parts.map((part, i) => ({
        part,
        ...(scaled[i] as Scale & { fill: number | null }),
      }));
      return { ...base, type: 'date', order: reading.order, parts };
    }
    case 'number': {
      const { percent, currency } = reading;
      return {
        ...base,
        type: 'number',
        percent,
        currency,
        ...(scaled[0] as Scale & { fill: number | null }),
      };
    }
  }
}

/** @param train numbers of the training rows */
export function fitTarget(
  { reading, values: [numbers], missing }: Fittable,
  train: readonly number[],
  settings: TableSettings,
): TargetColumn {
  const base = { name: reading.name, role: 'target', missing } as const;
  if (reading.type === 'category') return { ...base, type: 'category', values: [...reading.values] };
  const { percent, currency } = reading as ColumnReading & { type: 'number' };
  const scale = scaleOf(train.map((row) => (numbers as Float64Array)[row] as number));
  return { ...base, type: 'number', percent, currency, ...scale, isStandardized: settings.standardizeTarget };
}

/**
 * The categories that training rows have.
 * @param places for each row the index of its category; NaN: missing
 * @param train numbers of the training rows
 * @returns the categories in the same order, the new index of each row (UNSEEN for other categories), and the others
 */
export function learnedCategories(
  { values }: { readonly values: readonly string[] },
  places: Float64Array,
  train: readonly number[],
): { readonly values: readonly string[]; readonly places: Float64Array; readonly unseen: readonly string[] } {
  const isLearned = new Uint8Array(values.length);
  for (const row of train) {
    const place = places[row] as number;
    if (!Number.isNaN(place)) isLearned[place] = 1;
  }
  let next = 0;
  const renumbered = Array.from(isLearned, (learned) => (learned === 1 ? next++ : UNSEEN));
  return {
    values: values.filter((_, i) => isLearned[i] === 1),
    places: places.map((place) => (Number.isNaN(place) ? place : (renumbered[place] as number))),
    unseen: values.filter((_, i) => isLearned[i] === 0),
  };
}

/** The value that replaces missing numbers. For `category` it is the mean, beside a feature that marks them. */
function fillOf(numbers: readonly number[], missing: TableSettings['missing']): number {
  // JSON does not keep -0.
  if (missing === 'median') return median(numbers) + 0;
  if (missing === 'mostFrequent') return mostFrequent(numbers) + 0;
  return scaleOf(numbers).mean;
}

function median(numbers: readonly number[]): number {
  const sorted = Float64Array.from(numbers).sort();
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** The most frequent number; the smallest of several. */
function mostFrequent(numbers: readonly number[]): number {
  const sorted = Float64Array.from(numbers).sort();
  let best = sorted[0] as number;
  let most = 0;
  for (let from = 0; from < sorted.length; ) {
    let to = from + 1;
    while (to < sorted.length && sorted[to] === sorted[from]) to += 1;
    if (to - from > most) {
      most = to - from;
      best = sorted[from] as number;
    }
    from = to;
  }
  return best;
}
