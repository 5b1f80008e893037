/*
 * What a run stores about data that its recipe makes by code: the fields that the network reads and its target. It is enough to
 * read other samples of the same fields from files, and prediction needs neither the recipe nor the training data.
 */
import * as v from 'valibot';
import { UserError } from '../errors.js';
import { type Dataset, shapeOf } from './dataset.js';
import type { ImagePreprocessing } from './images/image-preprocessing.js';
import { type Field, fieldElements, STORED_FIELD } from './manifest.js';

const CLASSES_MAX = 2 ** 16;

const FieldsPreprocessingSchema = v.strictObject({
  kind: v.literal('fields'),
  version: v.literal(1),
  /** The inputs of the network, by name. */
  inputs: v.record(v.string(), STORED_FIELD),
  /** The field that the loss compares the output with. */
  target: v.strictObject({ name: v.string(), ...STORED_FIELD.entries }),
  /** Class names by number; empty when there are none. */
  classes: v.pipe(v.array(v.pipe(v.string(), v.maxLength(1024))), v.maxLength(CLASSES_MAX)),
  /** Whether files other than JSON are read by a function of the recipe (RecipeData.inputs). */
  isReadByRecipe: v.boolean(),
});

/** The fields of samples. */
export type FieldsPreprocessing = v.InferOutput<typeof FieldsPreprocessingSchema>;
/** A field as a run has stored it. */
export type StoredField = Omit<Field, 'offset'>;

/**
 * Checks preprocessing that was read from a file.
 * @param source names the file in errors
 * @throws UserError that names the invalid part
 */
export function parseFieldsPreprocessing(value: unknown, source: string): FieldsPreprocessing {
  const { success, output, issues } = v.safeParse(FieldsPreprocessingSchema, value);
  if (success) return output;
  const path = v.getDotPath(issues[0]);
  throw new UserError(
    `${source} has an invalid description of fields: ${path === null ? '' : `${path}: `}${issues[0].message}; ` +
      'use an undamaged run',
  );
}

/**
 * What to store about the fields of a data set.
 * @param names of the network's inputs, and of its target
 * @throws UserError when the data set has no such field
 */
export function fieldsPreprocessing(
  dataset: Dataset,
  names: { readonly inputs: readonly string[]; readonly target: string },
  {
    classes = [],
    isReadByRecipe,
  }: { readonly classes?: readonly string[] | undefined; readonly isReadByRecipe: boolean },
): FieldsPreprocessing {
  const of = (name: string) => {
    const shape = [...shapeOf(dataset, name)];
    const { dtype, scale, shift } = dataset.manifest.fields[name] as Field;
    return { dtype, shape, scale, shift };
  };
  return {
    kind: 'fields',
    version: 1,
    inputs: Object.fromEntries(names.inputs.map((name) => [name, of(name)])),
    target: { name: names.target, ...of(names.target) },
    classes: [...classes],
    isReadByRecipe,
  };
}

/** The fields by name, the target among them. */
export function storedFields({ inputs, target }: FieldsPreprocessing): Readonly<Record<string, StoredField>> {
  const { name, ...field } = target;
  return { ...inputs, [name]: field };
}

/** How image files become the only input: undefined when it is not an image of bytes. */
export function imageInput({
  inputs,
  classes,
}: FieldsPreprocessing): { readonly name: string; readonly settings: ImagePreprocessing } | undefined {
  const [only, ...others] = Object.entries(inputs);
  if (only === undefined || others.length > 0) return undefined;
  const [name, { dtype, shape, scale, shift }] = only;
  const [height, width, channels = 1, ...more] = shape;
  const isImage = dtype === 'u8' && shift === 0 && more.length === 0 && (channels === 1 || channels === 3);
  if (!isImage || height === undefined || width === undefined) return undefined;
  const settings = { size: [height, width] as [number, number], fit: 'exact', channels, scale } as const;
  return { name, settings: { kind: 'images', version: 1, ...settings, classes: [...classes] } };
}

/**
 * A data set whose fields have other names, and shapes of as many elements, as a reader of files calls them.
 * @param as for each field that is needed: the name in `dataset`, its shape, and the scale and shift of bytes if they are others
 * @returns undefined when a field is missing, or has another number of elements
 */
export function withFields(
  dataset: Dataset,
  as: Readonly<
    Record<string, Partial<StoredField> & { readonly from: string; readonly shape: readonly number[] }>
  >,
): Dataset | undefined {
  const fields: Record<string, Field> = {};
  for (const [name, { from, ...other }] of Object.entries(as)) {
    const field = dataset.manifest.fields[from];
    if (field === undefined || fieldElements(field) !== fieldElements(other)) return undefined;
    fields[name] = { ...field, ...other };
  }
  return { manifest: { ...dataset.manifest, fields }, chunk: (index) => dataset.chunk(index) };
}
