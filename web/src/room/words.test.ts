import { expect, it } from 'vitest';
import { textOf } from './words';

it('reads what this page says, and what others do', () => {
  expect(textOf({ from: 'Heron', text: 'hello' })).toEqual({ from: 'Heron', text: 'hello', json: false });
  expect(textOf({ text: 'hello', from: 7 })).toEqual({ from: '', text: 'hello', json: false });
  expect(textOf('by curl')).toEqual({ from: '', text: 'by curl', json: false });
  expect(textOf({ price: 1 })).toEqual({ from: '', text: '{"price":1}', json: true });
  expect(textOf(null)).toEqual({ from: '', text: 'null', json: true });
  expect(textOf([1])).toEqual({ from: '', text: '[1]', json: true });
});

it('cuts what nobody would read', () => {
  expect(textOf('a'.repeat(3000)).text).toHaveLength(2002);
});
