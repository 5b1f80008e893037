import { describe, expect, it } from 'vitest';
import { parseJsonText } from '../../shared/files/json.js';

describe('a JSON text', () => {
  it('is read as JSON.parse reads it', () => {
    const text = '{"a": [1, {"b": "\\"a\\": 2"}], "c": {"a": null}, "\\u0061b": 1.5e3}';
    expect(parseJsonText(text, 'x')).toEqual(JSON.parse(text));
  });

  it.each([
    ['{"a": 1, "a": 2}', 'a'],
    ['[{"x": {"b": 1, "c": 2, "b": 3}}]', 'b'],
    ['{"a": 1, "\\u0061": 2}', 'a'],
    ['{"a" : 1,\n"b": {"b": 1},\n"a" : 2}', 'a'],
  ])('with a name twice is refused: %s', (text, name) => {
    expect(() => parseJsonText(text, 'rows.json')).toThrow(
      `rows.json has "${name}" twice in one object; remove one of them`,
    );
  });

  it('that is none is refused in one line', () => {
    expect(() => parseJsonText('{"a": }', 'rows.json')).toThrow(
      /^rows\.json is not JSON \(.*\); correct it$/,
    );
  });
});
